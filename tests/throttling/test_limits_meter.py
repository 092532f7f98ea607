"""Counting with the library ``limits``."""

from __future__ import annotations

import logging
import threading

import pytest

from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.throttling.limits_meter import LimitsMeter

RATE = Rate(3, 600)
AWAY = "redis://:the-redis-password@127.0.0.1:1/0"


def test_one_too_many_has_to_wait_no_longer_than_the_window():
    """The wait is whole seconds, at least one; what is refused does not count."""
    meter = LimitsMeter()
    assert [meter.hit("a", "ada", RATE) for _ in range(3)] == [None] * 3
    for _ in range(5):
        wait = meter.hit("a", "ada", RATE)
        assert wait is not None
        assert 1 <= wait <= 600


def test_keys_and_names_are_counted_apart():
    """One person's share is nobody else's, and one rule's not another's."""
    meter = LimitsMeter()
    for name, key in (("a", "ada"), ("a", "bob"), ("b", "ada")):
        assert [meter.hit(name, key, RATE) for _ in range(3)] == [None] * 3


def test_what_is_cleared_starts_anew():
    """As when the right password was given."""
    meter = LimitsMeter()
    for _ in range(2):
        assert [meter.hit("a", "ada", RATE) for _ in range(3)] == [None] * 3
        meter.clear("a", "ada", RATE)


def test_threads_share_a_meter():
    """Exactly as many as the rate says get through, however many ask at once."""
    meter, through = LimitsMeter(), []

    def ask():
        for _ in range(10):
            if meter.hit("a", "ada", RATE) is None:
                through.append(1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(through) == 3


def test_a_storage_that_is_away_is_replaced_by_the_process_own(caplog):
    """Nobody gets in for free and nobody is turned away; the log says so, without the password."""
    meter = LimitsMeter(AWAY)
    with caplog.at_level(logging.WARNING):
        assert [meter.hit("a", "ada", RATE) for _ in range(3)] == [None] * 3
        assert meter.hit("a", "ada", RATE) is not None
        meter.clear("a", "ada", RATE)
        assert meter.hit("a", "ada", RATE) is None
    assert "the storage is away" in caplog.text
    assert "the-redis-password" not in caplog.text + repr(meter)


def test_nothing_is_opened_before_it_is_asked():
    """A meter can be made before a server forks."""
    before = threading.active_count()
    assert repr(LimitsMeter()) == "<LimitsMeter>"
    assert threading.active_count() == before


@pytest.mark.parametrize("amount", [1, 2])
def test_the_first_ones_are_within(amount):
    """A rate of one lets one through."""
    meter = LimitsMeter()
    ends = [meter.hit("a", "ada", Rate(amount, 60)) is None for _ in range(amount + 1)]
    assert ends == [True] * amount + [False]
