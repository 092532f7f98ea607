"""Rates as they are written."""

from __future__ import annotations

import pytest

from wsgiproxy_hs.rates import Rate, parse_rate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0 per hour",
        "5",
        "5 per",
        "5 per week",
        "-1 per hour",
        "1.5 per hour",
        "5 per 0 hours",
        "٥ per hour",
        "5 per hour\n",
    ],
)
def test_what_is_no_rate_is_refused(text):
    """With a sentence that shows how to write it."""
    with pytest.raises(ValueError, match="10 per 15 minutes"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "rate", "shown"),
    [
        ("5/hour", Rate(5, 3_600), "5 per hour"),
        ("10 per 15 minutes", Rate(10, 900), "10 per 15 minutes"),
        ("1 / second", Rate(1, 1), "1 per second"),
        ("100 per 2 days", Rate(100, 172_800), "100 per 2 days"),
        ("3 per 90 seconds", Rate(3, 90), "3 per 90 seconds"),
    ],
)
def test_a_rate_is_an_amount_and_a_time(text, rate, shown):
    """And it is shown as it could have been written."""
    assert parse_rate(text) == rate
    assert str(rate) == shown
    assert parse_rate(shown) == rate


def test_off_is_no_rate():
    """A rule is switched off by its own setting."""
    assert parse_rate("off") is None
