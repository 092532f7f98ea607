"""Calls a WSGI app as a server would, under PEP 3333's validator, and keeps its cookies as a browser would."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlencode
from wsgiref.types import WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

from tests.auth.exchanges import Answer, Jar, Send, csrf_of, keep_cookies


def environ_of(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> WSGIEnvironment:
    """The environ that a server makes of a request."""
    raw_path, _, query = path.partition("?")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": query.encode("utf-8").decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.encode("utf-8").decode("latin-1")
    return environ


def call(app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """The answer of ``app``, which the validator has watched."""
    seen: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        seen.append((status, headers))
        return lambda data: None

    iterable = validator(app)(environ, start_response)
    try:
        body = b"".join(iterable)
    finally:
        iterable.close()  # type: ignore[attr-defined]
    [(status, headers)] = seen
    lower = [(name.lower(), value) for name, value in headers]
    cookies = [value for name, value in lower if name == "set-cookie"]
    return Answer(int(status[:3]), [field for field in lower if field[0] != "set-cookie"], cookies, body)


def in_process(apps: Mapping[str, WSGIApplication]) -> Send:
    """For :func:`tests.auth.exchanges.run`."""

    def send(config: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        return call(apps[config], environ_of(method, path, headers, body))

    return send


class Browser:
    """One person's browser, on one handler.

    :param base: what precedes the actions in its URLs.
    """

    def __init__(self, app: WSGIApplication, *, base: str = "/api/auth") -> None:
        self.app = app
        self.base = base
        self.jar: Jar = {}

    def get(self, path: str, **headers: str) -> Answer:
        return self._send("GET", path, None, headers)

    def post(
        self, path: str, form: Mapping[str, str] | None = None, *, json_body: Any = None, **headers: str
    ) -> Answer:
        """POST form fields or JSON, with the CSRF token unless it is given."""
        if json_body is not None:
            headers["Content_Type"] = "application/json"
            return self._send("POST", path, json.dumps(json_body).encode(), headers)
        headers["Content_Type"] = "application/x-www-form-urlencoded"
        return self._send("POST", path, urlencode({"csrfToken": self.csrf(), **(form or {})}).encode(), headers)

    def csrf(self) -> str:
        """The CSRF token, asked for first when there is none."""
        if not csrf_of(self.jar):
            self.get("/csrf")
        return csrf_of(self.jar)

    def sign_in(self, email: str = "ada@example.com", password: str = "correct horse", **more: str) -> Answer:
        """As the browser client does it: the answer is JSON."""
        form = {"email": email, "password": password, **more}
        return self.post("/callback/credentials", form, X_Auth_Return_Redirect="1")

    def session(self) -> Any:
        return json.loads(self.get("/session").body)

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.jar and "Cookie" not in fields:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        answer = call(self.app, environ_of(method, self.base + path, fields, body))
        keep_cookies(self.jar, answer.cookies)
        return answer

    def cookie(self, name: str) -> str:
        return unquote(self.jar[name])


def header(answer: Answer, name: str) -> str | None:
    return dict(answer.headers).get(name.lower())


def url_of(answer: Answer) -> str:
    """The URL in the body of an answer to the browser client."""
    return str(json.loads(answer.body)["url"])
