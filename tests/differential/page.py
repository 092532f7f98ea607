"""The page of outcomes, ``docs/differential.md``: ``python -m tests.differential.page`` writes it anew."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.differential.corpus import CASES, TECHNIQUES, Technique
from tests.differential.outcomes import Outcome, filled, run
from tests.differential.plain import harm
from tests.differential.servers import COMMANDS, versions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "differential.md"
INTRODUCTION = """# Hostile requests

{cases} raw requests of {techniques} techniques, sent through four WSGI servers into the stack, with an upstream that
keeps every byte it is sent. The rule, held for each server and request by a test: **either nothing reaches the
upstream, or exactly one well-formed request that the table allows**, without the browser's cookies and credentials,
with one length and a body that is as long, on a connection that stays in step. What the server itself refuses is
refused, too; what passes was read in one way by the server, and leaves rebuilt.

*Plain* is how many of a technique's requests did harm when they were sent straight to a trusting upstream on Python's
`http.server`: a second request, a page that was not meant, an identity believed, a body misread, a crash. The other
columns are refused/passed.

This page is generated from a run: `python -m tests.differential.page`, with {versions}.
"""


def versions_line() -> str:
    return ", ".join(f"{name} {version}" for name, version in versions().items())


def page(outcomes: Mapping[str, Outcome]) -> str:
    """The page for the outcomes of a run."""
    lines = [INTRODUCTION.format(cases=len(CASES), techniques=len(TECHNIQUES), versions=versions_line())]
    lines.append(f"| | Technique | Why | Plain | {' | '.join(COMMANDS)} |")
    lines.append("|---|---|---|--:|" + "--:|" * len(COMMANDS))
    family = ""
    for technique in TECHNIQUES:
        shown = technique.family if technique.family != family else ""
        family = technique.family
        counts = [_count(technique, outcomes[name]) for name in COMMANDS]
        row = [shown, technique.name, technique.reason, str(harmful(technique)), *counts]
        lines.append(f"| {' | '.join(row)} |")
    totals = [f"{len(CASES) - passed}/{passed}" for passed in (len(outcomes[name].passed) for name in COMMANDS)]
    lines.append(f"| **all** | | | {sum(map(harmful, TECHNIQUES))} | {' | '.join(totals)} |")
    return "\n".join(lines) + "\n"


def harmful(technique: Technique) -> int:
    """How many requests of a technique do harm at the plain upstream."""
    cases = [case for case in CASES if case.technique is technique]
    return sum(bool(harm(filled(case, 80, "authjs.session-token=sealed"))) for case in cases)


def _count(technique: Technique, outcome: Outcome) -> str:
    passed = sum(outcome.passed[case.name] > 0 for case in CASES if case.technique is technique)
    return f"{len(technique.requests) - passed}/{passed}"


def is_of_these_versions(text: str) -> bool:
    """Whether a page was made with the installed servers; others may refuse more or less."""
    return re.search(r"with (.*)\.$", text, re.MULTILINE) is not None and f"with {versions_line()}." in text


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run(Path(folder))
    faults = [f"{outcome.server}: {fault}" for outcome in outcomes.values() for fault in outcome.faults]
    print(*faults, sep="\n", file=sys.stderr)
    if not faults:
        PAGE.write_text(page(outcomes))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
