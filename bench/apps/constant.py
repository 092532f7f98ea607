"""A constant answer: what the server itself costs."""

from bench.apps.payload import BODY


def app(environ, start_response):
    """The same 1.3 KB of JSON, whatever was asked."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]
