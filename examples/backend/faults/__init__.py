"""Routes that misbehave on purpose, for testing clients. Mounted only when BACKEND_FAULT_ROUTES=1."""
