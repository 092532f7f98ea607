"""The table for what is large or lasts."""

from wsgiproxy_hs import RAW, REQUIRED, Route

MAX_BYTES = 2_147_483_648
ROUTES = (
    Route("GET", "download", "/download/", REQUIRED),
    Route("POST", "streamed", "/upload/", REQUIRED, RAW, max_bytes=MAX_BYTES, stream_body=True),
    Route("POST", "spooled", "/upload/", REQUIRED, RAW, max_bytes=MAX_BYTES),
    Route("GET", "events", "/events/", REQUIRED),
)
