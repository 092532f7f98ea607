"""Path templates: ``workspaces/{workspace_id}/chats``, and ``auth/{action...}`` for all that follows.

A path parameter is one non-empty segment. What was checked is what is sent: the upstream path is always rebuilt from
the template and the checked parameters, never copied from the request (F041, F042).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_STATIC: Final = re.compile(r"[A-Za-z0-9._~-]*")
_PARAMETER: Final = re.compile(r"\{([^{}]*?)(\.\.\.)?\}")

CONTROLS: Final = r"\x00-\x1f\x7f"
CROOKED_CHARACTER: Final = re.compile(rf"[{CONTROLS}\\;#]")
"""Characters that servers and applications read in different ways (F044 to F049)."""

_PATH_SAFE: Final = "!$&'()*+,=:@"
"""``pchar`` of RFC 3986, section 3.3, without ``;``: these stay as they are on the way out."""

_MAX_DECODINGS: Final = 4
"""Text that is percent-encoded more often than this wants to be misread."""


class Segment(NamedTuple):
    """A part of a template between slashes: ``text`` is the static text, or the parameter's name."""

    kind: str  # "static", "parameter" or "rest"
    text: str


class PathTemplate:
    """A template, read once.

    :param text: segments joined by slashes; ``{name}`` stands for one segment, ``{name...}`` at the end for the rest.
    """

    __slots__ = ("_pieces", "names", "segments", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.segments = tuple(_segment(part) for part in text.strip("/").split("/")) if text.strip("/") else ()
        self.names = tuple(segment.text for segment in self.segments if segment.kind != "static")
        self._pieces = _pieces(text)

    @staticmethod
    def faults(text: str) -> list[str]:
        """What is wrong with a template, one sentence a fault."""
        faults: list[str] = []
        seen: set[str] = set()
        parts = text.strip("/").split("/") if text.strip("/") else []
        for index, part in enumerate(parts):
            name = _PARAMETER.fullmatch(part)
            if name is None:
                if not part or part in (".", "..") or not _STATIC.fullmatch(part):
                    faults.append(f"{part!r} in {text!r} is neither a plain segment nor a {{parameter}}")
            elif not _NAME.fullmatch(name[1]):
                faults.append(f"the parameter {part!r} in {text!r} needs a name like {{workspace_id}}")
            elif name[1] in seen:
                faults.append(f"the parameter {part!r} stands twice in {text!r}")
            elif name[2] and index != len(parts) - 1:
                faults.append(f"the rest parameter {part!r} must be the last segment of {text!r}")
            else:
                seen.add(name[1])
        return faults

    def expand(self, params: Mapping[str, str]) -> str:
        """The path with its parameters put in, canonically percent-encoded."""
        pieces = self._pieces
        if len(pieces) == 1:
            return pieces[0]
        return "".join([encode(params[piece]) if index % 2 else piece for index, piece in enumerate(pieces)])

    def __repr__(self) -> str:
        return f"PathTemplate({self.text!r})"


def _segment(part: str) -> Segment:
    match = _PARAMETER.fullmatch(part)
    if match is None:
        return Segment("static", part)
    return Segment("rest" if match[2] else "parameter", match[1])


def _pieces(text: str) -> list[str]:
    """Static text and parameter names in turn: even places are text, odd ones names."""
    pieces = _PARAMETER.split(text)
    del pieces[2::3]
    return pieces


def encode(value: str) -> str:
    """A checked parameter as it goes out: UTF-8, ``pchar`` kept, everything else percent-encoded."""
    if value.isascii() and value.replace("-", "").isalnum():
        return value  # ids and slugs, which is nearly all of them
    return quote(value, safe=_PATH_SAFE + "/")


def is_crooked(segment: str) -> bool:
    """Whether a decoded segment can be read in two ways, decoded further included (F041, F043)."""
    for _ in range(_MAX_DECODINGS):
        if segment in (".", "..") or CROOKED_CHARACTER.search(segment) or "/" in segment:
            return True
        if "%" not in segment or (once_more := unquote(segment, errors="replace")) == segment:
            return False
        segment = once_more
    return True
