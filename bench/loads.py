"""The requests that are measured, and what their answers must be."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import jwt

from bench.apps.payload import BODY, POST_BODY
from wsgiproxy_hs.sessions import Sessions

SECRET = "benchmarks-own-sealing-key-0123456789abcdef"
WORKSPACE, CHAT = "7a9c1c1e-3b0a-4a8e-9d3f-6f8f6c5a0d11", "51f0b2b6-6d4c-4c6e-9a53-0a4f3f2b7f11"
GET_PATH = f"/api/workspaces/{WORKSPACE}/chats/{CHAT}"
POST_PATH = f"{GET_PATH}/messages"


@dataclass(frozen=True)
class Load:
    """A kind of request. ``status`` and, where it is known, ``length`` of the body: what every answer must have."""

    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    status: int = 200
    length: int | None = None


def session_cookie(claims: dict[str, object] | None = None) -> str:
    """A sealed session as a browser holds it: user, access and refresh token."""
    now = int(time.time())
    access = jwt.encode(
        {"token_type": "access", "exp": now + 360_000, "iat": now, "jti": "a" * 32, "user_id": "1"}, "k" * 32
    )
    refresh = jwt.encode({"token_type": "refresh", "exp": now + 1_209_600, "jti": "b" * 32, "user_id": "1"}, "k" * 32)
    user = {"name": "Ada Lovelace", "email": "ada@example.com", "picture": None, "sub": "1"}
    sessions = Sessions(secrets=[SECRET], secure=False)
    lines = sessions.write({**user, "accessToken": access, "refreshToken": refresh, **(claims or {})}, "")
    return "; ".join(line.partition(";")[0] for line in lines)


def forged(cookie: str) -> str:
    """The same cookie with another tag: right name, right header, right ``kid``."""
    name, _, token = cookie.partition("=")
    head, tag = token.rsplit(".", 1)
    return f"{name}={head}.{'A' * len(tag)}"


BROWSER = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
}
COOKIE = session_cookie()
SIGNED_IN = {**BROWSER, "Cookie": COOKIE}
TEXT = {**SIGNED_IN, "Content-Type": "text/plain;charset=UTF-8"}
GET = Load("GET 1.3 KB", "GET", GET_PATH, SIGNED_IN, length=len(BODY))
POST = Load("POST 1 KB", "POST", POST_PATH, TEXT, POST_BODY, length=len(BODY))
NO_SESSION = Load("401 no session", "GET", GET_PATH, BROWSER, status=401)
FORGED = Load("401 forged cookie", "GET", GET_PATH, {**BROWSER, "Cookie": forged(COOKIE)}, status=401)
UNKNOWN = Load("404 unknown path", "GET", "/api/nothing/here", SIGNED_IN, status=404)
REFUSED = (NO_SESSION, FORGED, UNKNOWN)
DIRECT = Load("GET 1.3 KB", "GET", f"{GET_PATH}/", SIGNED_IN, length=len(BODY))


def request_bytes(load: Load) -> bytes:
    """The load as it stands on the wire."""
    lines = [f"{load.method} {load.path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in load.headers.items()]
    if load.body:
        lines.append(f"Content-Length: {len(load.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + load.body


def wrk_script(load: Load) -> str:
    """The load in wrk's language; answers of another status or length are counted as wrong."""
    lines = [f"wrk.method = {json.dumps(load.method)}", f"wrk.path = {json.dumps(load.path)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in load.headers.items()]
    if load.body:
        lines.append(f"wrk.body = {json.dumps(load.body.decode())}")
    is_wrong = f"status ~= {load.status}" + (f" or #body ~= {load.length}" if load.length is not None else "")
    lines.append(
        "local threads = {}\n"
        "function setup(thread) table.insert(threads, thread) end\n"
        "function init(args) wrong = 0 end\n"
        f"function response(status, headers, body) if {is_wrong} then wrong = wrong + 1 end end\n"
        "function done(summary, latency, requests)\n"
        "  local bad = 0\n"
        "  for _, thread in ipairs(threads) do bad = bad + thread:get('wrong') end\n"
        "  io.write(string.format('RESULT %d %d %d %.1f %.1f %.0f\\n', summary.requests, bad,\n"
        "    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,\n"
        "    latency:percentile(50), latency:percentile(99), summary.duration))\n"
        "end"
    )
    return "\n".join(lines)
