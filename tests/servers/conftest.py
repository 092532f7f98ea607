"""The four servers, started once each: one with patience, and one without for upstreams that are slow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.running import SERVERS, Served, served

HEARTBEAT_SECONDS = 0.3


@pytest.fixture(scope="session", params=SERVERS)
def name(request: pytest.FixtureRequest) -> str:
    """A server's name; tests of one server run one after the other."""
    return str(request.param)


@pytest.fixture(scope="session")
def server(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that waits long enough for any upstream that means well."""
    clocks = {"FIRST_BYTE_TIMEOUT_SECONDS": "10", "IDLE_TIMEOUT_SECONDS": "10", "TOTAL_TIMEOUT_SECONDS": "60"}
    folder = tmp_path_factory.mktemp(name)
    with served(name, folder, STREAM_HEARTBEAT_SECONDS=str(HEARTBEAT_SECONDS), **clocks) as running:
        yield running


@pytest.fixture(scope="session")
def hasty(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the clocks of ``tests.faults.asking.HASTY``."""
    clocks = {"CONNECT_TIMEOUT_SECONDS": "0.3", "FIRST_BYTE_TIMEOUT_SECONDS": "0.3", "IDLE_TIMEOUT_SECONDS": "0.3"}
    with served(name, tmp_path_factory.mktemp(name), TOTAL_TIMEOUT_SECONDS="0.8", **clocks) as running:
        yield running
