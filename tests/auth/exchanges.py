"""Exchanges with a sign-in handler, as flows of a browser: the same for ours and for the real library.

``{csrf}`` in a form, a JSON document or a path stands for the token of the browser's CSRF cookie.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode

SECRET = "conformance-4vXq8Zr2Lw7Nb5Ky1Hd6Pf3S"
OLD_SECRET = "conformance-older-9Tg5Rm2Xc8Vb4Nq7Wz"

CONFIGS: Mapping[str, dict[str, Any]] = {
    "default": {},
    "pages": {"pages": {"signIn": "/auth/login", "error": "/auth/problem"}},
    "all-pages": {
        "pages": {"signIn": "/login?from=auth", "signOut": "/bye", "error": "/oops", "verifyRequest": "/mail"},
    },
    "https": {"origin": "https://app.example.com"},
    "base": {"origin": "https://app.example.com", "basePath": "/custom/auth"},
    "hour": {"maxAge": 3600},
    "hooks": {"signIn": True},
    "update": {"update": True},
    "rotated": {"secret": [SECRET, OLD_SECRET]},
    "old": {"secret": [OLD_SECRET]},
    "new": {"secret": [SECRET]},
    "client": {"origin": "self", "update": True},
}
"""Each is the default with these differences. Both servers are told all of them and pick one for each request.
``self`` is the server's own address."""


def config_of(name: str) -> dict[str, Any]:
    default = {"origin": "http://localhost:3000", "basePath": "/api/auth", "secret": [SECRET], "pages": {}}
    return {**default, "maxAge": 2_592_000, "signIn": False, "update": False, **CONFIGS[name]}


Jar = dict[str, str]
"""Cookie values as they stand in ``Cookie``, by name, oldest first."""


class Answer(NamedTuple):
    """``headers`` in lower case and without ``set-cookie``; ``cookies`` are those lines, in order."""

    status: int
    headers: list[tuple[str, str]]
    cookies: list[str]
    body: bytes


@dataclass(frozen=True)
class Step:
    """One request. ``path`` is below the base path, unless it begins with ``!``.

    :param cookies: makes the ``Cookie`` header of the jar; by default all of it, in its order.
    :param deviations: names in ``deviations.py`` of what may, and must, differ here.
    """

    name: str
    method: str = "GET"
    path: str = "/session"
    form: Mapping[str, str] | list[tuple[str, str]] | None = None
    json: Any = None
    raw: bytes | None = None
    content_type: str | None = None
    returns: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Callable[[Jar], str] | None = None
    deviations: tuple[str, ...] = ()

    def request(self, jar: Jar, base_path: str) -> tuple[str, dict[str, str], bytes | None]:
        """Path, header fields and body."""
        token = csrf_of(jar)
        body, content_type = self._body(token)
        headers = dict(self.headers)
        if content_type is not None:
            headers["Content-Type"] = content_type
        if self.returns:
            headers["X-Auth-Return-Redirect"] = "1"
        cookie = self.cookies(jar) if self.cookies is not None else "; ".join(f"{n}={v}" for n, v in jar.items())
        if cookie:
            headers["Cookie"] = cookie
        path = self.path[1:] if self.path.startswith("!") else base_path + self.path
        return path.replace("{csrf}", token), headers, body

    def _body(self, token: str) -> tuple[bytes | None, str | None]:
        if self.form is not None:
            pairs = self.form.items() if isinstance(self.form, Mapping) else self.form
            text = urlencode([(name, value.replace("{csrf}", token)) for name, value in pairs])
            return text.encode(), self.content_type or "application/x-www-form-urlencoded"
        if self.json is not None:
            text = json.dumps(self.json).replace("{csrf}", token)
            return text.encode(), self.content_type or "application/json"
        if self.raw is not None:
            return self.raw.replace(b"{csrf}", token.encode()), self.content_type
        return (b"" if self.method == "POST" else None), self.content_type


@dataclass(frozen=True)
class Flow:
    """Steps of one browser. ``config`` may change on the way: ``("old", step), ("rotated", step)``."""

    name: str
    steps: tuple[Step, ...]
    config: str = "default"


@dataclass(frozen=True)
class Switch(Step):
    """Not a request: from here on the servers are configured like this."""


def csrf_of(jar: Jar) -> str:
    names = ("__Host-authjs.csrf-token", "authjs.csrf-token")
    return next((unquote(jar[name]).partition("|")[0] for name in names if name in jar), "")


