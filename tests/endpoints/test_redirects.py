"""Where an upstream's Location may lead: never to the upstream itself, elsewhere only where the row says so."""

from __future__ import annotations

import pytest
from requests import PreparedRequest

from tests.harness import UPSTREAM_URL, FakeUpstream, call, request
from wsgiproxy_hs.endpoints.forwarder import Forwarder
from wsgiproxy_hs.endpoints.redirects import Redirects, next_method, parameters
from wsgiproxy_hs.environ import PATH_PARAMS, ROUTE
from wsgiproxy_hs.exceptions import UpstreamRedirect
from wsgiproxy_hs.routes import EMPTY_OR_OBJECT, NONE, RAW, Route
from wsgiproxy_hs.routes.route import ANY
from wsgiproxy_hs.routes.templates import PathTemplate

ITEMS = Route("GET, POST", "things", "/backend/things/", NONE, EMPTY_OR_OBJECT)
ITEM = Route("GET, PUT", "things/{thing_id}", "/backend/things/{thing_id}/", NONE, EMPTY_OR_OBJECT)
CONTENT = Route("GET", "things/{thing_id}/content", "/backend/things/{thing_id}/content/", NONE, redirects=True)
FILES = Route(ANY, "files/{path...}", "/{path...}", NONE, RAW, reshape_errors=False, redirects=True)
NEWEST = Route("GET", "newest", "/backend/things/newest/", NONE)
ROWS = (FILES, ITEM, ITEMS, CONTENT, NEWEST)
PUBLIC = "https://app.example.com"


def redirects(**options):
    return Redirects(ROWS, **{"prefix": "/api", "upstream_url": UPSTREAM_URL, "public_origin": PUBLIC, **options})


def answer(location, *, status=302, route=ITEMS, method="GET", script_name="", headers=(), **options):
    """What the browser gets when the upstream answers with this Location."""
    fields = [("Content-Type", "text/html"), *([("Location", location)] if location is not None else []), *headers]
    forwarder = Forwarder(
        upstream_url=UPSTREAM_URL, transport=FakeUpstream(status, b"", fields), redirects=redirects(**options)
    )
    environ = request(method, "/api/things", body=b"{}" if method in ("POST", "PUT") else None, SCRIPT_NAME=script_name)
    environ[ROUTE] = route
    environ[PATH_PARAMS] = dict.fromkeys(route.template.names, "7")
    return call(forwarder, environ)


# Location of the upstream -> path of the upstream that no row leads to, another server, or a trick
REFUSED = {
    "another path": "/admin-without-row/x/../../y%2f",
    "a crooked parameter": "/backend/things/%2e%2e/",
    "a parameter with a slash": "/backend/things/a%2Fb/",
    "a parameter that is not UTF-8": "/backend/things/%ff/",
    "another server": "https://storage.example.net/backend/things/1/",
    "another port of the upstream": "http://upstream.test:9000/backend/things/1/",
    "another scheme": "javascript:alert(1)",
    "another server without scheme": "//evil.example/backend/things/1/",
    "a user before the host": "http://user@upstream.test:8000/backend/things/1/",
    "a broken URL": "http://[::1/backend/things/1/",
    "nothing": "",
    "none at all": None,
}


def strict(location, *, rows=(ITEM, ITEMS), route=ITEMS, method="GET", status=302):
    """The same with a table that has not a row for everything."""
    fields = [("Content-Type", "text/html"), *([("Location", location)] if location is not None else [])]
    forwarder = Forwarder(
        upstream_url=UPSTREAM_URL,
        transport=FakeUpstream(status, b"", fields),
        redirects=Redirects(rows, prefix="/api", upstream_url=UPSTREAM_URL),
    )
    environ = request(method, "/api/things", body=b"{}" if method == "PUT" else None)
    environ[ROUTE], environ[PATH_PARAMS] = route, dict.fromkeys(route.template.names, "7")
    return call(forwarder, environ)


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_lead_to_a_row_is_502(case):
    """A redirect to nowhere, or to somebody else, is the operator's to mend, and the log alone says where it led."""
    with pytest.raises(UpstreamRedirect) as caught:
        strict(REFUSED[case])
    assert "evil" not in caught.value.detail


def test_a_row_that_lets_redirects_pass_still_hides_the_upstream():
    """Storage passes; a reference to the upstream without a public path does not."""
    elsewhere = "https://storage.example.net/x?signature=1"
    assert answer(elsewhere, route=CONTENT).header("Location") == elsewhere
    with pytest.raises(UpstreamRedirect):
        strict(f"{UPSTREAM_URL}/internal/", rows=(CONTENT,), route=CONTENT)


def test_two_locations_are_none():
    """Which of them a client would follow nobody knows."""
    with pytest.raises(UpstreamRedirect):
        answer("/backend/things/1/", headers=[("Location", "https://evil.example/")])


