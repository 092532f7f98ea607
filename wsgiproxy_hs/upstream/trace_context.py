"""``traceparent`` and ``tracestate``, which anybody may have written: what is malformed goes no further (F157).

https://www.w3.org/TR/trace-context/ , sections 3.2 and 3.3.
"""

from __future__ import annotations

import re
from typing import Final

MAX_STATE_CHARACTERS: Final = 1024
"""The standard wants 512 to travel; nobody's tracing needs the size of a page."""

TRACE_HEADERS: Final = frozenset({"Traceparent", "Tracestate"})

_PARENT: Final = re.compile(
    r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    r"|(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{0,200})?"
)
_KEY: Final = r"[a-z0-9][a-z0-9_*/-]{0,255}(?:@[a-z][a-z0-9_*/-]{0,13})?"
_MEMBER: Final = rf"(?:{_KEY}=[ -+\--<>-~]{{0,255}}[!-+\--<>-~])?"
_STATE: Final = re.compile(rf"{_MEMBER}(?:[ \t]*,[ \t]*{_MEMBER}){{0,31}}")


def drop_malformed(headers: dict[str, str]) -> None:
    """Take ``Traceparent`` and ``Tracestate`` out of ``headers`` where they are malformed.

    A state without its parent means nothing; a parent goes on without its state.
    """
    parent, state = headers.get("Traceparent"), headers.get("Tracestate")
    if parent is not None and _PARENT.fullmatch(parent) is None:
        del headers["Traceparent"]
        parent = None
    if state is not None and (parent is None or not is_trace_state(state)):
        del headers["Tracestate"]


def is_trace_state(text: str) -> bool:
    """Whether a text is a list of at most 32 members, each a key and a value."""
    return len(text) <= MAX_STATE_CHARACTERS and _STATE.fullmatch(text) is not None