def keep_cookies(jar: Jar, lines: Sequence[str]) -> None:
    """What a browser does with ``Set-Cookie``."""
    for line in lines:
        pair, _, attributes = line.partition("; ")
        name, _, value = pair.partition("=")
        if "Max-Age=0" in attributes:
            jar.pop(name, None)
        else:
            jar[name] = value


ADA = {"email": "ada@example.com", "password": "correct horse", "csrfToken": "{csrf}"}
CALLBACK = "/callback/credentials"
FIRST = Step("first visit", path="/csrf")


def sign_in(
    name: str = "sign in", *, user: str = "ada@example.com", password: str = "correct horse", **more: Any
) -> Step:
    form = {"email": user, "password": password, "csrfToken": "{csrf}"}
    options = {key: more.pop(key) for key in ("returns", "deviations", "headers", "cookies") if key in more}
    return Step(name, "POST", CALLBACK, form={**form, **more}, **{"returns": True, **options})


def without(*names: str) -> Callable[[Jar], str]:
    return lambda jar: "; ".join(f"{n}={v}" for n, v in jar.items() if n not in names)


def with_cookies(*pairs: tuple[str, str], replaced: bool = True) -> Callable[[Jar], str]:
    """The jar's cookies, then these; those of the same name left out."""

    def header(jar: Jar) -> str:
        names = {name for name, _ in pairs} if replaced else set()
        kept = [(name, value) for name, value in jar.items() if name not in names]
        return "; ".join(f"{name}={value}" for name, value in [*kept, *pairs])

    return header


def session_as(change: Callable[[str], list[tuple[str, str]]]) -> Callable[[Jar], str]:
    """The session cookie of the jar in another form."""

    def header(jar: Jar) -> str:
        kept = [(name, value) for name, value in jar.items() if name != "authjs.session-token"]
        return "; ".join(f"{name}={value}" for name, value in [*kept, *change(jar["authjs.session-token"])])

    return header


S = "authjs.session-token"


def normal_flow() -> Iterator[Flow]:
    yield Flow(
        "normal",
        (
            FIRST,
            Step("csrf again", path="/csrf"),
            Step("providers", path="/providers"),
            Step("session, signed out"),
            sign_in(callbackUrl="http://localhost:3000/dash"),
            Step("session"),
            Step("session again", headers={"Content-Type": "application/json"}),
            Step("update", "POST", "/session", json={"csrfToken": "{csrf}", "data": {"name": "Ada L. 大橋"}}),
            Step("session after update"),
            Step("update without data", "POST", "/session", json={"csrfToken": "{csrf}"}),
            Step("csrf, signed in", path="/csrf"),
            Step("providers, signed in", path="/providers"),
            sign_in("sign in while signed in", user="zoe@example.com", password="pässwörd✓"),
            Step("session of the other user"),
            Step("sign out", "POST", "/signout", form={"csrfToken": "{csrf}", "callbackUrl": "/bye"}, returns=True),
            Step("session, signed out again"),
            Step("sign out twice", "POST", "/signout", form={"csrfToken": "{csrf}"}, returns=True),
        ),
    )
    yield Flow("anonymous session", (Step("session without any cookie"),))
    yield Flow(
        "plain forms",
        (
            FIRST,
            sign_in(
                "sign in, relative callback, non-ASCII password",
                user="zoe@example.com",
                password="pässwörd✓",
                callbackUrl="/welcome?x=1#frag",
                returns=False,
            ),
            Step("session of a non-ASCII name"),
            Step("sign out, where the cookie says", "POST", "/signout", form={"csrfToken": "{csrf}"}),
            Step("sign in with JSON", "POST", CALLBACK, json=ADA, returns=True),
            Step("sign out with JSON", "POST", "/signout", json={"csrfToken": "{csrf}", "callbackUrl": "/j"}),
            sign_in("user without a name", user="nameless@example.com", returns=False),
            Step("session of a user without a name"),
        ),
    )
    yield Flow("an hour", (FIRST, sign_in(), Step("session")), config="hour")


