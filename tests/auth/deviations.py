"""Where our answer differs from the real library's on purpose. Each is named, checked, and explained in docs/auth.md.

A step of an exchange names the deviations that it must show: one that does not show is as wrong as one that is not
named. Those in ``EVERYWHERE`` need no naming; they belong to a kind of answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.auth.comparing import Comparable, differences
from tests.auth.exchanges import Jar, Step, config_of
from wsgiproxy_hs.auth.callback_urls import callback_url

ALL: Final = frozenset(Comparable._fields)


class Case(NamedTuple):
    """Two answers to one step."""

    step: Step
    config: dict[str, Any]
    theirs: Comparable
    ours: Comparable


class Deviation(NamedTuple):
    """``members`` may differ, if ``holds`` says that ours is what was meant."""

    members: frozenset[str]
    holds: Callable[[Case], bool]


def location_of(answer: Comparable) -> str:
    """Where an answer leads: its ``Location``, else the URL in its body."""
    given = dict(answer.headers).get("location")
    return given if given is not None else json.loads(answer.body)["url"]


def _callback_is_followed(case: Case) -> bool:
    """The sign-in succeeds, and leads where our rule says."""
    given = (case.step.form or {}).get("callbackUrl") if case.step.json is None else case.step.json["callbackUrl"]  # type: ignore[union-attr]
    target = callback_url(given, case.config["origin"])
    return case.ours.claims is not None and location_of(case.ours) == target and target.isascii()


def _ends_as(**query: str) -> Callable[[Case], bool]:
    """The page that the answer leads to is told exactly this."""

    def holds(case: Case) -> bool:
        given = {name: values[-1] for name, values in parse_qs(urlsplit(location_of(case.ours)).query).items()}
        return given == query and case.ours.claims is None and case.ours.cookies == []

    return holds


def _without(header: str, answer: Comparable) -> list[list[str]]:
    return [field for field in answer.headers if field[0] != header]


def _session_survives(case: Case) -> bool:
    return case.theirs.claims is None and case.ours.claims is not None and case.theirs.body == "null"


DEVIATIONS: Final[Mapping[str, Deviation]] = {
    "retry-after": Deviation(
        frozenset({"headers", "body"}), _ends_as(error="CredentialsSignin", code="throttled", retryAfter="90")
    ),
    "unavailable": Deviation(frozenset({"headers", "body"}), _ends_as(error="CredentialsSignin", code="unavailable")),
    "duplicate-csrf": Deviation(
        frozenset({"cookies", "body", "claims", "headers"}),
        lambda case: case.ours.cookies == [] and case.ours.claims is None,
    ),
    "strict-callback-url": Deviation(ALL - {"status"}, _callback_is_followed),
    "encoded-callback-url": Deviation(ALL - {"status"}, _callback_is_followed),
    "broken-callback-url": Deviation(
        ALL, lambda case: case.ours.status in (200, 302) and "Configuration" not in str(case.ours)
    ),
    "body-limit": Deviation(ALL, lambda case: case.ours.status == 413 and case.ours.cookies == []),
    "page-parameters": Deviation(
        frozenset({"body"}), lambda case: case.ours.body[0]["inputs"][0] == ["csrfToken", "hidden", "<64 hex>"]
    ),
    "encoded-error": Deviation(frozenset({"headers"}), lambda case: " " not in location_of(case.ours)),
    "page-with-query": Deviation(frozenset({"body"}), lambda case: location_of(case.ours).count("?") == 1),
    "stale-chunk": Deviation(frozenset({"cookies", "claims", "body"}), _session_survives),
    "exact-names": Deviation(frozenset({"cookies"}), lambda case: case.ours.cookies == []),
    "both-names": Deviation(
        frozenset({"cookies"}),
        lambda case: (
            case.ours.cookies == ["__Secure-authjs.session-token=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"]
        ),
    ),
    "single-secret-csrf": Deviation(frozenset({"cookies"}), lambda case: case.ours.cookies == []),
    "foreign-post": Deviation(ALL - {"status"}, _ends_as(error="MissingCSRF")),
    "decoded-path": Deviation(ALL, lambda case: case.ours.status == 200),
    "whole-segment": Deviation(ALL, lambda case: case.ours.status == 400),
}

EVERYWHERE: Final[Mapping[str, Deviation]] = {
    "redirect-type": Deviation(
        frozenset({"headers"}),
        lambda case: (
            case.ours.status == 302
            and ["content-type", "text/plain"] in case.ours.headers
            and _without("content-type", case.ours) == case.theirs.headers
        ),
    ),
    "page-headers": Deviation(
        frozenset({"headers"}),
        lambda case: (
            ["content-type", "text/html"] in case.ours.headers
            and all(field in case.ours.headers for field in case.theirs.headers)
            and "content-security-policy" in dict(case.ours.headers)
        ),
    ),
}


class Verdict(NamedTuple):
    """``unexplained`` is empty when all is well; ``used`` names the deviations that were seen."""

    used: tuple[str, ...]
    unexplained: Mapping[str, tuple[Any, Any]]


def judge(step: Step, config_name: str, theirs: Comparable, ours: Comparable) -> Verdict:
    """Compare two answers to one step."""
    case = Case(step, config_of(config_name), theirs, ours)
    found = differences(theirs, ours)
    named = [(name, DEVIATIONS[name]) for name in step.deviations]
    for name, deviation in named:
        if not found or not deviation.holds(case):
            return Verdict((), {f"deviation {name} does not hold": (theirs, ours)})
        found = {member: pair for member, pair in found.items() if member not in deviation.members}
    used = [name for name, _ in named]
    for name, deviation in EVERYWHERE.items():
        if found and set(found) & deviation.members and deviation.holds(case):
            found = {member: pair for member, pair in found.items() if member not in deviation.members}
            used.append(name)
    return Verdict(tuple(used), found)


def synchronise(ours: Jar, theirs: Jar) -> None:
    """After a deviation: give our browser the callback URL of theirs, and no session where theirs has none."""
    for name in [name for name in ours if "callback-url" in name or "session-token" in name]:
        if "callback-url" in name and name in theirs:
            ours[name] = theirs[name]
        elif name not in theirs:
            del ours[name]
    ours.update({name: value for name, value in theirs.items() if "callback-url" in name})
