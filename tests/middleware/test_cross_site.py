"""The cross-site layer alone."""

from __future__ import annotations

from itertools import product

import pytest

from tests.harness import Inner, call, request, routed
from wsgiproxy_hs.exceptions import CrossSiteHeaderMissing, CrossSiteRefused
from wsgiproxy_hs.middleware.cross_site import CrossSiteMiddleware
from wsgiproxy_hs.routes import NONE, OPTIONAL, REQUIRED, CrossSite, Route

OURS = "https://app.example.com"
SAFE = ("GET", "HEAD", "OPTIONS")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
SITES = (None, "same-origin", "same-site", "cross-site", "none", "something-new")
FRIEND = "https://admin.example.com"
ORIGINS = (
    None,
    OURS,
    FRIEND,
    "https://evil.example",
    "null",
    "http://app.example.com",
    OURS + ".evil.example",
    FRIEND + ":8443",
    "",
)
COOKIES = (None, "a=b")
HEADERS = (None, "X-Requested-With", "X-CSRF")
TOKENS = (NONE, OPTIONAL, REQUIRED)
PURPOSES = ((None, None), ("navigate", "document"), ("navigate", "iframe"), ("no-cors", "image"), ("cors", "empty"))


def made_elsewhere(site, origin):
    """Whether the browser says that it was another site."""
    return origin != FRIEND and (site == "cross-site" or origin not in (None, OURS))


def expected_unsafe(site, origin, cookie, header, policy):
    """The rule for what may change something, written down once more and in other words than the layer's."""
    if policy is CrossSite.EXEMPT:
        return None
    if made_elsewhere(site, origin) or (origin == FRIEND and policy is CrossSite.OWN_TOKEN):
        return CrossSiteRefused
    if origin is not None or site in ("same-origin", "none"):
        return None
    if policy is CrossSite.OWN_TOKEN or cookie is None or header is not None:
        return None
    return CrossSiteHeaderMissing


def expected_safe(method, site, origin, cookie, policy, token, purpose):
    """The rule for what only reads."""
    public = policy is CrossSite.EXEMPT or (token is NONE and policy is not CrossSite.OWN_TOKEN)
    page = method == "GET" and purpose == ("navigate", "document")
    strange = made_elsewhere(site, origin) or (origin is None and site in ("same-site", "something-new"))
    return CrossSiteRefused if strange and cookie is not None and not public and not page else None


def environ_of(method, site, origin, cookie, header, policy, token=NONE, purpose=(None, None)):
    given = {"Sec-Fetch-Site": site, "Origin": origin, "Cookie": cookie}
    given |= {"Sec-Fetch-Mode": purpose[0], "Sec-Fetch-Dest": purpose[1]}
    if header:
        given[header] = "1"
    headers = {name: value for name, value in given.items() if value is not None}
    row = Route("GET, POST, PUT, PATCH, DELETE", "x", "/x/", token, cross_site=policy)
    return routed(row, request(method, "/api/x", headers=headers))


def hold(case, error, app, inner, environ):
    """Refused as expected and unseen by the inner app, or answered by it."""
    if error is None:
        assert call(app, environ, validate=False).code == 200, case
        return
    with pytest.raises(error):
        call(app, environ, validate=False)
    assert not inner.was_called, case


@pytest.mark.parametrize("policy", CrossSite)
@pytest.mark.parametrize("method", [*SAFE, *UNSAFE])
def test_every_combination_that_may_change_something(method, policy):
    """For each method, Sec-Fetch-Site, Origin, cookie, header and policy the layer refuses or passes as the rule says."""
    if method in SAFE and (policy is not CrossSite.CHECKED_GET or method == "OPTIONS"):
        return
    for site, origin, cookie, header in product(SITES, ORIGINS, COOKIES, HEADERS):
        case = (method, site, origin, cookie, header, policy)
        inner = Inner()
        app = CrossSiteMiddleware(inner, origins=[OURS], further_origins=[FRIEND])
        hold(case, expected_unsafe(*case[1:]), app, inner, environ_of(*case))


@pytest.mark.parametrize("policy", [policy for policy in CrossSite if policy is not CrossSite.CHECKED_GET])
@pytest.mark.parametrize("method", SAFE)
def test_every_combination_that_only_reads(method, policy):
    """For each Sec-Fetch header, Origin, cookie, token column and policy the layer refuses or passes as the rule says."""
    for site, origin, cookie, token, purpose in product(SITES, ORIGINS, COOKIES, TOKENS, PURPOSES):
        case = (method, site, origin, cookie, policy, token, purpose)
        inner = Inner()
        app = CrossSiteMiddleware(inner, origins=[OURS], further_origins=[FRIEND])
        environ = environ_of(method, site, origin, cookie, None, policy, token, purpose)
        hold(case, expected_safe(*case), app, inner, environ)


