"""Counting in a real Redis: hosts share what was counted, and do without when it is away."""

from __future__ import annotations

import logging

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, call, request
from tests.renewal.redis_server import PROGRAM, RedisServer, redis_server
from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app
from wsgiproxy_hs.throttling import limits_meter
from wsgiproxy_hs.throttling.limits_meter import LimitsMeter

pytestmark = [pytest.mark.integration, pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")]
RATE = Rate(3, 600)


@pytest.fixture
def redis(tmp_path):
    with redis_server(str(tmp_path)) as server:
        yield server


def host(redis: RedisServer, tmp_path, number: int):
    """An app as on a host of its own: nothing is shared with others but Redis."""
    settings = Settings(
        backend_url=UPSTREAM_URL,
        public_url=PUBLIC_URL,
        secrets=[SECRET],
        redis_url=redis.url,
        renewal_directory=str(tmp_path / f"host-{number}"),
        throttle_reset=RATE,
    )
    return create_app(settings, transport=FakeUpstream())


def asked(app) -> int:
    headers = {"Origin": PUBLIC_URL}
    environ = request(
        "POST", "/api/auth/reset-password", headers=headers, body=b'{"email":"a@b"}', REMOTE_ADDR="8.8.8.8"
    )
    return call(app, environ).code


def test_two_hosts_share_the_count(redis, tmp_path):
    """Whoever is sent from one host to the next has no more tries for it."""
    one, other = host(redis, tmp_path, 1), host(redis, tmp_path, 2)
    assert [asked(app) for app in (one, other, one)] == [200] * 3
    assert [asked(app) for app in (other, one)] == [429] * 2


def test_without_redis_each_process_counts_alone_and_then_together_again(redis, tmp_path, monkeypatch, caplog):
    """Redis gone: nobody is turned away for it, nobody gets in without end, the log says so; back, all is as before."""
    monkeypatch.setattr(limits_meter, "REST_SECONDS", 0.0)
    one, other = host(redis, tmp_path, 1), host(redis, tmp_path, 2)
    assert asked(one) == 200
    redis.stop()
    with caplog.at_level(logging.WARNING, "wsgiproxy_hs"):
        assert [asked(one) for _ in range(4)] == [200, 200, 200, 429]
        assert asked(other) == 200
    assert "counts alone" in caplog.text
    redis.start()  # with nothing in it
    assert [asked(app) for app in (one, other, one)] == [200] * 3
    assert [asked(app) for app in (other, one)] == [429] * 2


def test_a_redis_that_is_away_is_left_alone_for_a_moment(redis, caplog):
    """One request finds out and says so; the next ones neither wait for it nor fill the log, until the moment is over."""
    now = [0.0]
    meter = LimitsMeter(redis.url, clock=lambda: now[0])
    redis.stop()
    with caplog.at_level(logging.WARNING, "wsgiproxy_hs"):
        for _ in range(3):
            meter.hit("a", "ada", RATE)
        assert caplog.text.count("counts alone") == 1
        now[0] = limits_meter.REST_SECONDS
        meter.clear("a", "ada", RATE)
        assert caplog.text.count("counts alone") == 2
    redis.start()
    now[0] = 2 * limits_meter.REST_SECONDS
    assert [meter.hit("a", "ada", RATE) is None for _ in range(4)] == [True] * 3 + [False]
    other = LimitsMeter(redis.url)
    assert other.hit("a", "ada", RATE) is not None


def test_a_cleared_count_is_clear_on_every_host(redis):
    """The right password on one host starts anew on all."""
    one, other = LimitsMeter(redis.url), LimitsMeter(redis.url)
    assert [meter.hit("a", "ada", RATE) for meter in (one, other, one)] == [None] * 3
    assert other.hit("a", "ada", RATE) is not None
    other.clear("a", "ada", RATE)
    assert one.hit("a", "ada", RATE) is None
