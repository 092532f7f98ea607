"""Tokens, cookies and answers recorded from the real ``@auth/core`` 0.41.3 and ``next-auth`` 4.24.15."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

Entry = dict[str, Any]

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "authjs-vectors.json").read_text(encoding="utf-8")
)


def entries(version: str, member: str) -> list[Entry]:
    """The recorded entries ``version`` (``v5`` or ``v4``) / ``member``."""
    found: list[Entry] = VECTORS[version][member]
    return found


def each(version: str, member: str, **conditions: object) -> pytest.MarkDecorator:
    """Parametrize ``entry`` over the recorded entries, or over those whose members are as ``conditions`` say."""
    chosen = [
        entry
        for entry in entries(version, member)
        if all(entry.get(name) == value for name, value in conditions.items())
    ]
    return pytest.mark.parametrize("entry", [pytest.param(entry, id=entry["id"]) for entry in chosen])


def typical(version: str) -> Entry:
    """A credentials session with two Django tokens."""
    return next(entry for entry in entries(version, "sessions") if entry["id"] == "typical")


def secrets(entry: Entry) -> list[str]:
    """The entry's secret or secrets, as a list."""
    return [entry["secret"]] if isinstance(entry["secret"], str) else list(entry["secret"])


def header(cookies: list[list[str]]) -> str:
    """The ``Cookie`` header that carries ``cookies``."""
    return "; ".join(f"{name}={value}" for name, value in cookies)
