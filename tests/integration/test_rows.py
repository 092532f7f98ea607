"""Every row of the table, through a real gunicorn to the real backend, with a session obtained by signing in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.integration import rows, servers
from tests.integration.conftest import Backend
from wsgiproxy_hs.table import ROUTES

pytestmark = pytest.mark.integration

BY_PATH = {route.path: route for route in ROUTES}
ELSEWHERE = {
    ("GET", "auth/{action...}"): "test_sign_in.py",
    ("POST", "auth/{action...}"): "test_sign_in.py",
    ("POST", "subscriptions/webhook"): "test_webhook.py",
    ("POST", "send-contact-email"): "test_answered_here.py",
    ("POST", "workspaces/{workspace_id}/translate"): "test_answered_here.py",
}
"""Rows that cannot be compared with asking Django directly, and where they are tested."""

TRAVELS = {
    "host", "via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id",
    "authorization", "content-type", "content-length",
}  # fmt: skip
"""All that Django may receive of a browser that sends cookies, an origin and Fetch Metadata."""

_VARYING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<time>"),
    (re.compile(r"\bnew\d+@example\.com"), "<new email>"),
    (re.compile(r"\bcs_[\w-]+|(?<=\bsignature=)[^&\"]+|(?<=\btoken=)[^&\"]+|(?<=/storage/)[^\"]+"), "<random>"),
    (re.compile(r'("(?:id|team|membership|user|session|position|task_id)": ?)(\d+|"[\w-]+")'), r"\1<id>"),
)


def alike(body: bytes) -> str:
    """A body without what differs between two objects of one kind: ids, times, signatures."""
    text = body.decode()
    for pattern, mask in _VARYING:
        text = pattern.sub(mask, text)
    return text


def test_no_row_is_left_out() -> None:
    """Every method of every row has a case here, or is named with the test that has it."""
    covered = {(case.method, case.path) for case in rows.CASES}
    assert len(covered) == len(rows.CASES)
    table = {(method, route.path) for route in ROUTES for method in route.method_names}
    assert covered | ELSEWHERE.keys() == table
    assert not covered & ELSEWHERE.keys()


def body_of(case: rows.Case, params: rows.Params) -> tuple[bytes | None, str | None]:
    """The bytes to send, oddly spaced so that writing the JSON anew would show, and their type."""
    if case.raw is not None:
        return case.raw[1], case.raw[0]
    document: Any = case.document(params) if callable(case.document) else case.document
    if document is None:
        return None, None
    return json.dumps(document, indent=3, separators=(" ,", "  : ")).encode(), "text/plain;charset=UTF-8"


@pytest.mark.parametrize("case", rows.CASES, ids=lambda case: case.id)
def test_answer_is_what_django_says(case: rows.Case, client: servers.Client, backend: Backend) -> None:
    """Through the proxy: Django's own status and body; and Django received exactly what the row promises."""
    route = BY_PATH[case.path]
    assert isinstance(route.to, str)
    direct_params, params = case.prepare(backend), case.prepare(backend)

    direct_body, direct_type = body_of(case, direct_params)
    upstream_path = route.to.format(**direct_params)
    authorization = {} if route.token.value == "none" else {"Authorization": f"JWT {backend.token}"}
    json_type = {"Content-Type": case.raw[0] if case.raw else "application/json"} if direct_type else {}
    direct = servers.ask(
        backend.url, case.method, upstream_path + case.query, headers=authorization | json_type, body=direct_body
    )
    backend.received()

    body, content_type = body_of(case, params)
    headers = {"Content-Type": content_type} if content_type else {}
    through = client.ask(case.method, f"/api/{case.path.format(**params)}/{case.query}", headers=headers, body=body)

    assert through.status == direct.status
    if direct.status < 400:
        assert alike(through.body) == alike(direct.body)
        assert through.header("content-type") == direct.header("content-type")
    else:
        expected = direct.json()
        assert through.json()["error"] == expected.get("detail", "Request failed")
        assert through.json().get("fields", {}) == {name: expected[name] for name in expected if name != "detail"}
    assert "set-cookie" not in through.headers
    if route.token.value != "none" and direct.status < 400:
        assert through.header("cache-control") == "private, no-store"

    (seen,) = backend.received()
    assert (seen.method, seen.target) == (case.method, route.to.format(**params) + case.query)
    assert seen.body == (body or b"")
    assert seen.headers.keys() <= TRAVELS
    assert seen.headers["host"] == backend.url.removeprefix("http://")
    assert seen.headers["x-forwarded-host"] == client.url.removeprefix("http://")
    scheme = seen.headers.get("authorization", "").partition(" ")[0]
    assert scheme == ("" if route.token.value == "none" else "JWT")
    if case.raw:
        assert seen.headers["content-type"] == case.raw[0]
    elif body:
        assert seen.headers["content-type"] == "application/json"


REQUIRED = [case for case in rows.CASES if BY_PATH[case.path].token.value == "required"]
FILLER = {
    "workspace_id": "7a9c1c1e-0000-4000-8000-000000000001",
    "chat_id": "7a9c1c1e-0000-4000-8000-000000000002",
    "document_id": "7a9c1c1e-0000-4000-8000-000000000003",
    "knowledge_base_id": "7a9c1c1e-0000-4000-8000-000000000004",
    "team_id": "1",
    "membership_id": "2",
}


@pytest.mark.parametrize("case", REQUIRED, ids=lambda case: case.id)
def test_no_session_is_refused(case: rows.Case, proxy: str, backend: Backend) -> None:
    """Without a session every row that needs one answers 401 in the documented shape, and Django hears nothing."""
    backend.received()
    body, content_type = body_of(case, FILLER)
    headers = {"Content-Type": content_type} if content_type else {}
    answer = servers.ask(proxy, case.method, "/api/" + case.path.format(**FILLER), headers=headers, body=body)
    assert answer.status == 401
    assert answer.json()["error"] == "Unauthorized"
    assert backend.received() == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_wrong_method_is_refused(route: Any, client: servers.Client, backend: Backend) -> None:
    """A method that the row does not have answers 405 with ``Allow``, and Django hears nothing."""
    path = "/api/" + re.sub(r"\{(\w+)\.\.\.\}", "x", route.path).format(**FILLER)
    answer = client.ask("PATCH", path)
    assert answer.status == 405
    assert set(route.method_names) <= set((answer.header("allow") or "").split(", "))
    assert backend.received() == []
