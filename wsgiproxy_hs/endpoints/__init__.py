"""The WSGI apps where a row ends."""
