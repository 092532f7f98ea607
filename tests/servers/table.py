"""The rows that the servers are given: as few as show how requests and answers travel."""

from __future__ import annotations

from wsgiproxy_hs.routes import ANY, NONE, RAW, REQUIRED, Route

UPLOAD_BYTES = 16 * 1024 * 1024

ROUTES = (
    Route(ANY, "open/{path...}", "/open/{path...}", NONE, RAW, max_bytes=UPLOAD_BYTES),
    Route("POST", "streamed", "/streamed/", NONE, RAW, max_bytes=UPLOAD_BYTES, stream_body=True),
    Route(ANY, "own/{name}", "/own/{name}/", REQUIRED, RAW, request_headers=("X-Shown",)),
)
