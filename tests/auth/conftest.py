"""A Django that answers through ``responses``, and handlers in front of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from tests.auth import fake_django
from tests.auth.browser import Browser
from tests.auth.exchanges import SECRET
from wsgiproxy_hs.auth import AuthApp, Hooks
from wsgiproxy_hs.sessions import Sessions
from wsgiproxy_hs.settings import Settings

BACKEND = "http://django.internal:8000"
MakeApp = Callable[..., AuthApp]


def _answer(request: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    body = request.body if isinstance(request.body, bytes) else b""
    path = str(request.url).removeprefix(BACKEND)
    answer = fake_django.reply(str(request.method), path, headers, body)
    return answer.status, dict(answer.headers), answer.body


@pytest.fixture
def django() -> Iterator[responses.RequestsMock]:
    """The fake Django; ``django.calls`` is what it saw."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "POST"):
            mock.add_callback(method, re.compile(re.escape(BACKEND)), callback=_answer)
        yield mock


def settings_of(**values: Any) -> Settings:
    defaults = {"backend_url": BACKEND, "public_url": "http://localhost:3000", "secrets": [SECRET]}
    return Settings(**{**defaults, **values})


def sessions_of(settings: Settings) -> Sessions:
    return Sessions(
        secrets=settings.secret_texts, secure=settings.secure, max_age_seconds=settings.session_max_age_seconds
    )


@pytest.fixture
def make_app(django: responses.RequestsMock) -> MakeApp:
    """A handler in front of the fake Django: ``make_app(hooks=..., sign_out_path=...)``."""

    def make(*, hooks: Hooks | None = None, **values: Any) -> AuthApp:
        settings = settings_of(**values)
        options: dict[str, Any] = {} if hooks is None else {"hooks": hooks}
        return AuthApp.from_settings(settings, transport=HTTPAdapter(), sessions=sessions_of(settings), **options)

    return make


@pytest.fixture
def browser(make_app: MakeApp) -> Browser:
    """A browser on the default handler."""
    return Browser(make_app())