@pytest.mark.parametrize("dest", ["image", "script", "style", "iframe", "frame", "object", "embed", "empty", "audio"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_loads_no_answer_of_a_session(site, dest):
    """What cannot be read can still be measured: images, scripts and frames of another origin get nothing."""
    purpose = ("navigate" if dest in ("iframe", "frame", "object", "embed") else "no-cors", dest)
    with pytest.raises(CrossSiteRefused):
        call(
            CrossSiteMiddleware(Inner().app, origins=[OURS]),
            environ_of("GET", site, None, "a=b", None, CrossSite.CHECKED, REQUIRED, purpose),
        )


def test_a_row_whose_get_has_effects_is_checked_like_a_post():
    """A link on another site does nothing, a page of ours does (F148)."""
    app = CrossSiteMiddleware(Inner().app, origins=[OURS])
    link = environ_of("GET", "cross-site", None, "a=b", None, CrossSite.CHECKED_GET, REQUIRED, ("navigate", "document"))
    with pytest.raises(CrossSiteRefused):
        call(app, link)
    with pytest.raises(CrossSiteHeaderMissing):
        call(app, environ_of("GET", None, None, "a=b", None, CrossSite.CHECKED_GET, REQUIRED))
    ours = environ_of("GET", "same-origin", None, "a=b", None, CrossSite.CHECKED_GET, REQUIRED, ("cors", "empty"))
    assert call(app, ours).code == 200


# Further origins (F158)


def preflight(origin, method="PUT", policy=CrossSite.CHECKED, headers="content-type"):
    given = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    row = Route("GET, PUT", "x", "/x/", REQUIRED, cross_site=policy)
    return routed(row, request("OPTIONS", "/api/x", headers={**given, "Sec-Fetch-Site": "same-site"}))


def crossing(environ, inner=None, further=(FRIEND,)):
    app = (inner or Inner()).app
    return call(CrossSiteMiddleware(app, origins=[OURS], further_origins=further), environ)


@pytest.mark.parametrize("origin", [origin for origin in ORIGINS if origin not in (None, FRIEND)])
def test_a_preflight_of_anybody_else_is_refused(origin):
    """Also our own origin: its pages need none, so whoever sends one is up to something else."""
    inner = Inner()
    with pytest.raises(CrossSiteRefused):
        crossing(preflight(origin), inner)
    assert not inner.was_called


@pytest.mark.parametrize(("policy", "method"), [(CrossSite.OWN_TOKEN, "PUT"), (CrossSite.EXEMPT, "GET")])
def test_a_preflight_for_sign_in_or_for_machines_is_refused(policy, method):
    """Sign-in is for our own pages alone, and no page calls a webhook."""
    with pytest.raises(CrossSiteRefused):
        crossing(preflight(FRIEND, method, policy))


def test_without_further_origins_nobody_is_one():
    """The default lets nobody in, and the answers say nothing of origins."""
    with pytest.raises(CrossSiteRefused):
        crossing(preflight(FRIEND), further=())
    result = crossing(environ_of("GET", "same-origin", OURS, "a=b", None, CrossSite.CHECKED, REQUIRED), further=())
    assert not [name for name, _ in result.headers if name == "Vary" or name.startswith("Access-Control")]


def test_a_preflight_of_a_further_origin_is_answered_here():
    """With its exact origin, the row's methods, and the headers by name; the inner app is not asked."""
    inner = Inner()
    result = crossing(preflight(FRIEND), inner)
    assert (result.code, result.body, inner.was_called) == (204, b"", False)
    assert result.header("Access-Control-Allow-Origin") == FRIEND
    assert result.header("Access-Control-Allow-Credentials") == "true"
    assert result.header("Access-Control-Allow-Methods") == "GET, PUT"
    assert result.header("Access-Control-Max-Age") == "600"
    assert result.header("Vary") == "Origin"
    allowed = (result.header("Access-Control-Allow-Headers") or "").split(", ")
    assert "Content-Type" in allowed
    assert not {"*", "Authorization", "Cookie"} & set(allowed)


def test_a_further_origin_reads_the_answer():
    """Exactly that origin, with credentials, and caches are told that the answer is its own."""
    environ = environ_of("PUT", "cross-site", FRIEND, "a=b", None, CrossSite.CHECKED, REQUIRED, ("cors", "empty"))
    result = crossing(environ)
    assert result.body == b"inner"
    assert result.all("Access-Control-Allow-Origin") == [FRIEND]
    assert result.all("Access-Control-Allow-Credentials") == ["true"]
    assert "*" not in (result.header("Access-Control-Expose-Headers") or "")
    assert result.header("Vary") == "Origin"


@pytest.mark.parametrize("origin", [None, OURS])
def test_an_answer_to_anybody_else_says_only_that_it_varies(origin):
    """A cache that has our own pages' answer must not give it to a further origin's."""
    result = crossing(environ_of("GET", "same-origin", origin, "a=b", None, CrossSite.CHECKED, REQUIRED))
    assert result.header("Vary") == "Origin"
    assert not [name for name, _ in result.headers if name.startswith("Access-Control")]


# Single cases


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
