"""The matcher."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.exceptions import ConfigurationError, PathRefused, RouteNotFound
from wsgiproxy_hs.routes import Route, RouteTable


def table(*paths, **options):
    return RouteTable([Route("GET", path, "/u/") for path in paths], **options)


def test_iterating_gives_the_rows_back_in_order():
    """A table is its rows."""
    rows = [Route("GET", "b", "/b/"), Route("GET", "a", "/a/")]
    assert list(RouteTable(rows)) == rows
    assert len(RouteTable(rows)) == 2


@pytest.mark.parametrize("prefix", ["api", "/api/", "/", "//api", "/a b", "/api\n", "/{x}", "/api?x"])
def test_a_bad_prefix_is_refused(prefix):
    """It is written as ``/api``, or empty."""
    with pytest.raises(ConfigurationError, match="prefix"):
        table("x", prefix=prefix)


@pytest.mark.parametrize(
    "paths",
    [
        ("a/{x}", "a/{y}"),
        ("a", "a"),
        ("a/{x}/c", "a/b/{y}"),
        ("{x}/b", "a/{y}"),
        ("a/{x...}", "a/{y...}"),
    ],
)
def test_rows_that_could_match_the_same_request_are_refused(paths):
    """Neither order nor luck decides between two rows."""
    for order in (paths, paths[::-1]):
        with pytest.raises(ConfigurationError):
            table(*order)


@pytest.mark.parametrize(
    "paths",
    [
        ("a/{x}", "a/b"),
        ("a/{x}/c", "a/b/c"),
        ("a/{x}/c", "a/b/{y}/d"),
        ("a/{x...}", "a/{y}", "a/b"),
        ("{x}/{y}", "a/b"),
    ],
)
def test_a_more_specific_row_stands_beside_a_general_one(paths):
    """Static text beats a parameter and a parameter the rest, whatever the order of rows."""
    for order in (paths, paths[::-1]):
        assert table(*order).match("GET", "/api/" + paths[-1].replace("{y}", "7"))[0].path in paths


def test_methods_of_one_path_may_stand_in_several_rows():
    """Two rows can share a template with different methods, and parameters may have other names there."""
    both = RouteTable([Route("GET", "a/{x}", "/g/"), Route("POST", "a/{y}", "/p/")])
    assert both.match("GET", "/api/a/1")[1] == {"x": "1"}
    assert both.match("POST", "/api/a/1")[1] == {"y": "1"}
    assert sorted(both.find("/api/a/1").allow) == ["GET", "HEAD", "OPTIONS", "POST"]


def test_a_wrong_turn_takes_its_parameter_back():
    """Where the static branch ends nowhere, the parameter's branch is walked with its own values only."""
    found = table("a/{x}/{y}/d", "a/b/{z}/e").match("GET", "/api/a/b/c/d")
    assert found[1] == {"x": "b", "y": "c"}


def test_a_row_of_its_own_for_head_wins():
    """HEAD follows GET unless a row names it."""
    rows = [Route("HEAD", "a", "/head/"), Route("GET", "a", "/get/")]
    for order in (rows, rows[::-1]):
        assert RouteTable(order).match("HEAD", "/api/a")[0].to == "/head/"


def test_a_path_outside_the_prefix_is_not_judged():
    """What belongs to the host is the host's to read, whatever bytes it has."""
    assert table("x").find("/static/caf\xe9/..;") is None
    with pytest.raises(PathRefused):
        table("x").find("/api/caf\xe9")


SEGMENTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(SEGMENTS, max_size=6))
def test_no_path_makes_the_matcher_fail(segments):
    """Any text at all is found, refused, or not found; what is found can be expanded and is one segment."""
    routes = RouteTable([Route("GET", "a/{x}", "/u/{x}/"), Route("GET", "a/{x}/b", "/u/{x}/b/")])
    path = "/api/" + "/".join(segments)
    try:
        route, params = routes.match("GET", path.encode().decode("latin-1"))
    except (PathRefused, RouteNotFound):
        return
    upstream = route.upstream_path(params)
    assert upstream.count("/") == route.to.count("/")
    assert upstream.isascii()
    assert not any(c in upstream for c in "?#\\; \r\n\0")
    assert not {".", ".."} & set(upstream.split("/"))


def test_a_long_path_is_judged_in_a_blink():
    """Neither many segments nor many escapes cost more than their length."""
    routes = table("a/{x...}", "{b}/{c}/d")
    started = time.process_time()
    for path in ("/api/" + "a/" * 20_000, "/api/" + "%25" * 20_000, "/api/a/" + "%" * 20_000, "/api/" + "x/" * 20_000):
        try:
            routes.find(path)
        except PathRefused:
            pass
    assert time.process_time() - started < 2