def refusals() -> Iterator[Flow]:
    dash = "http://localhost:3000/dash"
    ada = {"email": "ada@example.com", "password": "correct horse", "callbackUrl": dash}
    zeros = "0" * 64
    yield Flow(
        "refused sign-ins",
        (
            FIRST,
            sign_in("wrong password", password="nope", callbackUrl=dash),
            sign_in("wrong password, plain form", password="nope", callbackUrl=dash, returns=False),
            sign_in("unknown user", user="nobody@example.com"),
            sign_in("field error", user="field@example.com"),
            sign_in("backend throttles", user="throttled@example.com", deviations=("retry-after",)),
            sign_in(
                "backend throttles, plain form",
                user="throttled@example.com",
                returns=False,
                deviations=("retry-after",),
            ),
            sign_in("backend breaks", user="broken@example.com", deviations=("unavailable",)),
            sign_in(
                "backend breaks, plain form", user="broken@example.com", returns=False, deviations=("unavailable",)
            ),
            sign_in("backend says HTML", user="html@example.com", deviations=("unavailable",)),
            sign_in("backend redirects", user="moved@example.com", deviations=("unavailable",)),
            sign_in("backend gives no token", user="tokenless@example.com", deviations=("unavailable",)),
            Step("no fields", "POST", CALLBACK, form={"csrfToken": "{csrf}"}, returns=True),
            Step("no csrf", "POST", CALLBACK, form=ada, returns=True),
            Step("no csrf, plain form", "POST", CALLBACK, form=ada),
            Step("wrong csrf", "POST", CALLBACK, form={**ada, "csrfToken": zeros}, returns=True),
            Step("empty csrf", "POST", CALLBACK, form={**ada, "csrfToken": ""}, returns=True),
            Step(
                "csrf without cookie",
                "POST",
                CALLBACK,
                form={**ada, "csrfToken": "{csrf}"},
                returns=True,
                cookies=lambda jar: "",
            ),
            Step(
                "csrf with a forged hash",
                "POST",
                CALLBACK,
                form={**ada, "csrfToken": "{csrf}"},
                returns=True,
                cookies=lambda jar: f"authjs.csrf-token={csrf_of(jar)}%7C{zeros}",
            ),
            Step(
                "csrf in upper case", "POST", CALLBACK, form={**ada, "csrfToken": zeros.replace("0", "A")}, returns=True
            ),
            Step("csrf in the query", "POST", CALLBACK + "?csrfToken={csrf}", form=ada, returns=True),
            Step("csrf as a number", "POST", CALLBACK, json={**ada, "csrfToken": 1}, returns=True),
            Step("csrf as a list", "POST", CALLBACK, json={**ada, "csrfToken": ["{csrf}"]}, returns=True),
            Step("session after all this"),
            Step(
                "forged csrf cookie is replaced",
                path="/csrf",
                cookies=lambda jar: f"authjs.csrf-token={csrf_of(jar)}%7C{zeros}",
            ),
        ),
    )
    yield Flow(
        "csrf cookie forms",
        (
            FIRST,
            sign_in(
                "bare bar in the cookie",
                password="x",
                cookies=lambda jar: "; ".join(f"{n}={unquote(v)}" for n, v in jar.items()),
            ),
            Step(
                "extra part in the cookie",
                path="/csrf",
                cookies=lambda jar: f"authjs.csrf-token={jar['authjs.csrf-token']}%7Cextra",
            ),
            Step("no hash in the cookie", path="/csrf", cookies=lambda jar: f"authjs.csrf-token={csrf_of(jar)}"),
            Step("empty cookie", path="/csrf", cookies=lambda jar: "authjs.csrf-token="),
            Step("quoted cookie", path="/csrf", cookies=lambda jar: f'authjs.csrf-token="{jar["authjs.csrf-token"]}"'),
            Step(
                "hash in upper case",
                path="/csrf",
                cookies=lambda jar: "authjs.csrf-token=" + jar["authjs.csrf-token"].upper(),
            ),
            Step(
                "blanks around",
                path="/csrf",
                cookies=lambda jar: f"  a=b ;  authjs.csrf-token = {jar['authjs.csrf-token']} ; c",
            ),
            Step(
                "malformed escape elsewhere",
                path="/csrf",
                cookies=with_cookies(("other", "%zz"), ("json", '{"a":"b"}')),
            ),
            Step(
                "good cookie behind a bad one",
                path="/csrf",
                cookies=lambda jar: (
                    f"authjs.csrf-token=bad; authjs.csrf-token={jar['authjs.csrf-token']}; authjs.callback-url=http%3A%2F%2Flocalhost%3A3000"
                ),
                deviations=("duplicate-csrf",),
            ),
        ),
    )
    yield Flow(
        "refused posts",
        (
            FIRST,
            sign_in(callbackUrl=dash),
            Step("sign out without csrf", "POST", "/signout", form={"callbackUrl": dash}, returns=True),
            Step("sign out without csrf, plain form", "POST", "/signout", form={"callbackUrl": dash}),
            Step("update without csrf", "POST", "/session", json={"data": {"name": "x"}}),
            Step("update with wrong csrf", "POST", "/session", json={"csrfToken": "bad", "data": {"name": "x"}}),
            Step(
                "update without session",
                "POST",
                "/session",
                json={"csrfToken": "{csrf}", "data": {}},
                cookies=without(S),
            ),
            Step("update as form", "POST", "/session", form={"csrfToken": "{csrf}", "data": "x"}),
            Step("update, wants redirect", "POST", "/session", json={"csrfToken": "{csrf}"}, returns=True),
            Step("update refused, wants redirect", "POST", "/session", json={}, returns=True),
            Step("start without csrf", "POST", "/signin/credentials", form={"callbackUrl": "/x"}, returns=True),
            Step(
                "start", "POST", "/signin/credentials", form={"csrfToken": "{csrf}", "callbackUrl": "/x"}, returns=True
            ),
            Step("start without provider", "POST", "/signin", form={"csrfToken": "{csrf}"}, returns=True),
            Step("start without provider, plain form", "POST", "/signin", form={"csrfToken": "{csrf}"}),
            Step("session is still there"),
        ),
    )
    good = {"email": "ada@example.com", "password": "correct horse", "csrfToken": "{csrf}"}
    foreign = {"Origin": "https://evil.example"}
    yield Flow(
        "posts of other sites",
        (
            FIRST,
            Step("own origin", "POST", CALLBACK, form=good, returns=True, headers={"Origin": "http://localhost:3000"}),
            Step("same-origin", "POST", CALLBACK, form=good, returns=True, headers={"Sec-Fetch-Site": "same-origin"}),
            Step(
                "other origin", "POST", CALLBACK, form=good, returns=True, headers=foreign, deviations=("foreign-post",)
            ),
            Step("no origin", "POST", "/signout", form=good, headers={"Origin": "null"}, deviations=("foreign-post",)),
            Step(
                "sibling",
                "POST",
                CALLBACK,
                form=good,
                headers={"Sec-Fetch-Site": "same-site"},
                deviations=("foreign-post",),
            ),
            Step(
                "cross-site",
                "POST",
                CALLBACK,
                form=good,
                headers={"Sec-Fetch-Site": "cross-site"},
                deviations=("foreign-post",),
            ),
            sign_in("sign in again"),
            Step("cross-site page", path="/signin", headers={"Sec-Fetch-Site": "cross-site", **foreign}),
            Step("cross-site session", headers={"Sec-Fetch-Site": "cross-site", **foreign}),
        ),
    )


