"""How often something may happen: ``10 per 15 minutes``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_UNITS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_RATE: Final = re.compile(r"([1-9][0-9]{0,5}) ?(?:per|/) ?(?:([1-9][0-9]{0,3}) )?(second|minute|hour|day)s?")


class Rate(NamedTuple):
    """So many times in so many seconds."""

    amount: int
    seconds: int

    def __str__(self) -> str:
        unit = next(unit for unit in reversed(_UNITS) if self.seconds % _UNITS[unit] == 0)
        count = self.seconds // _UNITS[unit]
        return f"{self.amount} per {unit}" if count == 1 else f"{self.amount} per {count} {unit}s"


def parse_rate(text: str) -> Rate | None:
    """``"5/hour"``, ``"10 per 15 minutes"``; ``None`` for ``off``. :raises ValueError: for anything else."""
    if text == "off":
        return None
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError("write it as '10 per 15 minutes', or 'off'")
    return Rate(int(found[1]), int(found[2] or 1) * _UNITS[found[3]])
