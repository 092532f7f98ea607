"""Where the browser goes after signing in or out: a page of this site, written so that no parser can see another.

Auth.js lets a same-origin URL pass as it was given and fails on what it cannot parse. Here what passes is rebuilt: the
site's origin, then a path, query and fragment in which everything that a parser might treat in its own way is
percent-encoded or refused. What does not pass is the origin itself, never an error (F149).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

MAX_CHARACTERS: Final = 2048
"""Longer ones are not followed: they would have to fit into a cookie and a header."""

_URL: Final = re.compile(r"(?i:(https?)://([^/?#\\@]*))((?:[/?#].*)?)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_BARE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DECODINGS: Final = 3
_KEPT: Final = "%!#$&'()*+,/:;=?@[]|"
"""Printable ASCII that stays as it is, beside letters, digits and ``-._~``."""


def callback_url(candidate: object, origin: str) -> str:
    """The absolute URL on ``origin`` that ``candidate`` means, or ``origin``. Total: never raises.

    The result is ASCII without blanks or control characters, and giving it in again gives the same.

    :param candidate: a path that begins with one slash, or a URL of the same origin; of any type.
    :param origin: ``https://app.example.com``, without a slash at its end.
    """
    if not isinstance(candidate, str) or len(candidate) > MAX_CHARACTERS:
        return origin
    text = candidate.strip(" ")
    if "\\" in text or _CONTROL.search(text):
        return origin
    rest = text if text.startswith("/") else _behind_origin(text, origin)
    if rest is None or not _is_plain_path(re.split("[?#]", rest, maxsplit=1)[0]):
        return origin
    url = origin + quote(_BARE_PERCENT.sub("%25", rest), safe=_KEPT)
    return url if len(url) <= MAX_CHARACTERS else origin


def _behind_origin(text: str, origin: str) -> str | None:
    """What follows the origin in a URL that begins with it; ``None`` for every other."""
    match = _URL.fullmatch(text)
    if match is None:
        return None
    scheme, host, rest = match[1].lower(), match[2].lower(), match[3]
    default_port = {"http": ":80", "https": ":443"}[scheme]
    return rest if f"{scheme}://{host.removesuffix(default_port)}" == origin.lower() else None


def _is_plain_path(path: str) -> bool:
    """Whether no reading of the path, decoded however often, is the beginning of another host or holds a control.

    Dot segments are refused where they would uncover a second slash: browsers take ``/x/..//evil.example`` for
    ``//evil.example``, and scripts read ``location.pathname`` as if it were a URL.
    """
    for _ in range(_DECODINGS):
        if _CONTROL.search(path) or "\\" in path or path.startswith("//") or _has_dots_and_empty_segments(path):
            return False
        path = unquote(path)
    return True


def _has_dots_and_empty_segments(path: str) -> bool:
    return "//" in path and any(segment in (".", "..") for segment in path.split("/"))