def callback_urls() -> Iterator[Flow]:
    def to(name: str, url: Any, *deviations: str, **more: Any) -> Step:
        return sign_in(f"to {name}", callbackUrl=url, deviations=deviations, **more)

    def reset(number: int) -> Step:
        return Step(f"reset {number}", path="/csrf?callbackUrl=%2F")

    good = [
        to("another origin", "https://evil.example/x"),
        to("another port", "http://localhost:1/x"),
        to("another scheme", "https://localhost:3000/x"),
        to("a script", "javascript:alert(1)"),
        to("a data URL", "data:text/html,x"),
        to("nothing", ""),
        to("the root", "/"),
        to("a path", "/a/b"),
        to("a query", "/a?b=c&d=%20e#f"),
        to("an escaped path", "/%E5%A4%A7?q=%26"),
        to("the origin", "http://localhost:3000"),
        to("the origin with a slash", "http://localhost:3000/"),
        to("the origin with a query", "http://localhost:3000?x=1"),
        to("a long path", "/" + "a" * 1500),
        to("brackets", "/a?ids[]=1&b='c'(d)*!$,;:@|"),
    ]
    strict = [
        to("two slashes", "//evil.example/x", "strict-callback-url"),
        to("a backslash", "/\\evil.example", "strict-callback-url"),
        to("no URL", "not a url", "strict-callback-url"),
        to("userinfo", "HTTP://u:p@localhost:3000/x", "strict-callback-url"),
        to("upper case", "HTTP://LOCALHOST:3000/x", "strict-callback-url"),
        to("blanks around", " http://localhost:3000/sp ", "strict-callback-url"),
        to("latin-1", "/café", "encoded-callback-url"),
        to("beyond latin-1", "/大橋", "encoded-callback-url"),
        to("beyond latin-1, plain form", "/大橋", "encoded-callback-url", returns=False),
        to("a blank inside", "/a b", "encoded-callback-url"),
        to("a newline", "/a\nSet-Cookie: x=1", "strict-callback-url"),
        to("a tab", "/a\tb", "strict-callback-url"),
        to("too long", "/" + "a" * 4000, "strict-callback-url"),
        to("an escaped slash", "/%2F/evil.example", "strict-callback-url"),
    ]
    steps: list[Step] = [FIRST]
    for number, step in enumerate([*good, *strict]):
        steps += [step, reset(number)]
    yield Flow("callback URLs in the body", tuple(steps))
    yield Flow(
        "callback URLs elsewhere",
        (
            FIRST,
            Step("query, path", path="/csrf?callbackUrl=%2Fhello"),
            Step("query, another origin", path="/csrf?callbackUrl=https%3A%2F%2Fevil.example"),
            Step("query, twice", path="/csrf?callbackUrl=%2Fone&callbackUrl=%2Ftwo"),
            Step("query, empty", path="/csrf?callbackUrl="),
            Step("query, no URL", path="/session?callbackUrl=not%20a%20url", deviations=("broken-callback-url",)),
            Step(
                "query, script", path="/session?callbackUrl=javascript%3Aalert(1)", deviations=("broken-callback-url",)
            ),
            Step("query, no URL, page", path="/signin?callbackUrl=not%20a%20url", deviations=("broken-callback-url",)),
            Step("query, another origin, page", path="/signin?callbackUrl=https%3A%2F%2Fevil.example"),
            Step("cookie, another origin", cookies=with_cookies(("authjs.callback-url", "https%3A%2F%2Fevil.example"))),
            Step(
                "cookie, nonsense",
                cookies=with_cookies(("authjs.callback-url", "nonsense")),
                deviations=("broken-callback-url",),
            ),
            Step("cookie, path", cookies=with_cookies(("authjs.callback-url", "%2Frel"))),
            Step("cookie, empty", cookies=with_cookies(("authjs.callback-url", ""))),
            Step(
                "cookie decides on sign-in",
                "POST",
                CALLBACK,
                form=ADA,
                cookies=with_cookies(("authjs.callback-url", "%2Ffrom-cookie")),
            ),
            sign_in("body beats query", callbackUrl="/from-body"),
            Step("query of a post", "POST", CALLBACK + "?callbackUrl=%2Ffrom-query", form=ADA, returns=True),
            Step(
                "empty body hides the query",
                "POST",
                CALLBACK + "?callbackUrl=%2Fq",
                form={**ADA, "callbackUrl": ""},
                returns=True,
            ),
            Step(
                "null in the body",
                "POST",
                CALLBACK + "?callbackUrl=%2Fq2",
                json={**ADA, "callbackUrl": None},
                returns=True,
            ),
            Step(
                "list in the body",
                "POST",
                CALLBACK,
                json={**ADA, "callbackUrl": ["/x"]},
                returns=True,
                deviations=("strict-callback-url",),
            ),
            Step(
                "number in the body",
                "POST",
                CALLBACK,
                json={**ADA, "callbackUrl": 7},
                returns=True,
                deviations=("strict-callback-url",),
            ),
            Step(
                "sign out to another origin",
                "POST",
                "/signout",
                form={"csrfToken": "{csrf}", "callbackUrl": "https://evil.example"},
            ),
            Step("no callback URL for providers", path="/providers?callbackUrl=%2Fnope"),
        ),
    )


