"""What every error here has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

UPLOAD_DRAIN_BYTES: Final = 33_554_432
"""How much of a refused upload is read away: browsers read an answer only after they have sent all (F084)."""

Header = tuple[str, str]
Fields = Mapping[str, object]


class ConfigurationError(Exception):
    """The configuration is wrong and nothing was started.

    ``faults`` holds one sentence a fault, each naming the setting or the row and how to mend it: one start shows all.
    """

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class ProxyError(Exception):
    """Whatever a layer refuses: rendered by :mod:`wsgiproxy_hs.error_document`, by ``ErrorMiddleware`` alone.

    :param detail: the sentence for the person who reads it; the class's own when not given.
    :param fields: messages by field in the form of Django REST framework, so that a form has one shape to read.
    :param headers: header fields that the answer must carry.

    ``drain_bytes``: how much of the request body is worth reading away so that the client sees the answer and not a
    reset (F084); the layer that answers has a bound of its own, and the larger one counts. ``None`` means nothing.
    """

    status: int = 500
    code: str = "internal-error"
    detail: str = "Internal server error"
    drain_bytes: int | None = 0

    def __init__(
        self, detail: str | None = None, *, fields: Fields | None = None, headers: Iterable[Header] = ()
    ) -> None:
        if detail is not None:
            self.detail = detail
        self.fields = fields
        self.headers: list[Header] = list(headers)
        super().__init__(self.detail)


def retry_after(seconds: float) -> Header:
    """``Retry-After`` in whole seconds, never none (RFC 9110, section 10.2.3)."""
    return ("Retry-After", str(max(1, math.ceil(seconds))))
