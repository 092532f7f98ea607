"""Where a browser goes: as much of the URL standard's basic parser (https://url.spec.whatwg.org/) as origins need.

Written from the standard and independent of the package: it decides nothing, it only says what a browser would do.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_SPECIAL = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "file": None}
_EDGES = "".join(map(chr, range(0x21)))  # C0 controls and the space
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class Url(NamedTuple):
    """``host`` is ``None`` for URLs without one, ``credentials`` whether there is an ``@`` in the authority."""

    scheme: str
    host: str | None
    port: int | None
    path: str
    credentials: bool

    @property
    def origin(self) -> tuple[str, str | None, int | None]:
        return self.scheme, self.host, self.port


def parse(text: str, base: Url | None = None) -> Url | None:
    """The URL that a browser reads from a text; ``None`` when it is an error."""
    text = re.sub("[\t\n\r]", "", text.strip(_EDGES))
    match = _SCHEME.match(text)
    if match is None:
        return None if base is None else _relative(text, base)
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme not in _SPECIAL:
        return Url(scheme, None, None, rest, False)
    slashes = len(rest) - len(rest.lstrip("/\\"))
    if base is not None and base.scheme == scheme and scheme != "file" and slashes < 2:
        return _relative(rest, base)
    return _authority(scheme, rest.lstrip("/\\"))


def _relative(text: str, base: Url) -> Url | None:
    """A reference without a scheme; in special URLs a backslash is a slash."""
    if text[:1] and text[0] in "/\\":
        if text[1:2] and text[1] in "/\\":
            return _authority(base.scheme, text.lstrip("/\\"))
        return base._replace(path=_path(text))
    if text.startswith(("?", "#")) or not text:
        return base
    return base._replace(path=_path(base.path.rpartition("/")[0] + "/" + text))


def _authority(scheme: str, rest: str) -> Url | None:
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    path = rest[len(authority) :]
    userinfo, at, hostport = authority.rpartition("@")
    host, colon, port_text = hostport.partition(":") if not hostport.startswith("[") else _bracketed(hostport)
    host = unquote_to_bytes(host).decode("utf-8", "replace").lower()
    if not host or re.search(r"[\x00-\x20#/<>?@\\^|%\x7f]", host):
        return None
    if colon and port_text and not (port_text.isascii() and port_text.isdecimal() and int(port_text) < 65_536):
        return None
    port = int(port_text) if colon and port_text else _SPECIAL[scheme]
    return Url(scheme, host, port, _path(path), bool(at and userinfo) or bool(at))


def _bracketed(hostport: str) -> tuple[str, str, str]:
    host, _, rest = hostport.partition("]")
    return host + "]", rest[:1], rest[1:]


def _path(text: str) -> str:
    """The path with its dot segments taken out, plain and encoded ones alike."""
    segments: list[str] = []
    parts = re.split(r"[/\\]", re.split("[?#]", text, maxsplit=1)[0])[1:]
    for index, part in enumerate(parts):
        plain = re.sub("%2e", ".", part, flags=re.IGNORECASE)
        is_last = index == len(parts) - 1
        if plain == "..":
            del segments[-1:]
        elif plain != ".":
            segments.append(part)
        if plain in (".", "..") and is_last:
            segments.append("")
    return "/" + "/".join(segments)
