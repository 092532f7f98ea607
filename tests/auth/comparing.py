"""Two answers to the same request, side by side: random values and dates are masked, all else must be the same.

A masked value is not ignored: a CSRF cookie must carry the hash that its secret demands, a session token must unseal,
and its claims are compared; a date must be the one that the clock and the session's length give.
"""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.auth.exchanges import Answer, config_of
from wsgiproxy_hs.auth.csrf import csrf_hash
from wsgiproxy_hs.sessions import unseal

TRANSPORT_HEADERS = frozenset(
    {"date", "connection", "keep-alive", "transfer-encoding", "content-length", "server", "proxy-connection"}
)
_HEX = re.compile(r"\b[0-9a-f]{64}\b")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_VOLATILE = ("iat", "exp", "jti")


class Comparable(NamedTuple):
    """An answer with what is random masked. ``claims`` are those of the session token that it sets, if any."""

    status: int
    headers: list[list[str]]
    cookies: list[str]
    claims: dict[str, Any] | None
    body: Any


def comparable(answer: Answer, config_name: str) -> Comparable:
    config = config_of(config_name)
    headers = sorted([name, value] for name, value in answer.headers if name not in TRANSPORT_HEADERS)
    return Comparable(
        answer.status,
        headers,
        [_masked_cookie(line, config) for line in answer.cookies],
        _claims(answer.cookies, config),
        _masked_body(answer, config),
    )


def _masked_cookie(line: str, config: dict[str, Any]) -> str:
    pair, _, attributes = line.partition("; ")
    name, _, value = pair.partition("=")
    if name.endswith("csrf-token") and value:
        token, _, given = unquote(value).partition("|")
        is_good = re.fullmatch("[0-9a-f]{64}", token) and given == csrf_hash(token, ",".join(config["secret"]))
        value = "<token and its hash>" if is_good else f"<a bad hash: {value}>"
    elif "session-token" in name and value:
        value = f"<{len(value)} characters>"
    return f"{name}={value}; {re.sub('Expires=[^;]+', lambda match: _date(match[0][8:], config), attributes)}"


def _date(text: str, config: dict[str, Any]) -> str:
    """``Expires=<in 2592000 seconds>`` when it is that."""
    is_near = _is_near(parsedate_to_datetime(text).timestamp(), config)
    return f"Expires=<in {config['maxAge']} seconds>" if is_near else f"Expires={text}"


def _is_near(seconds: float, config: dict[str, Any]) -> bool:
    return bool(abs(seconds - time.time() - config["maxAge"]) < 15)


def _claims(lines: list[str], config: dict[str, Any]) -> dict[str, Any] | None:
    """The claims of the token that the lines set, in order, the volatile ones named only."""
    parts = [line.partition("; ")[0].partition("=") for line in lines]
    new = {name: value for name, _, value in parts if "session-token" in name and value}
    if not new:
        return None
    base = re.sub(r"\.\d+$", "", next(iter(new)))
    token = "".join(
        value
        for _, value in sorted(new.items(), key=lambda item: int(item[0].rpartition(".")[2]) if item[0] != base else 0)
    )
    secrets = [config["secret"][0]]
    claims = unseal(token, secrets=secrets, cookie_name=base, now=time.time())
    # Ours fixes the end first, so that cookie, token and body name the same; a second may pass before the token is made.
    assert claims["exp"] - claims["iat"] in (config["maxAge"], config["maxAge"] - 1)  # type: ignore[operator]
    return {name: "<set>" if name in _VOLATILE else value for name, value in claims.items()}


def _masked_body(answer: Answer, config: dict[str, Any]) -> Any:
    content_type = dict(answer.headers).get("content-type", "")
    text = answer.body.decode("utf-8")
    if content_type.startswith("text/html"):
        return forms_of(text)
    text = _HEX.sub("<64 hex>", text)
    dates = _ISO.findall(text)
    for date in dates:
        seconds = time.mktime(time.strptime(date, "%Y-%m-%dT%H:%M:%S.%fZ")) - time.timezone
        text = text.replace(date, f"<in {config['maxAge']} seconds>" if _is_near(seconds, config) else date)
    return text


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append({"action": given["action"], "method": given["method"].upper(), "inputs": []})
        elif tag == "input" and self.forms:
            value = _HEX.sub("<64 hex>", given.get("value", ""))
            self.forms[-1]["inputs"].append([given["name"], given.get("type", "text"), value])


def forms_of(html: str) -> list[dict[str, Any]]:
    """What a page can do: its forms, where they go and what they send."""
    parser = _Forms()
    parser.feed(html)
    return parser.forms


def differences(theirs: Comparable, ours: Comparable) -> dict[str, tuple[Any, Any]]:
    """By member, theirs and ours."""
    mine, others = ours._asdict(), theirs._asdict()
    return {name: (others[name], mine[name]) for name in others if others[name] != mine[name]}


def from_json(document: dict[str, Any]) -> Comparable:
    return Comparable(**document)


def to_json(answer: Comparable) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(answer._asdict()))
    return document
