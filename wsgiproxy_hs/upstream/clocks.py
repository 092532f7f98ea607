"""How long an exchange may take: the clocks of one request."""

from __future__ import annotations

from urllib3.util import Timeout


class Clocks(Timeout):
    """Four clocks, in seconds. Any other transport adapter sees a ``Timeout`` with the first two.

    :param connect: until a connection stands, each address of the upstream included.
    :param first_byte: from the sent request to the first byte of the answer.
    :param idle: longest pause within the answer.
    :param total: from the sent request to the last byte of the answer.
    """

    def __init__(
        self, *, connect: float = 5.0, first_byte: float = 60.0, idle: float = 60.0, total: float = 600.0
    ) -> None:
        super().__init__(connect=connect, read=first_byte)
        self.connect_seconds = connect
        self.first_byte_seconds = first_byte
        self.idle_seconds = idle
        self.total_seconds = total

    @classmethod
    def of(cls, timeout: Timeout) -> Clocks:
        """The clocks of a plain ``Timeout``: its read timeout serves as first byte and as idle."""
        if isinstance(timeout, Clocks):
            return timeout
        connect, read = timeout.connect_timeout, timeout.read_timeout
        limit = read if isinstance(read, (int, float)) else 60.0
        return cls(connect=connect if isinstance(connect, (int, float)) else 5.0, first_byte=limit, idle=limit)

    def clone(self) -> Clocks:
        """A copy; ``Timeout`` promises one."""
        return Clocks(
            connect=self.connect_seconds,
            first_byte=self.first_byte_seconds,
            idle=self.idle_seconds,
            total=self.total_seconds,
        )
