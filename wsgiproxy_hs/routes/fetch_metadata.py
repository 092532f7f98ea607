"""Who made a request, by what browsers say of it, and what that somebody may do. Plain decisions on plain values.

Browsers say where a request comes from: ``Sec-Fetch-Site`` and ``Origin``, which no page can forge; and what it is
for: ``Sec-Fetch-Mode`` and ``Sec-Fetch-Dest`` (W3C Fetch Metadata). Another origin is another site here, a neighbour
below the same domain included, unless it is named.
"""

from __future__ import annotations

import enum
from collections.abc import Collection

from wsgiproxy_hs.routes.route import CrossSite, Route, Token


class Maker(enum.Enum):
    """Who made a request."""

    OURSELVES = "one of our own pages, or the person who typed the address"
    FRIEND = "a page of a further origin, which may read what it asks for"
    STRANGER = "another site"
    NEIGHBOUR = "another origin of the same site, or one of which nothing good is known"
    SILENT = "somebody who does not say: no browser, or an old one"


class Ask(enum.Enum):
    """What comes of it."""

    GO_ON = "the request goes on"
    REFUSE = "it is refused"
    HEADER = "it goes on with a header that only our own pages can send"


def maker_of(site: str | None, origin: str | None, *, own: Collection[str], further: Collection[str]) -> Maker:
    """Who made a request.

    :param site: ``Sec-Fetch-Site``. :param origin: ``Origin``.
    :param own: our own origins. :param further: other origins that are let in.
    """
    if origin in further:
        return Maker.FRIEND
    if site == "cross-site" or (origin is not None and origin not in own):
        return Maker.STRANGER
    if origin is not None or site in ("same-origin", "none"):
        return Maker.OURSELVES
    return Maker.SILENT if site is None else Maker.NEIGHBOUR


def judge_unsafe(maker: Maker, policy: CrossSite, *, has_cookie: bool) -> Ask:
    """What comes of a request that may change something (RFC 10017, section 6.1).

    Sign-in is for our own pages alone: a page that signs somebody in elsewhere decides who they are (login CSRF).
    """
    if policy is CrossSite.EXEMPT or maker is Maker.OURSELVES:
        return Ask.GO_ON
    if maker is Maker.STRANGER or (maker is Maker.FRIEND and policy is CrossSite.OWN_TOKEN):
        return Ask.REFUSE
    if maker is Maker.FRIEND or policy is CrossSite.OWN_TOKEN or not has_cookie:
        return Ask.GO_ON
    return Ask.HEADER


def judge_safe(maker: Maker, route: Route | None, *, has_cookie: bool, is_navigation: bool) -> Ask:
    """What comes of a request that only reads.

    Another site cannot read the answer, but it can load it as an image or a script and measure what comes back. So with
    a cookie, from a row whose answer depends on it, another origin gets nothing but a page for the person to look at.
    """
    if maker not in (Maker.STRANGER, Maker.NEIGHBOUR) or not has_cookie or is_navigation:
        return Ask.GO_ON
    return Ask.REFUSE if route is None or depends_on_cookie(route) else Ask.GO_ON


def depends_on_cookie(route: Route) -> bool:
    """Whether a row's answer depends on the session, or its endpoint reads cookies itself."""
    return route.cross_site is not CrossSite.EXEMPT and (
        route.token is not Token.NONE or route.cross_site is CrossSite.OWN_TOKEN
    )


def is_navigation(method: str, mode: str | None, dest: str | None) -> bool:
    """Whether a person goes to a page with it: never within a frame, an object or an embed, and never to change."""
    return method == "GET" and mode == "navigate" and dest in ("document", None)


def may_cross(maker: Maker, method: str, route: Route) -> bool:
    """Whether a preflight for a request of this method may be granted."""
    if maker is not Maker.FRIEND or route.cross_site is CrossSite.EXEMPT:
        return False
    return method in ("GET", "HEAD") or route.cross_site is not CrossSite.OWN_TOKEN
