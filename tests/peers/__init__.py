"""Beside others: the real httpbin behind the proxy, and what an older WSGI proxy promises."""
