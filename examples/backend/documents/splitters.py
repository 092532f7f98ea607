"""Splitting text into chunks. The same input always gives the same chunks."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK_CHARACTERS = 800
ROWS_PER_CHUNK = 20
HEADING = re.compile(r"#{1,6}\s+(?P<title>.+)")
SECTION_START = re.compile(r"(?m)^(?=#{1,6}\s)")
BLANK_LINE = re.compile(r"\n\s*\n")


@dataclass(frozen=True)
class Piece:
    """A chunk before it is stored."""

    text: str
    page_number: int | None = None
    section_heading: str = ""
    metadata: dict = field(default_factory=dict)


def split_text(text: str) -> Iterator[Piece]:
    """Plain text and Markdown: form feeds part pages, headings part sections, blank lines part paragraphs."""
    heading = ""
    for page_number, page in enumerate(text.split("\f"), start=1):
        for section in SECTION_START.split(page):
            heading = _heading_of(section) or heading
            for passage in _cut(section.strip()):
                yield Piece(passage, page_number, heading, {"characters": len(passage)})


def split_csv(text: str) -> Iterator[Piece]:
    """A table: each chunk repeats the column names beside the values of some rows."""
    columns, *rows = list(csv.reader(io.StringIO(text), strict=True)) or [[]]
    for start in range(0, len(rows), ROWS_PER_CHUNK):
        group = rows[start : start + ROWS_PER_CHUNK]
        lines = [", ".join(map(": ".join, zip(columns, row, strict=False))) for row in group]
        metadata = {"columns": columns, "first_row": start + 1, "last_row": start + len(group)}
        yield Piece("\n".join(lines), metadata=metadata)


def _heading_of(section: str) -> str:
    """The title of a section that begins with a heading."""
    match = HEADING.match(section)
    return match["title"].strip()[:500] if match else ""


def _cut(section: str) -> Iterator[str]:
    """Whole paragraphs as long as they fit into one chunk."""
    passage = ""
    for part in _parts(section):
        if passage and len(passage) + len(part) > CHUNK_CHARACTERS:
            yield passage
            passage = ""
        passage = f"{passage}\n\n{part}" if passage else part
    if passage:
        yield passage


def _parts(section: str) -> Iterator[str]:
    """Paragraphs; one that is longer than a chunk is cut hard."""
    for paragraph in BLANK_LINE.split(section):
        for start in range(0, len(paragraph), CHUNK_CHARACTERS):
            yield paragraph[start : start + CHUNK_CHARACTERS]
