"""The matcher: from a path to the row that serves it, in time that does not grow with the table.

The rows stand in a tree of segments. At each segment static text beats a parameter, and a parameter beats the rest;
two rows that could match the same request are refused when the table is built, so the order of rows means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from wsgiproxy_hs.exceptions import ConfigurationError, MethodNotAllowed, PathRefused, RouteNotFound
from wsgiproxy_hs.routes.route import Route
from wsgiproxy_hs.routes.templates import CROOKED_CHARACTER, Segment, is_crooked

_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_SUSPICIOUS: Final = re.compile(rf"{CROOKED_CHARACTER.pattern}|%|(?:^|/)\.\.?(?:/|$)")
"""One look that clears almost every path; only what it finds is judged segment by segment."""


class Match(NamedTuple):
    """A path found in the table; which row depends on the method."""

    node: _Node
    params: tuple[str, ...]

    @property
    def allow(self) -> tuple[str, ...]:
        """The methods of the path, HEAD and OPTIONS included, as ``Allow`` says them."""
        return self.node.allow


class _Node:
    """A place in the tree. ``routes`` maps methods to rows for the template that ends here."""

    __slots__ = ("allow", "is_rest", "parameter", "rest", "routes", "static")

    def __init__(self, *, is_rest: bool = False) -> None:
        self.is_rest = is_rest
        self.static: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.rest: _Node | None = None
        self.routes: dict[str, Route] = {}
        self.allow: tuple[str, ...] = ()

    def child(self, segment: Segment) -> _Node:
        """The node below for a template's segment, made when missing."""
        if segment.kind == "static":
            return self.static.setdefault(segment.text, _Node())
        if segment.kind == "parameter":
            self.parameter = self.parameter or _Node()
            return self.parameter
        self.rest = self.rest or _Node(is_rest=True)
        return self.rest


class RouteTable:
    """An immutable set of routes below a prefix.

    :param routes: the rows; iterating over the table gives them back in order.
    :param prefix: ``"/api"``, or ``""`` when the host mounts the stack at its place itself.
    :raises ConfigurationError: for a bad prefix, and for every pair of rows that could match the same request.
    """

    def __init__(self, routes: Iterable[Route], *, prefix: str = "/api") -> None:
        self.routes: tuple[Route, ...] = tuple(routes)
        self.prefix = prefix
        self._root = _Node()
        faults = [] if _PREFIX.fullmatch(prefix) else [f"prefix {prefix!r}: write it as '/api', or '' for none"]
        for route in self.routes:
            faults += self._insert(route)
        if faults:
            raise ConfigurationError(faults)

    def __iter__(self) -> Iterator[Route]:
        return iter(self.routes)

    def __len__(self) -> int:
        return len(self.routes)

    def __repr__(self) -> str:
        return f"RouteTable({len(self)} routes, prefix={self.prefix!r})"

    def find(self, path_info: str) -> Match | None:
        """The place of a path in the table, or ``None``.

        :param path_info: ``PATH_INFO`` as WSGI gives it: percent-decoded, bytes as latin-1 characters.
        :raises PathRefused: when the path is crooked: dots, controls, backslash, ``;``, ``#``, an empty segment.
        """
        path = self._below_prefix(path_info)
        if path is None:
            return None
        segments = _segments(path)
        final_slash = segments[-1] == "" and len(segments) > 1
        if final_slash:
            segments.pop()
        params: list[str] = []
        node = _walk(self._root, segments, 0, params)
        if node is None:
            if "" in segments and path:
                raise PathRefused
            return None
        if final_slash and node.is_rest:
            params[-1] += "/"
        return Match(node, tuple(params))

    def match(self, method: str, path_info: str) -> tuple[Route, dict[str, str]]:
        """The row that serves a request, and its path parameters.

        :raises PathRefused: 400, :raises RouteNotFound: 404, :raises MethodNotAllowed: 405 with ``Allow``.
        """
        found = self.find(path_info)
        if found is None:
            raise RouteNotFound
        route = found.node.routes.get(method)
        if route is None:
            raise MethodNotAllowed(found.allow)
        names = route.template.names
        return route, dict(zip(names, found.params, strict=True)) if names else {}

    def _below_prefix(self, path_info: str) -> str | None:
        """``/api/teams`` -> ``teams``; ``None`` when the path is not below the prefix."""
        prefix = self.prefix
        if not path_info.startswith(prefix) or path_info[len(prefix) : len(prefix) + 1] != "/":
            return None
        return path_info[len(prefix) + 1 :]

    def _insert(self, route: Route) -> list[str]:
        """Put a row into the tree; returns what forbids it."""
        segments = route.template.segments
        faults = [
            f"Route({route.methods!r}, {route.path!r}) and {other.path!r} could match the same path; "
            "make one of them more specific"
            for other in _crossing(self._root, segments)
        ]
        node = self._root
        for segment in segments:
            node = node.child(segment)
        for method in route.method_names:
            if method in node.routes and method in node.routes[method].method_names:
                faults.append(f"{method} {route.path!r} stands twice in the table")
            node.routes[method] = route
        if "GET" in node.routes:
            node.routes.setdefault("HEAD", node.routes["GET"])
        node.allow = tuple(dict.fromkeys([*node.routes, "OPTIONS"]))
        return faults


def _segments(path: str) -> list[str]:
    """The decoded segments of a path.

    :raises PathRefused: when one of them is crooked.
    """
    if not path.isascii():
        path = _utf8(path)
    segments = path.split("/")
    if _SUSPICIOUS.search(path) and any(is_crooked(segment) for segment in segments):
        raise PathRefused
    return segments


def _utf8(path: str) -> str:
    """The text that the latin-1 characters of WSGI stand for (F048)."""
    try:
        return path.encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise PathRefused("The path is not valid UTF-8") from error


def _walk(node: _Node, segments: Sequence[str], index: int, params: list[str]) -> _Node | None:
    """Follow the segments down the tree; on the way back a wrong turn takes its parameter with it."""
    if index == len(segments):
        return node if node.routes else None
    segment = segments[index]
    child = node.static.get(segment)
    if child is not None:
        found = _walk(child, segments, index + 1, params)
        if found is not None:
            return found
    if node.parameter is not None and segment:
        params.append(segment)
        found = _walk(node.parameter, segments, index + 1, params)
        if found is not None:
            return found
        params.pop()
    if node.rest is not None:
        params.append("/".join(segments[index:]))
        return node.rest
    return None


def _crossing(node: _Node, segments: Sequence[Segment]) -> list[Route]:
    """Rows of the tree that match some path of a new template while neither is the more specific one."""
    found: list[Route] = []
    _cross(node, segments, 0, found)
    return found


def _cross(node: _Node, segments: Sequence[Segment], balance: int, found: list[Route]) -> None:
    """``balance``: 0 alike so far, 1 the new one is more specific, -1 the other one, 2 crossed."""
    if not segments:
        if balance == 2 and node.routes:
            found.append(next(iter(node.routes.values())))
        return
    head, tail = segments[0], segments[1:]
    if head.kind == "rest":
        return
    if head.kind == "static":
        if head.text in node.static:
            _cross(node.static[head.text], tail, balance, found)
        if node.parameter is not None:
            _cross(node.parameter, tail, _tilted(balance, 1), found)
        return
    if node.parameter is not None:
        _cross(node.parameter, tail, balance, found)
    for child in node.static.values():
        _cross(child, tail, _tilted(balance, -1), found)


def _tilted(balance: int, towards: int) -> int:
    """The balance once a segment speaks for one of the two: crossed, when another spoke against it."""
    return towards if balance in (0, towards) else 2
