"""The table for what is large or lasts."""

from typing import Any

from wsgiproxy_hs import RAW, REQUIRED, Route

MAX_BYTES = 2_147_483_648
CAN_STREAM = "stream" in Route.__dataclass_fields__
"""Whether a row may say that its body is not spooled."""
_STREAMED: dict[str, Any] = {"stream": True}
ROUTES = (
    Route("GET", "download", "/download/", REQUIRED),
    Route("POST", "upload", "/upload/", REQUIRED, RAW, max_bytes=MAX_BYTES),
    Route("GET", "events", "/events/", REQUIRED),
    *([Route("POST", "streamed", "/upload/", REQUIRED, RAW, max_bytes=MAX_BYTES, **_STREAMED)] if CAN_STREAM else []),
)
