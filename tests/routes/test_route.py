"""One row of the table."""

from __future__ import annotations

import dataclasses

import pytest

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.routes import EMPTY_OR_OBJECT, NONE, RAW, REQUIRED, CrossSite, Route
from wsgiproxy_hs.routes.bodies import Registration


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("get", "x", "/x/"), "'get' is not a method"),
        (("GET POST", "x", "/x/"), "not a method"),
        (("", "x", "/x/"), "not a method"),
        (("GET,", "x", "/x/"), "'' is not a method"),
        (("GET", "/x", "/x/"), "no slash at its ends"),
        (("GET", "x/", "/x/"), "no slash at its ends"),
        (("GET", "x//y", "/x/"), "'' in 'x//y'"),
        (("GET", "x/../y", "/x/"), "'..'"),
        (("GET", "x/{Y}", "/x/"), "needs a name"),
        (("GET", "x/{}", "/x/"), "needs a name"),
        (("GET", "x/{a}b", "/x/"), "neither a plain segment"),
        (("GET", "x/{a}/{a}", "/x/"), "stands twice"),
        (("GET", "x/{a...}/b", "/x/"), "must be the last"),
        (("GET", "x y", "/x/"), "neither a plain segment"),
        (("GET", "x%20", "/x/"), "neither a plain segment"),
        (("GET", "x", "x/"), "must begin with one slash"),
        (("GET", "x", "//evil.example/"), "must begin with one slash"),
        (("GET", "x", "http://evil.example/"), "must begin with one slash"),
        (("GET", "x", "/x/?a=b"), "neither a plain segment"),
        (("GET", "x/{a}", "/x/{b}/"), "uses {b}, which 'x/{a}' does not have"),
        (("GET", "x", 5), "'to' must be"),
    ],
)
def test_a_wrong_row_is_refused_when_it_is_built(arguments, words):
    """The fault names the row and what is wrong with it, before any request."""
    with pytest.raises(ConfigurationError) as caught:
        Route(*arguments)
    assert words in str(caught.value)
    assert repr(arguments[1]) in str(caught.value)


@pytest.mark.parametrize("option", [{"max_bytes": -1}, {"timeout_seconds": 0}, {"timeout_seconds": -1.0}])
def test_limits_below_nothing_are_refused(option):
    """A limit that no request could keep is a mistake."""
    with pytest.raises(ConfigurationError):
        Route("GET", "x", "/x/", **option)


def test_all_faults_of_a_row_are_reported_at_once():
    """One start shows everything that has to be mended."""
    with pytest.raises(ConfigurationError) as caught:
        Route("get", "/x", "y", max_bytes=-1)
    assert len(caught.value.faults) == 4


def test_what_a_row_leaves_out_is_the_strict_choice():
    """The defaults are: token required, no body, cross-site checked, redirects held back, errors reshaped."""
    route = Route("GET", "x", "/x/")
    assert (route.token, route.body, route.cross_site) == (REQUIRED, None, CrossSite.CHECKED)
    assert (route.redirects, route.reshape_errors, route.delete_body, route.request_headers) == (False, True, False, ())


def test_a_row_cannot_be_changed():
    """Rows are values that threads share."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Route("GET", "x", "/x/").path = "y"


def test_the_methods_are_names_as_written():
    """Blanks around the commas are of no account."""
    assert Route("GET,POST , PUT", "x", "/x/").method_names == ("GET", "POST", "PUT")


def test_which_methods_carry_a_body():
    """GET, HEAD, OPTIONS never; DELETE where the row says so; none where the row has no body (F079)."""
    methods = ("GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH")
    taking = {m for m in methods if Route("POST", "x", "/x/", NONE, RAW).takes_body(m)}
    assert taking == {"POST", "PUT", "PATCH"}
    assert Route("DELETE", "x", "/x/", body=EMPTY_OR_OBJECT, delete_body=True).takes_body("DELETE")
    assert not any(Route("POST", "x", "/x/").takes_body(m) for m in methods)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("7", "7"),
        ("a b", "a%20b"),
        ("café", "caf%C3%A9"),
        ("a%d", "a%25d"),
        ("a?b", "a%3Fb"),
        ("a&b=c+d", "a&b=c+d"),
        ("~a-b.c_d!$'()*,:@", "~a-b.c_d!$'()*,:@"),
        ('a"<>^`{|}', "a%22%3C%3E%5E%60%7B%7C%7D"),
        ("²", "%C2%B2"),
        ("😀", "%F0%9F%98%80"),
    ],
)
def test_a_parameter_goes_out_canonically_encoded(value, encoded):
    """The upstream path is built from the row and the checked parameter, never copied (F042, F043)."""
    assert Route("GET", "x/{a}", "/y/{a}/z/").upstream_path({"a": value}) == f"/y/{encoded}/z/"


def test_a_row_that_ends_in_an_endpoint_has_no_upstream_path():
    """It is a mistake to ask for one."""
    with pytest.raises(LookupError):
        Route("GET", "x", lambda environ, start_response: []).upstream_path({})


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"token": Registration}, "access token column"),
        ({"token": "required"}, "access token column"),
        ({"body": dict}, "body column"),
        ({"body": "raw"}, "body column"),
        ({"cross_site": "exempt"}, "cross_site"),
        ({"request_headers": "Stripe-Signature"}, "tuple"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"delete_body": True}, "delete_body"),
        ({"methods": "GET, GET"}, "twice"),
        ({"methods": "GET, OPTIONS"}, "OPTIONS"),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused(columns, word):
    """A forgotten or misspelt column never silently opens a row: it is named when the row is built."""
    with pytest.raises(ConfigurationError, match=word):
        Route(**{"methods": "GET, POST", "path": "x", "to": "/x/", **columns})


@pytest.mark.parametrize(("asked", "sent"), [("a", "/f/a/"), ("a/", "/f/a/"), ("a/b", "/f/a/b/")])
def test_a_rest_that_ends_in_a_slash_does_not_double_it(asked, sent):
    """An upstream path that ends in a slash ends in one, however the client wrote its own."""
    assert Route("GET", "f/{rest...}", "/f/{rest...}/").upstream_path({"rest": asked}) == sent
