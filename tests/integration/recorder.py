"""The real backend, with a memory: what it received is there to be asked for.

``GET /__received__`` gives the requests since it was last asked, oldest first, and forgets them.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterable
from typing import Any

from config.wsgi import application as backend

_received: list[dict[str, Any]] = []
_lock = threading.Lock()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Record, then let the backend answer."""
    if environ["PATH_INFO"] == "/__received__":
        return _tell(start_response)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    with _lock:
        _received.append(
            {
                "method": environ["REQUEST_METHOD"],
                "target": environ["RAW_URI"],
                "headers": headers,
                "body": base64.b64encode(body).decode(),
            }
        )
    return backend(environ, start_response)


def _tell(start_response: Any) -> Iterable[bytes]:
    with _lock:
        document = json.dumps(_received).encode()
        _received.clear()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(document)))])
    return [document]