def routing() -> Iterator[Flow]:
    def get(path: str, **more: Any) -> Step:
        return Step(f"GET {path}", path=path, **more)

    def post(path: str, **more: Any) -> Step:
        return Step(f"POST {path}", "POST", path, form={"csrfToken": "{csrf}"}, **more)

    paths = [
        "/nope",
        "",
        "/",
        "/session/",
        "//session",
        "/session//",
        "/session/extra",
        "/callback/credentials/extra",
        "/SESSION",
    ]
    more_paths = [
        "/csrf?error=x",
        "!/other/session",
        "/signin/nope",
        "/callback/nope?code=1",
        "/signin/credentials",
        CALLBACK,
    ]
    odd = (get("/%73ession", deviations=("decoded-path",)), get("session", deviations=("whole-segment",)))
    rest = [
        "/callback",
        "/webauthn-options",
        "/webauthn-options/credentials",
        "/signout/credentials",
        "/csrf/x",
        "/.",
        "/..%2f",
    ]
    yield Flow("paths", (FIRST, *map(get, [*paths, *more_paths, *rest]), *odd))
    methods = ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]
    yield Flow("methods", (FIRST, *(Step(f"{method} session", method) for method in methods)))
    posts = [
        "/nope",
        "",
        "/signin/nope",
        "/signin/undefined",
        "/callback",
        "/csrf",
        "/providers",
        "/error",
        "/verify-request",
    ]
    yield Flow(
        "posts",
        (
            FIRST,
            *map(post, [*posts, "/webauthn-options", "/callback/undefined", "/callback/nope", "/session/x"]),
            post("/signin/nope", returns=True),
        ),
    )


