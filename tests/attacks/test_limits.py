"""Somebody sends more than anybody needs: longer, deeper, slower, or more at once.

Each limit is a setting, and passing it has a 4xx of its own: through the whole stack, the upstream sees nothing of it,
and the same request goes through once the setting allows it.
"""

from __future__ import annotations

import functools
import io
import itertools
import json

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, call, request, session_cookie
from wsgiproxy_hs.routes.spool import Pace
from wsgiproxy_hs.setting_limits import LimitSettings
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app


class Dripping(io.BytesIO):
    """A client that sends a byte at a time, as soon as it is asked."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(1)


def ask(path="/api/workspaces", body=b'{"name": "x"}', **keys):
    headers = {"Cookie": session_cookie(), "Origin": PUBLIC_URL, **keys.pop("headers", {})}
    return request("POST", path, headers=headers, body=body, **keys)


def nested(depth):
    return json.dumps({"name": "x", "more": json.loads("[" * depth + "]" * depth)}).encode()


def drip(size=64):
    body = b'{"name": "' + b"x" * size + b'"}'
    return ask(wsgi__input=Dripping(body), CONTENT_LENGTH=str(len(body)))


# setting: (too little, request, status, code); a limit that is not here is not tested
LIMITS = {
    "max_body_bytes": (20, lambda: ask(body=b'{"name": "' + b"x" * 30 + b'"}'), 413, "body-too-large"),
    "max_json_depth": (4, lambda: ask(body=nested(5)), 400, "body-too-complex"),
    "max_json_keys": (2, lambda: ask(body=b'{"name": "x", "a": 1, "b": 2}'), 400, "body-too-complex"),
    "max_json_digits": (3, lambda: ask(body=b'{"name": "x", "a": 12345}'), 400, "body-too-complex"),
    "max_upload_seconds": (1e-9, drip, 408, "upload-too-slow"),
    "max_url_bytes": (60, lambda: ask(query="x" * 60), 414, "url-too-long"),
    "max_header_bytes": (900, lambda: ask(headers={"X-Large": "x" * 900}), 431, "headers-too-large"),
    "max_cookie_bytes": (100, ask, 431, "headers-too-large"),
}
ELSEWHERE = {"min_upload_bytes_per_second", "max_requests_at_once"}
"""They need time, or two requests: ``test_an_upload_that_is_too_slow``, and ``test_throttling`` for the second."""


def stack(upstream, **settings):
    given = {"backend_url": UPSTREAM_URL, "public_url": PUBLIC_URL, "secrets": [SECRET], **settings}
    return create_app(Settings(**given), transport=upstream)


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_is_a_setting_with_a_status_of_its_own(name):
    """Past the limit it is refused and nothing is sent; by the default the same request passes."""
    few, make, status, code = LIMITS[name]
    upstream = FakeUpstream()
    result = call(stack(upstream, **{name: few}), make(), validate=False)
    assert (result.code, result.document["code"]) == (status, code)
    assert upstream.sent == []
    assert call(stack(upstream), make(), validate=False).code == 200
    assert len(upstream.sent) == 1


def test_no_limit_is_forgotten():
    """A new limit has to be passed here, too; throttling has a file of its own."""
    names = {name for name in LimitSettings.model_fields if not name.startswith("throttle_")}
    assert names == set(LIMITS) | ELSEWHERE


@pytest.mark.parametrize(("rate", "status"), [(500, 408), (0, 200)])
def test_an_upload_that_is_too_slow(rate, status, monkeypatch):
    """After the grace of 20 seconds an upload below the rate is 408; with a rate of 0 it may be as slow as it is."""
    seconds = itertools.count()  # a byte a second
    pace = functools.partial(Pace, clock=lambda: float(next(seconds)))
    monkeypatch.setattr("wsgiproxy_hs.assembly.Pace", pace)
    upstream = FakeUpstream()
    app = stack(upstream, min_upload_bytes_per_second=rate)
    assert call(app, drip(), validate=False).code == status
    assert len(upstream.sent) == (status == 200)


@pytest.mark.parametrize(
    ("path", "size", "status"), [("/api/transcribe-audio", 2_000_000, 200), ("/api/workspaces", 2_000_000, 413)]
)
def test_a_row_may_have_a_limit_of_its_own(path, size, status):
    """Audio may be larger than the default, and nothing else is for it."""
    body = b'"' + b"x" * size + b'"'
    assert call(stack(FakeUpstream()), ask(path, body), validate=False).code == status