# Location of the upstream -> what the browser sees
LED_BACK = {
    "/backend/things/5/": "/api/things/5",
    "/backend/things/5": "/api/things/5",
    "/backend/things/": "/api/things",
    "5/": "/api/things/5",
    "../things/5/": "/api/things/5",
    f"{UPSTREAM_URL}/backend/things/5/": "/api/things/5",
    "HTTP://UPSTREAM.TEST:8000/backend/things/5/": "/api/things/5",
    f"https{UPSTREAM_URL[4:]}/backend/things/5/": "/api/things/5",
    f"{PUBLIC}/backend/things/5/": "/api/things/5",
    "/backend/things/5/?page=2&q=%2F#top": "/api/things/5?page=2&q=%2F#top",
    "?page=2": "/api/things?page=2",
    "/backend/things/a%20b/": "/api/things/a%20b",
    "/backend/things/%C3%A9/": "/api/things/%C3%A9",
    "/backend/things/newest/": "/api/newest",
    "/media/a/b.txt": "/api/files/media/a/b.txt",
    "/media/a/": "/api/files/media/a/",
}


@pytest.mark.parametrize("location", LED_BACK)
def test_a_reference_to_the_upstream_becomes_the_public_path(location):
    """However the upstream writes it; the more specific row speaks first, whatever the order of the table."""
    result = answer(location)
    assert (result.code, result.header("Location")) == (302, LED_BACK[location])


def test_where_the_stack_is_mounted_precedes():
    """A host that takes a prefix away gets it back, encoded."""
    assert answer("/backend/things/5/", script_name="/mé".encode().decode("latin-1")).header("Location") == (
        "/m%C3%A9/api/things/5"
    )


def test_a_path_of_the_upstream_url_is_taken_away():
    """What precedes every upstream path is no part of the public one."""
    base = UPSTREAM_URL + "/base"
    made = Redirects((ITEM,), prefix="/api", upstream_url=base)
    assert made.public("/base/backend/things/5/", "/base/backend/things/", "GET") == "/api/things/5"
    assert made.public("/backend/things/5/", "/base/backend/things/", "GET") is None


def test_a_unix_socket_is_localhost():
    """What it calls itself is led back like any other name."""
    made = Redirects((ITEM,), prefix="/api", upstream_url="http+unix://%2Frun%2Fdjango.sock")
    assert made.is_own("http://localhost/backend/things/5/")
    assert made.public("http://localhost/backend/things/5/", "/backend/things/", "GET") == "/api/things/5"


@pytest.mark.parametrize(("status", "location"), [(307, "/backend/things/"), (308, "/backend/things/")])
def test_the_method_that_a_browser_would_use_must_be_the_rows(status, location):
    """307 and 308 keep PUT, which the list does not take; 303 makes it a GET, which it does."""
    with pytest.raises(UpstreamRedirect):
        strict(location, route=ITEM, method="PUT", status=status)
    assert answer(location, status=303, route=ITEM, method="PUT").header("Location") == "/api/things"


NEXT = [(301, "POST", "GET"), (302, "POST", "GET"), (302, "PUT", "PUT"), (303, "PUT", "GET"), (303, "HEAD", "HEAD"),
        (201, "POST", "GET"), (307, "POST", "POST"), (308, "DELETE", "DELETE"), (301, "GET", "GET")]  # fmt: skip


@pytest.mark.parametrize(("status", "method", "then"), NEXT)
def test_the_next_method_is_the_one_of_the_fetch_standard(status, method, then):
    """As browsers do it, not as the older standards wished."""
    assert next_method(status, method) == then


def test_what_was_created_is_named_by_its_public_path():
    """201 with the upstream's own URL: led back, or kept here; another place passes."""
    assert answer(f"{UPSTREAM_URL}/backend/things/9/", status=201, method="POST").header("Location") == "/api/things/9"
    assert answer("https://storage.example.net/9", status=201).header("Location") == "https://storage.example.net/9"
    made = Redirects((ITEM,), prefix="/api", upstream_url=UPSTREAM_URL)
    kept = made.located(
        [("Location", f"{UPSTREAM_URL}/secret/"), ("ETag", "1")], 201, prepared(), passes=False, script_name=""
    )
    assert kept == [("ETag", "1")]


def prepared():
    made = PreparedRequest()
    made.method, made.url = "POST", f"{UPSTREAM_URL}/backend/things/"
    return made


def test_304_is_no_redirect():
    """It has no Location and passes."""
    upstream = FakeUpstream(304, b"", [("ETag", '"1"')])
    environ = request("GET", "/api/things")
    environ[ROUTE], environ[PATH_PARAMS] = ITEMS, {}
    assert call(Forwarder(upstream_url=UPSTREAM_URL, transport=upstream), environ).code == 304


@pytest.mark.parametrize(
    ("template", "path", "found"),
    [
        ("/a/{x}/", "/a/1/", {"x": "1"}),
        ("/a/{x}/", "/a//", None),
        ("/a/{x}/", "/a/1/2/", None),
        ("/a/", "/a/", {}),
        ("/{p...}", "/", None),
        ("/{p...}", "/x//y", None),
        ("/{p...}", "/x/y/", {"p": "x/y/"}),
    ],
)
def test_templates_are_read_backwards(template, path, found):
    """Segment by segment, and an empty one never counts."""
    assert parameters(PathTemplate(template), path) == found
