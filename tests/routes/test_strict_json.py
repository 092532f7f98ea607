"""JSON that every parser reads alike."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.exceptions import BodyInvalid, BodyTooComplex
from wsgiproxy_hs.routes.strict_json import JsonLimits, parse_json

REFUSED = {
    "nothing": (b"", "not JSON"),
    "blanks": (b" \n", "not JSON"),
    "text behind it": (b"{} x", "not JSON"),
    "single quotes": (b"{'a':1}", "line 1 column 2"),
    "a comment": (b"{} // x", "not JSON"),
    "a comma at the end": (b"[1,]", "not JSON"),
    "a leading zero": (b"[01]", "not JSON"),
    "a plus": (b"[+1]", "not JSON"),
    "a raw line end in a string": (b'["a\nb"]', "not JSON"),
    "an unknown escape": (b'["\\x41"]', "not JSON"),
    "a place on a later line": (b'{"a": 1,\n  b: 2}', "line 2 column 3"),
    "NaN": (b"[NaN]", "NaN, which is not JSON"),
    "Infinity": (b"[Infinity]", "not JSON"),
    "minus Infinity": (b"[-Infinity]", "not JSON"),
    "1e400": (b"[1e400]", "too large"),
    "-1e400": (b"[-1e400]", "too large"),
    "a float of many digits": (b"[1." + b"0" * 1001 + b"]", "1000 digits"),
    "an integer of many digits": (b"[1" + b"0" * 1000 + b"]", "1000 digits"),
    "a negative integer of many digits": (b"[-" + b"9" * 5000 + b"]", "1000 digits"),
    "a duplicate key": (b'{"a":1,"b":2,"a":3}', "'a' twice"),
    "a duplicate key within": (b'{"x":[{"k":1,"k":1}]}', "'k' twice"),
    "a duplicate key in another spelling": (b'{"a":1,"\\u0061":2}', "'a' twice"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "not UTF-8"),
    "UTF-16 without a mark": ('{"a":1}'.encode("utf-16-le"), "not JSON"),
    "UTF-32": ('{"a":1}'.encode("utf-32-le"), "not JSON"),
    "latin-1": ('{"a":"é"}'.encode("latin-1"), "not UTF-8 at byte 6"),
    "an overlong form": (b'{"a":"\xc0\xaf"}', "not UTF-8"),
    "a surrogate in UTF-8": (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
    "half a pair": (b'["\\ud800"]', "surrogate"),
    "the other half": (b'["\\uDC00"]', "surrogate"),
    "halves in the wrong order": (b'["\\udc00\\ud800"]', "surrogate"),
    "half a pair in a key": (b'{"\\ud800":1}', "surrogate"),
    "NUL": (b'["\\u0000"]', "\\u0000"),
    "NUL in a key": (b'{"a\\u0000":1}', "\\u0000"),
    "NUL behind an escaped backslash": (b'["\\\\\\u0000"]', "\\u0000"),
    "arrays too deep": (b"[" * 65 + b"]" * 65, "64 levels"),
    "objects too deep": (b'{"a":' * 65 + b"1" + b"}" * 65, "64 levels"),
    "far too deep": (b"[" * 100_000, "64 levels"),
    "both too deep": (b'[{"a":' * 33 + b"1" + b"}]" * 33, "64 levels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_two_parsers_could_read_in_two_ways_is_refused(case):
    """Each is refused with a sentence that says what is wrong (F059 to F066)."""
    body, words = REFUSED[case]
    with pytest.raises((BodyInvalid, BodyTooComplex)) as caught:
        parse_json(body)
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("limits", "within", "beyond"),
    [
        (JsonLimits(max_depth=3), b"[[[]]]", b"[[[[]]]]"),
        (JsonLimits(max_keys=3), b'{"a":1,"b":{"c":":::::"}}', b'[{"a":1,"b":2},{"a":3,"b":4}]'),
        (JsonLimits(max_digits=3), b"[123, -12, 1.2]", b"[1234]"),
        (JsonLimits(max_digits=3), b"[1e2]", b"[1e-2]"),
    ],
)
def test_what_is_too_much_is_refused_by_its_own_name(limits, within, beyond):
    """Depth, keys and digits have limits, and what passes one is ``body-too-complex`` (F062, F063)."""
    parse_json(within, limits)
    with pytest.raises(BodyTooComplex):
        parse_json(beyond, limits)


def test_keys_are_counted_anew_for_every_document():
    """What one document had does not count for the next."""
    for _ in range(3):
        parse_json(b'{"a":":::::","b":2}', JsonLimits(max_keys=2))


ACCEPTED = [
    (b"{}", {}),
    (b" \t\r\n{}\n", {}),
    (b"[" * 64 + b"]" * 64, None),
    (b'["' + b"[" * 1000 + b'"]', None),
    (b'["\\"' + b"[{" * 1000 + b'"]', None),
    (b"[" + b"[]," * 1000 + b"[]]", None),
    (b'["\\ud83d\\ude00"]', ["😀"]),
    ('["😀"]'.encode(), ["😀"]),
    (b'["\\\\u0000"]', ["\\u0000"]),
    (b'["\\\\ud800"]', ["\\ud800"]),
    (b'["\\u0001"]', ["\x01"]),
    (b"[18446744073709551617]", [2**64 + 1]),
    (b"[1e300, -1.5E-3, 1e-400]", [1e300, -1.5e-3, 0.0]),
    (b"[" + b"9" * 1000 + b"]", None),
    (b'{"a":{"a":1},"b":{"a":1}}', {"a": {"a": 1}, "b": {"a": 1}}),
]


@pytest.mark.parametrize(("body", "document"), ACCEPTED, ids=range(len(ACCEPTED)))
def test_what_every_parser_reads_alike_passes(body, document):
    """The checks refuse nothing that is plain JSON: brackets in strings are no depth, pairs are no halves."""
    parsed = parse_json(body)
    assert document is None or parsed == document


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner)
        ),
        max_leaves=10,
    )
)
def test_every_document_that_json_writes_is_read_as_it_was(document):
    """For any document the parser returns what the standard library's would."""
    assert parse_json(json.dumps(document).encode()) == document
    assert parse_json(json.dumps(document, ensure_ascii=False).encode()) == document


HOSTILE = {
    "escaped quotes without an end": b'"' + b'\\"' * 40_000 + b"[" * 65,
    "a duplicate key behind many keys": b"{" + b",".join(b'"%d":1' % i for i in range(60_000)) + b',"59999":2}',
    "backslashes": b'["' + b"\\\\" * 250_000 + b'\\u0000"]',
    "quotes": b'"' * 500_000 + b"[" * 65,
    "surrogates": b'["' + b"\\ud83d\\ude00" * 40_000 + b'\\ud800"]',
    "numbers": b"[" + b"1," * 250_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_much_malice_is_judged_in_a_blink(case):
    """The time to refuse a body grows with its size and not with its square."""
    started = time.process_time()
    with pytest.raises((BodyInvalid, BodyTooComplex)):
        parse_json(HOSTILE[case])
    assert time.process_time() - started < 2
