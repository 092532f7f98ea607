"""Changes of a sealed token: ``python -m tests.fuzz.mutations --tries 1000000`` tries that many of each format."""

from __future__ import annotations

import argparse
import random
import string
import sys
import time

ALPHABET = string.ascii_letters + string.digits + "-_"
ODD = "=+/. %\n\0é\u0131"


def mutated(token: str, source: random.Random) -> str:
    """The token with one to three changes; never the token itself."""
    text = token
    while text == token:
        for _ in range(source.choice((1, 1, 1, 2, 3))):
            text = source.choice(_CHANGES)(text, source.randrange(len(text) + 1), source)
    return text


def _replace(text: str, at: int, source: random.Random) -> str:
    return text[:at] + source.choice(ALPHABET) + text[at + 1 :]


def _replace_oddly(text: str, at: int, source: random.Random) -> str:
    return text[:at] + source.choice(ODD) + text[at + 1 :]


def _insert(text: str, at: int, source: random.Random) -> str:
    return text[:at] + source.choice(ALPHABET + ODD) + text[at:]


def _delete(text: str, at: int, source: random.Random) -> str:
    return text[:at] + text[at + source.choice((1, 1, 4, 16)) :]


def _swap(text: str, at: int, source: random.Random) -> str:
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def _swap_case(text: str, at: int, source: random.Random) -> str:
    return text[:at] + text[at : at + 1].swapcase() + text[at + 1 :]


def _repeat(text: str, at: int, source: random.Random) -> str:
    return text[:at] + text[max(0, at - source.choice((1, 4, 16))) :]


def _last_of_segment(text: str, at: int, source: random.Random) -> str:
    """Another character at the end of a segment, where base64 has bits to spare."""
    segments = text.split(".")
    index = at % len(segments)
    if segments[index]:
        segments[index] = segments[index][:-1] + source.choice(ALPHABET)
    return ".".join(segments)


def _swap_segments(text: str, at: int, source: random.Random) -> str:
    segments = text.split(".")
    source.shuffle(segments)
    return ".".join(segments)


_CHANGES = (
    _replace, _replace, _replace_oddly, _insert, _delete, _swap, _swap_case, _repeat, _last_of_segment, _swap_segments,
)  # fmt: skip


def main(arguments: list[str]) -> int:
    from tests.fuzz.properties import GOLDEN, check_token

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    for kind, token in GOLDEN.items():
        source, started = random.Random(f"{kind}{options.seed}"), time.monotonic()
        for _ in range(options.tries):
            check_token(kind, mutated(token, source))
        print(f"{kind}: none of {options.tries:,} mutated tokens accepted, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
