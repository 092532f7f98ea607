"""The real ``next-auth/react`` against both servers: what it sees must be the same."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Final

from tests.conformance.servers import FOLDER, Pair

DEVIATIONS: Final[dict[str, dict[str, Any]]] = {
    "backend breaks": {"error": "CredentialsSignin", "code": "unavailable", "status": 200, "ok": True, "url": None},
}
"""What ours shows where it differs on purpose; see ``unavailable`` in docs/auth.md."""


def seen_by_client(url: str) -> list[tuple[str, Any]]:
    """Name and value of each thing that the client saw, in order."""
    process = subprocess.run(["node", "client.mjs", url], cwd=FOLDER, capture_output=True, text=True, timeout=120)
    if process.returncode:
        return [("the client failed", process.stderr[-2_000:])]
    return [(name, value) for name, value in json.loads(process.stdout)]


def compare_clients(pair: Pair) -> tuple[int, dict[str, object]]:
    """How many things were compared, and what differed."""
    theirs, ours = seen_by_client(pair.their_url), seen_by_client(pair.our_url)
    expected = [(name, DEVIATIONS.get(name, value)) for name, value in theirs]
    faults: dict[str, object] = {}
    if [name for name, _ in expected] != [name for name, _ in ours]:
        faults["steps"] = (theirs[-1], ours[-1])
    for (name, value), (_, mine) in zip(expected, ours, strict=False):
        if value != mine:
            faults[f"client / {name}"] = (value, mine)
    return len(expected), faults
