"""JSON that every parser reads alike.

Parsers differ on duplicate keys, NaN, huge numbers, lone surrogates, byte order marks and depth (F060 to F066); a
body on which our check and the upstream's parser disagree is a hole in the check. So what two parsers could read in
two ways is refused here, before anybody judges its contents (RFC 8259, sections 4, 6, 8.1; RFC 7493).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from wsgiproxy_hs.exceptions import BodyInvalid, BodyTooComplex

_STRING_OR_BRACKET: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?+|[\[{\]}]', re.DOTALL)
"""A string without an end swallows the rest, so that no byte is looked at twice; the parser refuses it."""
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_NUL_ESCAPE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class JsonLimits(NamedTuple):
    """How much there may be of what costs a parser more than its bytes.

    :param max_depth: deepest nesting of arrays and objects (F063).
    :param max_keys: most keys of all objects together.
    :param max_digits: longest number, in characters (F062).
    """

    max_depth: int = 64
    max_keys: int = 10_000
    max_digits: int = 1_000


USUAL_LIMITS: Final = JsonLimits()


def parse_json(body: bytes, limits: JsonLimits = USUAL_LIMITS) -> Any:
    """The document of a body.

    :param body: the bytes as received.
    :raises BodyInvalid: with a sentence that says what is wrong, and where when the parser knows.
    :raises BodyTooComplex: when a limit is passed.
    """
    if body.startswith(b"\xef\xbb\xbf"):
        raise BodyInvalid("The request body begins with a byte order mark; JSON is sent without one")
    _check_depth(body, limits.max_depth)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyInvalid(f"The request body is not UTF-8 at byte {error.start}") from error
    try:
        document = _decoder(limits, text.count(":")).decode(text)
    except json.JSONDecodeError as error:
        raise BodyInvalid(f"The request body is not JSON: line {error.lineno} column {error.colno}") from error
    _check_strings(text, document)
    return document


def _check_depth(body: bytes, max_depth: int) -> None:
    """Refuse deep nesting before a recursive parser sees it (F063)."""
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(body):
        mark = match[0]
        if mark in b"[{":
            depth += 1
            if depth > max_depth:
                raise BodyTooComplex(f"The request body is nested deeper than {max_depth} levels")
        elif mark in b"]}":
            depth -= 1


def _check_strings(text: str, document: Any) -> None:
    """Refuse what cannot be stored as text: lone surrogates and NUL (F064, F066)."""
    if "\\u" not in text:
        return
    if _NUL_ESCAPE.search(text):
        raise BodyInvalid("The request body has the character \\u0000 in a string")
    if not _SURROGATE_ESCAPE.search(text):
        return
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise BodyInvalid("The request body has half a surrogate pair in a string") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without duplicate names (F060)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name in counts if counts[name] > 1)
        raise BodyInvalid(f"The request body has the key {twice[:100]!r} twice in one object")
    return members


class _Keys:
    """Counts the keys of a document while it is read."""

    def __init__(self, most: int) -> None:
        self._left = self._most = most

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._left -= len(pairs)
        if self._left < 0:
            raise BodyTooComplex(f"The request body has more than {self._most} keys")
        return _object(pairs)


def _integer(max_digits: int, digits: str) -> int:
    """An integer of a sane length (F062); the bytes travel as they are, so its size is the upstream's affair."""
    if len(digits) > max_digits:
        raise BodyTooComplex(f"The request body has a number of more than {max_digits} digits")
    return int(digits)


def _number(max_digits: int, text: str) -> float:
    """A number that a double can hold (F061)."""
    if len(text) > max_digits:
        raise BodyTooComplex(f"The request body has a number of more than {max_digits} digits")
    number = float(text)
    if math.isinf(number):
        raise BodyInvalid("The request body has a number that is too large")
    return number


def _constant(name: str) -> None:
    raise BodyInvalid(f"The request body has {name}, which is not JSON")


def _decoder(limits: JsonLimits, colons: int) -> json.JSONDecoder:
    """A decoder; one that counts keys only where there are colons enough for so many."""
    return _usual_decoder(limits) if colons <= limits.max_keys else _make_decoder(limits, _Keys(limits.max_keys))


def _make_decoder(limits: JsonLimits, read_object: Any) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=read_object,
        parse_int=partial(_integer, limits.max_digits),
        parse_float=partial(_number, limits.max_digits),
        parse_constant=_constant,
    )


@lru_cache(maxsize=64)
def _usual_decoder(limits: JsonLimits) -> json.JSONDecoder:
    return _make_decoder(limits, _object)
