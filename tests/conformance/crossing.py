"""Cookies that cross over: a browser that talks to the real library and to ours in turns must not notice.

Each plan is played by the real library alone, then with every other request sent to ours, then the other way round, and
last by ours alone. The answers must be the same: sessions of either side are read, changed, rolled and ended by the other, and
so are CSRF tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.auth.comparing import Comparable, comparable
from tests.auth.deviations import judge
from tests.auth.exchanges import FIRST, Jar, Send, Step, config_of, keep_cookies, sign_in
from tests.conformance.servers import Pair

RENAME = Step("rename", "POST", "/session", json={"csrfToken": "{csrf}", "data": {"name": "Ada 大橋 🦊"}})
SIGN_OUT = Step("sign out", "POST", "/signout", form={"csrfToken": "{csrf}"}, returns=True)


class Plan(NamedTuple):
    """Steps, each with the configuration that it is sent to."""

    name: str
    steps: Sequence[tuple[str, Step]]


def plans() -> Iterator[Plan]:
    people = (("ada", "correct horse"), ("zoe", "pässwörd✓"), ("two", "correct horse"), ("three", "correct horse"))
    for config in ("default", "https", "rotated", "update"):
        for name, password in people:
            steps = [
                FIRST,
                sign_in(user=f"{name}@example.com", password=password),
                Step("session"),
                Step("session again"),
                RENAME,
                Step("session after update"),
                Step("session after update, again"),
                sign_in("another user", user="three@example.com"),
                Step("session of the other user"),
                sign_in("a small session again", user="ada@example.com"),
                Step("small session"),
                SIGN_OUT,
                Step("session, signed out"),
            ]
            yield Plan(f"{config}, {name}", [(config, step) for step in steps])
    yield Plan(
        "rotation",
        [
            ("old", FIRST),
            ("old", sign_in()),
            ("rotated", Step("session of the old secret", cookies=_without_csrf)),
            ("rotated", Step("session of the new secret")),
            ("new", Step("session without the old secret", cookies=_without_csrf)),
            ("new", Step("session again")),
            ("old", Step("session of a secret that is unknown", cookies=_without_csrf)),
        ],
    )


def _without_csrf(jar: Jar) -> str:
    return "; ".join(f"{name}={value}" for name, value in jar.items() if "csrf" not in name)


def play(plan: Plan, servers: Sequence[Send]) -> list[Comparable]:
    """The answers, when the requests go to the servers in turns."""
    jar: Jar = {}
    answers = []
    for number, (config, step) in enumerate(plan.steps):
        path, headers, body = step.request(jar, config_of(config)["basePath"])
        answer = servers[number % len(servers)](config, step.method, path, headers, body)
        keep_cookies(jar, answer.cookies)
        answers.append(comparable(answer, config))
    return answers


def compare_crossings(pair: Pair) -> tuple[int, dict[str, object]]:
    """How many answers were compared, and what differed."""
    compared, faults = 0, dict[str, object]()
    orders = {
        "in turns": (pair.theirs, pair.ours),
        "in turns, ours first": (pair.ours, pair.theirs),
        "ours": (pair.ours,),
    }
    for plan in plans():
        expected = play(plan, [pair.theirs])
        for order, servers in orders.items():
            for (config, step), theirs, ours in zip(plan.steps, expected, play(plan, servers), strict=True):
                compared += 1
                verdict = judge(step, config, theirs, ours)
                if verdict.unexplained:
                    faults[f"crossing / {plan.name} / {order} / {step.name}"] = verdict.unexplained
    return compared, faults
