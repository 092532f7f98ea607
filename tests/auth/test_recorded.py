"""Every recorded exchange with the real library, played again with ours.

``data/recorded-exchanges.json`` holds what @auth/core 0.41.3 answered, random values masked; ``make conformance``
compares with the living library, and ``python -m tests.conformance.run --record`` writes the file anew.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import responses
from requests.adapters import HTTPAdapter

from tests.auth.browser import in_process
from tests.auth.comparing import comparable, from_json
from tests.auth.conftest import BACKEND
from tests.auth.deviations import DEVIATIONS, judge, synchronise
from tests.auth.exchanges import Flow, Jar, Switch, flows, keep_cookies, run
from tests.conformance.servers import our_apps

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data/recorded-exchanges.json").read_text())
FLOWS = flows()
DOCUMENT = Path(__file__).parent.parent.parent / "docs/auth.md"


def test_the_record_is_complete() -> None:
    """Every step has its recorded answer, there are no others, and there are at least 150."""
    keys = [
        f"{flow.name} / {number:02d} {step.name}"
        for flow in FLOWS
        for number, step in enumerate(flow.steps)
        if not isinstance(step, Switch)
    ]
    assert sorted(keys) == sorted(RECORDED)
    assert len(set(keys)) == len(keys) >= 150


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_flow(flow: Flow, django: responses.RequestsMock) -> None:
    """Status, headers, cookies and body are those of the real library, but for the deviations that the step names."""
    theirs_jar: Jar = {}
    for exchange in run(flow, in_process(our_apps(BACKEND, HTTPAdapter()))):
        theirs = from_json(RECORDED[exchange.key])
        keep_cookies(theirs_jar, theirs.cookies)
        verdict = judge(exchange.step, exchange.config, theirs, comparable(exchange.answer, exchange.config))
        assert verdict.unexplained == {}, exchange.key
        if verdict.used:
            synchronise(exchange.jar, theirs_jar)


def test_every_deviation_is_used_and_explained() -> None:
    """No deviation is listed that no exchange shows, and the documentation gives each its reason."""
    used = Counter(name for flow in FLOWS for step in flow.steps for name in step.deviations)
    assert set(used) == set(DEVIATIONS)
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in DEVIATIONS if f"`{name}`" not in text] == []
