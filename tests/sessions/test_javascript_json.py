from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.sessions.javascript_json import dumps

# Written by JSON.stringify of Node 20.
WRITTEN_BY_NODE = [
    (1.0, "1"),
    (-0.0, "0"),
    (0.1, "0.1"),
    (1e21, "1e+21"),
    (1.5e300, "1.5e+300"),
    (123456789012345680000.0, "123456789012345680000"),
    (1e16, "10000000000000000"),
    (0.000001, "0.000001"),
    (0.00001234, "0.00001234"),
    (1e-7, "1e-7"),
    (-2.5e-10, "-2.5e-10"),
    (5e-324, "5e-324"),
    (True, "true"),
    (None, "null"),
    ("a\ud83dz", '"a\\ud83dz"'),
    ("\ud83e\udd8a", '"🦊"'),
    ("\x7f\u2028\x00\b\t/", '"\x7f\u2028\\u0000\\b\\t/"'),
    ({"b": 1, "10": 2, "9": 3, "01": 4}, '{"9":3,"10":2,"b":1,"01":4}'),
    ({"4294967295": 1, "4294967294": 2}, '{"4294967294":2,"4294967295":1}'),
    ((1, [2, {}]), "[1,[2,{}]]"),
]


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), b"x", {1: 2}, object(), {"a": [{2}]}])
def test_refuses_what_json_cannot_say(value: object) -> None:
    """Nothing is written that a strict reader would refuse, and the message shows no content."""
    with pytest.raises(ValueError, match="JSON"):
        dumps(value)


@pytest.mark.parametrize(("value", "text"), WRITTEN_BY_NODE)
def test_writes_what_javascript_writes(value: object, text: str) -> None:
    """Numbers, surrogates, escapes and the order of members are JavaScript's."""
    assert dumps(value) == text


@given(st.text() | st.integers() | st.dictionaries(st.text(), st.lists(st.text() | st.integers())))
def test_comes_back_as_it_was(value: Any) -> None:
    """What is written reads back equal, and can always be encoded."""
    assert json.loads(dumps(value).encode("utf-8")) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_to_the_last_bit(value: float) -> None:
    """A number that is read as the one kind that JavaScript has is the same number."""
    assert float(dumps(value)) == value
