"""An upstream of its own process: a token endpoint with strictly single-use tokens, and an API that takes its tokens.

``gunicorn tests.renewal.token_endpoint:application`` with one worker. ``POST /__sign_in__`` gives a pair whose access
token is over or due, ``GET /__counts__`` what was redeemed and refused.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable
from typing import Any

from tests.renewal.token_server import TokenServer
from wsgiproxy_hs.sessions import Redeemed, Refused

DELAY_SECONDS = float(os.environ.get("TOKEN_DELAY_SECONDS", "0.3"))
REFUSAL = {"detail": "Token is blacklisted", "code": "token_not_valid"}
server = TokenServer(clock=time.time, access_seconds=3600)
_lock = threading.Lock()
_calls: list[str] = []


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if path == "/__sign_in__":
        pair = server.sign_in(float(json.loads(body)["age_seconds"]))
        return _say(start_response, 200, {"access": pair.access, "refresh": pair.refresh})
    if path == "/__counts__":
        return _say(
            start_response,
            200,
            {"redemptions": list(server.redemptions.values()), "refusals": len(server.refusals), "calls": len(_calls)},
        )
    if path == "/auth/jwt/refresh/":
        return _refresh(start_response, json.loads(body)["refresh"])
    token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[2]
    if not server.accepts(token):
        return _say(start_response, 403, REFUSAL)
    return _say(start_response, 200, {"ok": True})


def _refresh(start_response: Any, refresh: str) -> Iterable[bytes]:
    """Half of the delay before the commit, half of it behind."""
    _calls.append(refresh)
    time.sleep(DELAY_SECONDS / 2)
    outcome = server.redeem(refresh)
    time.sleep(DELAY_SECONDS / 2)
    if isinstance(outcome, Refused):
        return _say(start_response, 401, REFUSAL)
    assert isinstance(outcome, Redeemed)
    return _say(start_response, 200, {"access": outcome.access, "refresh": outcome.refresh})


def _say(start_response: Any, status: int, document: Any) -> Iterable[bytes]:
    body = json.dumps(document).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status} OK", headers)
    return [body]
