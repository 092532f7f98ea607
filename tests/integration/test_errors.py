"""Errors of the real backend, in the documented shape; and a backend that is away."""

from __future__ import annotations

import json

import pytest

from tests.integration import servers
from tests.integration.conftest import Backend

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", name="faults")
def _faults(backend: Backend) -> object:
    """A proxy whose one row leads to the backend's fault routes."""
    port = servers.free_port()
    environ = servers.proxy_environ(
        backend.url, port, WSGIPROXY_ROUTES="tests.integration.fault_routes:ROUTES", FIRST_BYTE_TIMEOUT_SECONDS="1"
    )
    with servers.gunicorn("wsgiproxy_hs:app", environ, port=port) as url:
        yield url


SHAPES = (
    "field-errors", "nested-errors", "non-field-errors", "bare-list", "many-errors",
    "detail-400", "detail-403", "detail-404", "detail-405", "detail-409", "detail-429", "detail-503",
    "server-error", "empty-500", "huge-html",
)  # fmt: skip


@pytest.mark.parametrize("kind", SHAPES)
def test_errors_have_one_shape(kind: str, faults: str, backend: Backend) -> None:
    """Status as Django said; ``error`` its ``detail`` or "Request failed"; fields kept; never HTML."""
    direct = servers.ask(backend.url, "GET", f"/api/faults/{kind}/")
    through = servers.ask(faults, "GET", f"/api/faults/{kind}")
    assert through.status == direct.status >= 400
    assert through.header("content-type") == "application/json"
    try:
        document = direct.json()
    except json.JSONDecodeError:
        document = None
    answer = through.json()
    detail = document.get("detail") if isinstance(document, dict) else None
    assert answer["error"] == (detail if isinstance(detail, str) else "Request failed")
    assert answer["code"] == "upstream-status"
    if isinstance(document, list):
        assert answer["fields"]
    elif isinstance(document, dict) and detail is None:
        assert answer["fields"].keys() == document.keys()
    assert through.header("retry-after") == direct.header("retry-after")
    assert "<" not in through.body.decode()


def test_cookies_and_banners_stay_inside(faults: str, backend: Backend) -> None:
    """Django's cookies and banners do not reach the browser (F086)."""
    direct = servers.ask(backend.url, "GET", "/api/faults/cookies/")
    through = servers.ask(faults, "GET", "/api/faults/cookies")
    assert "set-cookie" in direct.headers
    assert "x-powered-by" in direct.headers
    assert not {"set-cookie", "x-powered-by"} & through.headers.keys()
    assert through.body == direct.body


def test_no_content_stays_empty(faults: str) -> None:
    """204 has no body and no invented length (F098)."""
    answer = servers.ask(faults, "POST", "/api/faults/no-content", body=b"")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers


def test_redirects_are_not_followed(faults: str, backend: Backend) -> None:
    """A redirect of the backend is 502 and goes nowhere (F103, F122)."""
    backend.received()
    answer = servers.ask(faults, "GET", "/api/faults/redirect")
    assert (answer.status, answer.json()["code"]) == (502, "upstream-redirect")
    assert "location" not in answer.headers
    assert len(backend.received()) == 1


def test_slow_backend_is_a_timeout(faults: str) -> None:
    """A backend that does not begin its answer in time is 504."""
    answer = servers.ask(faults, "GET", "/api/faults/slow?seconds=3")
    assert (answer.status, answer.json()["code"]) == (504, "upstream-timeout")


def test_backend_that_is_away() -> None:
    """Nobody listens: 502 in the documented shape, with nothing of the address in it (F137)."""
    port, nobody = servers.free_port(), servers.free_port()
    with servers.gunicorn(
        "wsgiproxy_hs:app", servers.proxy_environ(f"http://127.0.0.1:{nobody}", port), port=port
    ) as url:
        answer = servers.ask(url, "GET", "/api/subscriptions/pricing")
    assert (answer.status, answer.json()["code"]) == (502, "upstream-unreachable")
    assert str(nobody) not in answer.body.decode()