def bodies() -> Iterator[Flow]:
    fields = b"email=ada%40example.com&password=correct+horse&csrfToken={csrf}"
    multipart = b'--b\r\nContent-Disposition: form-data; name="csrfToken"\r\n\r\n{csrf}\r\n--b--\r\n'
    form_type = "application/x-www-form-urlencoded"

    def post(name: str, raw: bytes, content_type: str | None, path: str = CALLBACK, **more: Any) -> Step:
        return Step(name, "POST", path, raw=raw, content_type=content_type, returns=path == CALLBACK, **more)

    yield Flow(
        "bodies",
        (
            FIRST,
            post("no type", fields, None),
            post("text/plain", fields, "text/plain"),
            post("multipart", multipart, "multipart/form-data; boundary=b"),
            Step("no body", "POST", CALLBACK, returns=True),
            post("form with charset", fields, form_type + "; charset=UTF-8"),
            post("form in upper case", fields, form_type.upper()),
            post("JSON with charset", b'{"csrfToken":"{csrf}"}', "application/json; charset=utf-8", "/session"),
            post("JSON in upper case", b'{"csrfToken":"{csrf}"}', "APPLICATION/JSON", "/session"),
            post("JSON, other type", b'{"csrfToken":"{csrf}"}', "application/vnd.api+json", "/session"),
            post("two types", b'{"csrfToken":"{csrf}"}', "text/plain, application/json", "/session"),
            post("broken JSON", b"{", "application/json", "/session"),
            post("broken JSON at sign-in", b'{"csrfToken":', "application/json"),
            post("empty JSON", b"", "application/json", "/session"),
            post("empty form", b"", form_type, "/session"),
            post("JSON null", b"null", "application/json", "/session"),
            post("JSON list", b"[1]", "application/json", "/session"),
            post("JSON text", b'"x"', "application/json", "/session"),
            post("JSON number", b"7", "application/json", "/session"),
            post("JSON NaN", b"NaN", "application/json", "/session"),
            post("JSON with a byte order mark", b'\xef\xbb\xbf{"csrfToken":"{csrf}"}', "application/json", "/session"),
            post("JSON, broken UTF-8", b'{"csrfToken":"{csrf}","data":"\xff"}', "application/json", "/session"),
            post("JSON, repeated member", b'{"csrfToken":"x","csrfToken":"{csrf}"}', "application/json", "/session"),
            post("form, repeated field", fields + b"&csrfToken=second", form_type),
            post("form, repeated field, last is right", b"csrfToken=first&" + fields, form_type),
            post("form, empty parts", b"&&" + fields + b"&=&novalue", form_type),
            post("form, broken escape", fields + b"&x=%zz&y=%ff", form_type),
            post("form, semicolons", fields.replace(b"&", b";"), form_type),
            post("two megabytes", fields + b"&pad=" + b"x" * 2_000_000, form_type, deviations=("body-limit",)),
        ),
    )


