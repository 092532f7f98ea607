"""What every part of the benchmark hands back: text for the page, figures with their bars, wrong answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A figure and the most that it may be. ``unit``: what stands behind the number, with its blank if it has one."""

    what: str
    at_most: float
    measured: float
    unit: str

    @property
    def is_met(self) -> bool:
        """Whether the figure is at its bar or below."""
        return self.measured <= self.at_most


@dataclass(frozen=True)
class Part:
    """A section of the page. ``wrong``: answers that were not what they had to be, and so measured nothing."""

    title: str
    text: str
    bars: tuple[Bar, ...] = ()
    wrong: int = 0


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a column whose name begins with ``>`` is set flush right."""
    names = [column.removeprefix(">") for column in columns]
    rules = ["--:" if column.startswith(">") else "---" for column in columns]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, rules, *rows)) + "\n"


def mebibytes(size: float) -> str:
    return f"{size / 1_048_576:,.1f} MiB"
