"""Where an upstream's ``Location`` may lead: it is never followed, and never names the upstream (F103, F104, F122).

A reference to the upstream itself becomes the public path of the row that leads there; a reference elsewhere passes
only where the row says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from requests import PreparedRequest

from wsgiproxy_hs.exceptions import Header, UpstreamRedirect
from wsgiproxy_hs.routes import Route
from wsgiproxy_hs.routes.templates import PathTemplate, Segment, is_crooked
from wsgiproxy_hs.upstream.addresses import host_header, split_url

_ORDER: Final = ("static", "parameter", "rest")  # the more specific row speaks first
_PATH_SAFE: Final = "/!$&'()*+,;=:@"


class Redirects:
    """The way back from upstream paths to public ones.

    :param routes: the rows.
    :param prefix: what precedes their public paths.
    :param upstream_url: ``http://127.0.0.1:8000``; a path in it precedes every upstream path.
    :param public_origin: ours: an upstream that is told of it names itself by it.
    """

    def __init__(
        self, routes: Iterable[Route] = (), *, prefix: str = "", upstream_url: str, public_origin: str | None = None
    ) -> None:
        self._prefix = prefix
        parts = urlsplit(upstream_url)
        host = host_header(upstream_url)
        self._base = parts.path.rstrip("/")
        self._origin = f"{'https' if parts.scheme == 'https' else 'http'}://{host}"
        own = (f"http://{host}", f"https://{host}", public_origin or "")
        self._own = {origin.lower() for origin in own}
        rows = [(route, route.upstream) for route in routes if route.upstream is not None]
        self._rows = sorted(rows, key=lambda row: [_ORDER.index(segment.kind) for segment in row[1].segments])

    def located(
        self, pairs: list[Header], status: int, request: PreparedRequest, *, passes: bool, script_name: str
    ) -> list[Header]:
        """The headers of an answer of 201 or 3xx, with a ``Location`` that may be shown.

        :param passes: whether the row lets references to other places pass.
        :param script_name: where a host mounted the stack.
        :raises UpstreamRedirect: for a redirect that must not pass; the log says where it would have led, without a
            query, which may hold a signature.
        """
        locations = [value for name, value in pairs if name.lower() == "location"]
        passes = passes or status == 201
        if passes and len(locations) <= 1 and not any(map(self.is_own, locations)):
            return pairs
        others = [pair for pair in pairs if pair[0].lower() != "location"]
        public = self._public_of(locations, status, request)
        if public is not None:
            return [*others, ("Location", mounted(script_name, public))]
        if status == 201:
            return others
        raise UpstreamRedirect from LookupError(f"{status} Location: {', '.join(locations).partition('?')[0]}")

    def _public_of(self, locations: Sequence[str], status: int, request: PreparedRequest) -> str | None:
        """The public path for the one ``Location``; which of two a client would follow nobody knows."""
        if len(locations) != 1 or not locations[0] or not self.is_own(locations[0]):
            return None
        asked = split_url(request.url or "")[1].partition("?")[0]
        return self.public(locations[0], asked, next_method(status, request.method or "GET"))

    def is_own(self, location: str) -> bool:
        """Whether a reference leads to the upstream itself: a relative one always does."""
        try:
            parts = urlsplit(urljoin(f"{self._origin}/", location))
        except ValueError:
            return False
        return f"{parts.scheme}://{parts.netloc}".lower() in self._own

    def public(self, location: str, upstream_path: str, method: str) -> str | None:
        """The public reference for one to the upstream itself; ``None`` when the table does not lead there.

        :param upstream_path: what was asked for; relative references start from it.
        :param method: what a client would ask the new place with.
        """
        try:
            parts = urlsplit(urljoin(f"{self._origin}{upstream_path}", location))
            path = parts.path.removeprefix(self._base) if parts.path.startswith(f"{self._base}/") else ""
            found = self._public_path(path, "GET" if method == "HEAD" else method)
        except ValueError:
            return None
        if found is None:
            return None
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._prefix}/{found}{query}" + (f"#{parts.fragment}" if parts.fragment else "")

    def _public_path(self, path: str, method: str) -> str | None:
        for route, template in self._rows:
            if method not in route.method_names:
                continue
            params = parameters(template, path)
            if params is not None:
                return route.template.expand(params)
        return None


def next_method(status: int, method: str) -> str:
    """What browsers ask the new place with (Fetch, section 4.4); what was created is there to be read."""
    if status == 201:
        return "GET"
    if (status in (301, 302) and method == "POST") or (status == 303 and method != "HEAD"):
        return "GET"
    return method


def parameters(template: PathTemplate, path: str) -> dict[str, str] | None:
    """The parameters with which a template gives a path, whether or not it ends in a slash; ``None`` when none do.

    :raises ValueError: for what is not UTF-8.
    """
    found = _pattern(template.segments).fullmatch(path)
    if found is None:
        return None
    decoded = {
        name: [unquote(part, errors="strict") for part in text.split("/")] for name, text in found.groupdict().items()
    }
    if any("" in parts[:-1] or any(map(is_crooked, parts)) for parts in decoded.values()):
        return None
    return {name: "/".join(parts) for name, parts in decoded.items()}


@cache
def _pattern(segments: tuple[Segment, ...]) -> re.Pattern[str]:
    forms = {"static": "{0}", "parameter": "(?P<{0}>[^/]+)", "rest": "(?P<{0}>.+)"}
    parts = [forms[kind].format(re.escape(text) if kind == "static" else text) for kind, text in segments]
    return re.compile("/" + "/".join(parts) + ("" if segments and segments[-1].kind == "rest" else "/?"))


def mounted(script_name: str, path: str) -> str:
    """A public path below where a host mounted the stack."""
    return quote(script_name.encode("latin-1"), safe=_PATH_SAFE) + path
