"""How long an exchange may take: the clocks of one request."""

from __future__ import annotations

from typing import Final

from urllib3.util import Timeout

DEFAULT_CONNECT_SECONDS: Final = 5.0
DEFAULT_SECONDS: Final = 60.0
DEFAULT_TOTAL_SECONDS: Final = 600.0
DEFAULT_STREAM_SECONDS: Final = 3600.0


class Clocks(Timeout):
    """Five clocks, in seconds (F135). Any other transport adapter sees a ``Timeout`` with the first two.

    :param connect: until a connection stands: every address of the upstream, and TLS.
    :param first_byte: from the sent request to the first byte of the answer; interim answers do not stop it.
    :param idle: longest pause while a body is on its way, in either direction.
    :param total: from the first byte of the request to the last byte of the answer.
    :param stream_idle: longest pause of an event stream, which has no total (F116).
    """

    def __init__(
        self,
        *,
        connect: float = DEFAULT_CONNECT_SECONDS,
        first_byte: float = DEFAULT_SECONDS,
        idle: float = DEFAULT_SECONDS,
        total: float = DEFAULT_TOTAL_SECONDS,
        stream_idle: float = DEFAULT_STREAM_SECONDS,
    ) -> None:
        super().__init__(connect=connect, read=first_byte)
        self.connect_seconds = connect
        self.first_byte_seconds = first_byte
        self.idle_seconds = idle
        self.total_seconds = total
        self.stream_idle_seconds = stream_idle

    @classmethod
    def of(cls, timeout: Timeout | None) -> Clocks:
        """The clocks of a plain ``Timeout``: its read timeout serves as first byte and as idle; no clock is endless."""
        if isinstance(timeout, Clocks):
            return timeout
        if timeout is None:
            return cls()
        running = timeout.clone()
        running.start_connect()  # a timeout with a total can only be read while it runs
        limit = _seconds(running.read_timeout, DEFAULT_SECONDS)
        return cls(
            connect=_seconds(running.connect_timeout, DEFAULT_CONNECT_SECONDS),
            first_byte=limit,
            idle=limit,
            total=_seconds(timeout.total, DEFAULT_TOTAL_SECONDS),
        )

    def clone(self) -> Clocks:
        """A copy; ``Timeout`` promises one."""
        return Clocks(
            connect=self.connect_seconds,
            first_byte=self.first_byte_seconds,
            idle=self.idle_seconds,
            total=self.total_seconds,
            stream_idle=self.stream_idle_seconds,
        )


def _seconds(value: object, default: float) -> float:
    """A number of seconds; anything else, ``None`` and urllib3's mark for "not given", is the default."""
    return float(value) if isinstance(value, (int, float)) else default
