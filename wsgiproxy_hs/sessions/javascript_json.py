"""JSON exactly as JavaScript's ``JSON.stringify`` writes it (ECMA-262, sections 25.5.2 and 6.1.6.1.20).

A session that this package writes and one that Auth.js writes hold the same bytes. What differs from
``json.dumps``: numbers (``1e-7``, ``1`` for ``1.0``), lone surrogates (``\\ud83d``, never broken UTF-8),
members whose name is an array index (they come first), no ``NaN``. Integers above 2**53 keep all their
digits, where JavaScript would lose some.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

_SURROGATE = re.compile("[\ud800-\udfff]")
_encode_text = json.JSONEncoder(ensure_ascii=False).encode


def dumps(value: object) -> str:
    """``value`` as compact JSON text that can be encoded as UTF-8.

    :raises ValueError: for NaN, the infinities and whatever JSON has no form for; the message holds no
        content.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_name(name)}:{dumps(member)}" for name, member in _in_order(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    raise ValueError(f"JSON has no form for {type(value).__name__}")


def _text(value: str) -> str:
    text = _encode_text(value)
    if text.isascii() or not _SURROGATE.search(text):
        return text
    # Two halves that stand side by side are one character to JavaScript.
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", joined)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("JSON member names are text")
    return _text(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("JSON has no form for NaN and Infinity")
    if value == 0:
        return "0"
    text = float.__repr__(value)
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(text), "f").removesuffix(".0")
    digits, _, exponent = text.partition("e")
    return f"{digits}e{int(exponent):+d}"


def _in_order(members: Mapping[object, object]) -> Iterable[tuple[object, object]]:
    indexes = [name for name in members if isinstance(name, str) and _is_array_index(name)]
    if not indexes:
        return members.items()
    first = {name: members[name] for name in sorted(indexes, key=int)}
    return (first | dict(members)).items()


def _is_array_index(name: str) -> bool:
    is_number = name.isascii() and name.isdigit() and len(name) <= 10
    return is_number and (name == "0" or name[0] != "0") and int(name) < 2**32 - 1