def html_pages() -> Iterator[Flow]:
    errors = [
        "Configuration",
        "AccessDenied",
        "Verification",
        "accessdenied",
        "Other",
        "%3Cscript%3E",
        "",
        "constructor",
    ]
    signs = ["CredentialsSignin&code=credentials", "whatever", "SessionRequired", "MissingCSRF", "x&error=y"]
    yield Flow(
        "built-in pages",
        (
            FIRST,
            Step("sign-in page", path="/signin"),
            *(Step(f"sign-in page, {error}", path=f"/signin?error={error}") for error in signs),
            Step(
                "sign-in page, parameters",
                path="/signin?csrfToken=x&callbackUrl=%2Fy&email=z&theme=dark",
                deviations=("page-parameters",),
            ),
            Step("sign-in page, undefined provider", path="/signin/undefined"),
            Step("sign-in page, wants redirect", path="/signin", returns=True),
            Step("sign-out page", path="/signout"),
            Step("verify-request page", path="/verify-request"),
            Step("verify-request page, query", path="/verify-request?provider=email&type=email"),
            Step("error page", path="/error"),
            *(Step(f"error page, {error}", path=f"/error?error={error}") for error in errors),
        ),
    )
    yield Flow("first page", (Step("sign-in page on a first visit", path="/signin?callbackUrl=%2Fdeep"),))
    yield Flow(
        "own pages",
        (
            FIRST,
            Step("sign in", path="/signin?callbackUrl=%2Fdeep%3Fa%3D1&error=SessionRequired"),
            Step("sign in, wants redirect", path="/signin", returns=True),
            Step("sign in, odd error", path="/signin?error=a%20b~c%26d*e"),
            Step("error", path="/error?error=AccessDenied"),
            Step("error, none", path="/error"),
            Step("error, first of two", path="/error?error=One&error=Two"),
            Step("error, callbackUrl to it", path="/error?callbackUrl=%2Fauth%2Fproblem"),
            sign_in("wrong password", password="x"),
            sign_in("wrong password, plain form", password="x", returns=False),
            Step("no csrf", "POST", CALLBACK, form={"email": "x"}, returns=True),
            sign_in("backend breaks", user="broken@example.com", deviations=("unavailable",)),
            Step("start", "POST", "/signin", form={"csrfToken": "{csrf}"}, returns=True),
            Step("unknown provider", path="/signin/nope"),
            Step(
                "broken query on a page", path="/signin?callbackUrl=not%20a%20url", deviations=("broken-callback-url",)
            ),
            Step("built-in sign-out page", path="/signout"),
        ),
        config="pages",
    )
    yield Flow(
        "all pages",
        (
            FIRST,
            Step("sign in", path="/signin?error=x"),
            Step("sign out", path="/signout"),
            Step("error", path="/error?error=Verification"),
            Step("error, blank", path="/error?error=a%20b", deviations=("encoded-error",)),
            Step("verify request", path="/verify-request?provider=email&type=email"),
            Step("verify request, no query", path="/verify-request"),
            sign_in("wrong password", password="x", deviations=("page-with-query",)),
        ),
        config="all-pages",
    )


def session_cookies() -> Iterator[Flow]:
    def halves(token: str) -> list[tuple[str, str]]:
        middle = len(token) // 2
        return [(f"{S}.0", token[:middle]), (f"{S}.1", token[middle:])]

    yield Flow(
        "session cookies",
        (
            FIRST,
            sign_in(callbackUrl="/dash"),
            Step("garbage", cookies=with_cookies((S, "garbage"))),
            Step(
                "update with garbage",
                "POST",
                "/session",
                json={"csrfToken": "{csrf}"},
                cookies=with_cookies((S, "garbage")),
            ),
            sign_in(),
            Step(
                "tampered",
                cookies=session_as(lambda token: [(S, token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:])]),
            ),
            sign_in(),
            Step("empty", cookies=with_cookies((S, ""))),
            Step("two chunks", cookies=session_as(halves)),
            sign_in(),
            Step("two chunks, turned round", cookies=session_as(lambda token: halves(token)[::-1])),
            sign_in(),
            Step(
                "whole and stale chunk",
                cookies=session_as(lambda token: [(S, token), (f"{S}.1", "stale")]),
                deviations=("stale-chunk",),
            ),
            sign_in(),
            Step(
                "another cookie with the prefix",
                cookies=with_cookies((S, ""), (f"{S}-other", "zzz")),
                deviations=("exact-names",),
            ),
            Step(
                "the secure name", cookies=with_cookies((S, ""), (f"__Secure-{S}", "zzz")), deviations=("both-names",)
            ),
            Step(
                "sign out with garbage",
                "POST",
                "/signout",
                form={"csrfToken": "{csrf}"},
                returns=True,
                cookies=with_cookies((S, "garbage")),
            ),
            sign_in(),
            Step("percent-encoded", cookies=session_as(lambda token: [(S, "%" + f"{ord(token[0]):02x}" + token[1:])])),
            Step("session twice", cookies=session_as(lambda token: [(S, token), (S, "x")])),
            Step("session behind junk", cookies=session_as(lambda token: [("a", '{"b":"c"}'), ("é", "ü"), (S, token)])),
        ),
    )
    for count, user in (("two", "two@example.com"), ("three", "three@example.com")):
        yield Flow(
            f"{count} chunks",
            (
                FIRST,
                sign_in("sign in", user=user),
                Step("session"),
                Step("stale chunk", cookies=with_cookies((f"{S}.9", "zz")), deviations=("stale-chunk",)),
                sign_in("sign in again", user=user),
                Step("missing chunk", cookies=without(f"{S}.0")),
                sign_in("shrinks to one", user="ada@example.com"),
                Step("session of one"),
                sign_in("grows again", user=user),
                Step("sign out", "POST", "/signout", form={"csrfToken": "{csrf}"}, returns=True),
                Step("session, signed out"),
            ),
        )


