"""The cross-site layer alone."""

from __future__ import annotations

from itertools import product

import pytest

from tests.harness import Inner, call, request, routed
from wsgiproxy_hs.exceptions import CrossSiteHeaderMissing, CrossSiteRefused
from wsgiproxy_hs.middleware.cross_site import CrossSiteMiddleware
from wsgiproxy_hs.routes import NONE, CrossSite, Route

OURS = "https://app.example.com"
SAFE = ("GET", "HEAD", "OPTIONS")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
SITES = (None, "same-origin", "same-site", "cross-site", "none", "something-new")
ORIGINS = (None, OURS, "https://evil.example", "null", "http://app.example.com", OURS + ".evil.example", "")
COOKIES = (None, "a=b")
HEADERS = (None, "X-Requested-With", "X-CSRF")


def expected(method, site, origin, cookie, header, policy):
    """The rule, written down once more and in other words than the layer's."""
    if method in SAFE or policy is CrossSite.EXEMPT:
        return None
    if site == "cross-site":
        return CrossSiteRefused
    if origin not in (None, OURS):
        return CrossSiteRefused
    if origin == OURS or site == "same-origin" or site == "none":
        return None
    if policy is CrossSite.OWN_TOKEN or cookie is None or header is not None:
        return None
    return CrossSiteHeaderMissing


def environ_of(method, site, origin, cookie, header, policy):
    given = {"Sec-Fetch-Site": site, "Origin": origin, "Cookie": cookie}
    if header:
        given[header] = "1"
    headers = {name: value for name, value in given.items() if value is not None}
    row = Route("GET, POST, PUT, PATCH, DELETE", "x", "/x/", NONE, cross_site=policy)
    return routed(row, request(method, "/api/x", headers=headers))


@pytest.mark.parametrize("policy", CrossSite)
@pytest.mark.parametrize("method", [*SAFE, *UNSAFE])
def test_every_combination(method, policy):
    """For each method, Sec-Fetch-Site, Origin, cookie, header and policy the layer refuses or passes as the rule says."""
    for site, origin, cookie, header in product(SITES, ORIGINS, COOKIES, HEADERS):
        case = (method, site, origin, cookie, header, policy)
        inner = Inner()
        app = CrossSiteMiddleware(inner.app, origins=[OURS])
        error = expected(*case)
        if error is None:
            assert call(app, environ_of(*case)).body == (b"" if method == "HEAD" else b"inner"), case
        else:
            with pytest.raises(error):
                call(app, environ_of(*case))
            assert not inner.was_called, case


def test_a_form_of_another_site_is_refused():
    """The classic: a cross-site POST with our cookie and JSON as text/plain (F146)."""
    environ = environ_of("POST", "cross-site", "https://evil.example", "a=b", None, CrossSite.CHECKED)
    with pytest.raises(CrossSiteRefused):
        call(CrossSiteMiddleware(Inner().app, origins=[OURS]), environ)


def test_our_header_does_not_outweigh_the_browsers_word():
    """A request that the browser calls cross-site is refused with the header too."""
    for header in ("X-Requested-With", "X-CSRF"):
        with pytest.raises(CrossSiteRefused):
            call(
                CrossSiteMiddleware(Inner().app, origins=[OURS]),
                environ_of("POST", "cross-site", None, "a=b", header, CrossSite.CHECKED),
            )


def test_the_message_names_the_headers_that_help():
    """A script without a browser learns what to send."""
    with pytest.raises(CrossSiteHeaderMissing, match=r"X-Requested-With.*X-CSRF"):
        call(
            CrossSiteMiddleware(Inner().app, origins=[OURS]),
            environ_of("POST", None, None, "a=b", None, CrossSite.CHECKED),
        )


def test_without_a_row_the_check_stands():
    """Used without the routing layer, every unsafe request is checked: it fails closed (F147)."""
    environ = request("POST", "/x", headers={"Origin": "https://evil.example"})
    with pytest.raises(CrossSiteRefused):
        call(CrossSiteMiddleware(Inner().app, origins=[OURS]), environ)


def test_more_than_one_origin_can_be_ours():
    """Each of the origins given is ours, compared as a whole."""
    app = CrossSiteMiddleware(Inner().app, origins=[OURS, "http://localhost:3000"])
    for origin in (OURS, "http://localhost:3000"):
        assert call(app, request("POST", "/", headers={"Origin": origin, "Cookie": "a=b"})).code == 200
    with pytest.raises(CrossSiteRefused):
        call(app, request("POST", "/", headers={"Origin": "http://localhost:30000"}))
