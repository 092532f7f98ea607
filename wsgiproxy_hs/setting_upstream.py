"""How the upstream is talked to."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from wsgiproxy_hs.setting_faults import variable as _variable
from wsgiproxy_hs.setting_types import Count, Seconds


class UpstreamSettings(BaseModel):
    """How the upstream is talked to."""

    connect_timeout_seconds: Seconds = _variable(
        "CONNECT_TIMEOUT_SECONDS", default=5.0, doc="longest wait for a connection to the backend"
    )
    first_byte_timeout_seconds: Seconds = _variable(
        "FIRST_BYTE_TIMEOUT_SECONDS", default=60.0, doc="longest wait for the backend to begin its answer"
    )
    idle_timeout_seconds: Seconds = _variable(
        "IDLE_TIMEOUT_SECONDS", default=60.0, doc="longest pause within the backend's answer"
    )
    total_timeout_seconds: Seconds = _variable(
        "TOTAL_TIMEOUT_SECONDS", default=600.0, doc="longest time for a whole answer of the backend"
    )
    stream_idle_timeout_seconds: Seconds = _variable(
        "STREAM_IDLE_TIMEOUT_SECONDS", default=3600.0, doc="longest pause of an event stream, which has no total"
    )
    heartbeat_seconds: Seconds = _variable(
        "STREAM_HEARTBEAT_SECONDS", default=15.0, doc="longest silence of an event stream towards the browser"
    )
    max_connections: Count = _variable(
        "MAX_UPSTREAM_CONNECTIONS", default=64, doc="most connections to the backend at once, for each process"
    )
    max_streams: Count = _variable(
        "MAX_UPSTREAM_STREAMS", default=256, doc="most event streams at once, for each process"
    )
    breaker_failures: Annotated[int, Field(ge=0)] = _variable(
        "BREAKER_FAILURES", default=10, doc="failures of the backend in a row after which it is left alone; 0 for never"
    )
    breaker_seconds: Seconds = _variable(
        "BREAKER_SECONDS", default=5.0, doc="how long it is left alone before one request tries it"
    )
    ca_bundle: str | None = _variable(
        "UPSTREAM_CA_BUNDLE", default=None, doc="file of the authorities that may vouch for the backend"
    )
    client_certificate: str | None = _variable(
        "UPSTREAM_CLIENT_CERTIFICATE", default=None, doc="file with our certificate and key for the backend"
    )

    @property
    def clocks(self) -> dict[str, float]:
        """How long an exchange with the upstream may take, as ``Clocks`` takes it."""
        return {
            "connect": self.connect_timeout_seconds,
            "first_byte": self.first_byte_timeout_seconds,
            "idle": self.idle_timeout_seconds,
            "total": self.total_timeout_seconds,
            "stream_idle": self.stream_idle_timeout_seconds,
        }