def configurations() -> Iterator[Flow]:
    for name in ("https", "base"):
        yield Flow(
            name,
            (
                FIRST,
                Step("providers", path="/providers"),
                sign_in(callbackUrl="https://app.example.com/dash"),
                Step("session"),
                Step(
                    "forwarded host",
                    path="/csrf",
                    headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
                ),
                Step("wrong password", "POST", CALLBACK, form={**ADA, "password": "x"}),
                Step(
                    "default port",
                    "POST",
                    CALLBACK,
                    form={**ADA, "callbackUrl": "https://app.example.com:443/x"},
                    deviations=("strict-callback-url",),
                ),
                Step(
                    "http of the same host", "POST", CALLBACK, form={**ADA, "callbackUrl": "http://app.example.com/x"}
                ),
                Step(
                    "unprefixed csrf cookie",
                    path="/csrf",
                    cookies=lambda jar: f"authjs.csrf-token={jar['__Host-authjs.csrf-token']}",
                ),
                Step("sign-in page", path="/signin"),
                Step("garbage", cookies=with_cookies((f"__Secure-{S}", "garbage"))),
                sign_in("sign in again"),
                Step("sign out", "POST", "/signout", form={"csrfToken": "{csrf}"}),
            ),
            config=name,
        )
    yield Flow(
        "sign-in hook",
        (
            FIRST,
            sign_in("denied", user="denied@example.com"),
            sign_in("denied, plain form", user="denied@example.com", returns=False),
            sign_in("diverted", user="divert@example.com", callbackUrl="/dash"),
            sign_in("diverted, plain form", user="divert@example.com", returns=False),
            sign_in("let in"),
        ),
        config="hooks",
    )
    yield Flow(
        "update hook",
        (
            FIRST,
            sign_in(),
            Step(
                "rename", "POST", "/session", json={"csrfToken": "{csrf}", "data": {"name": "Ada L. 大橋 \ud83e\udd8a"}}
            ),
            Step("session"),
            Step("rename by form", "POST", "/session", form={"csrfToken": "{csrf}", "data": "x"}),
            Step("end", "POST", "/session", json={"csrfToken": "{csrf}", "data": {"signOut": True}}),
            Step("session, ended"),
        ),
        config="update",
    )
    yield Flow(
        "rotation",
        (
            Switch("old"),
            FIRST,
            sign_in(),
            Switch("rotated"),
            Step("csrf of the old secret", path="/csrf", deviations=("single-secret-csrf",)),
            Step("session of the old secret", cookies=without("authjs.csrf-token")),
            Step("csrf of the list", path="/csrf"),
            Step("session of the new secret"),
            Switch("new"),
            Step("session after the old secret is gone", cookies=without("authjs.csrf-token")),
            Switch("old"),
            Step("session of a secret that is unknown", cookies=without("authjs.csrf-token")),
        ),
    )


def flows() -> list[Flow]:
    groups = (normal_flow, refusals, callback_urls, routing, bodies, html_pages, session_cookies, configurations)
    return [flow for group in groups for flow in group()]


Send = Callable[[str, str, str, Mapping[str, str], bytes | None], Answer]
"""``(config name, method, path, headers, body) -> answer``."""


class Exchange(NamedTuple):
    """A step, the configuration it was sent to, and its answer. ``jar`` is the browser's, for whoever must change it."""

    key: str
    step: Step
    config: str
    answer: Answer
    jar: Jar


def run(flow: Flow, send: Send) -> Iterator[Exchange]:
    """Go through a flow as one browser."""
    jar: Jar = {}
    config = flow.config
    for number, step in enumerate(flow.steps):
        if isinstance(step, Switch):
            config = step.name
            continue
        path, headers, body = step.request(jar, config_of(config)["basePath"])
        answer = send(config, step.method, path, headers, body)
        keep_cookies(jar, answer.cookies)
        yield Exchange(f"{flow.name} / {number:02d} {step.name}", step, config, answer, jar)
