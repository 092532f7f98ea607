"""For all tests: nothing is shared with other runs."""

from __future__ import annotations

import tempfile

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Renewals are remembered in the temporary directory, and so each run has one of its own."""
    tempfile.tempdir = str(tmp_path_factory.mktemp("temporary"))


LONG = ("tests/fuzz/", "tests/differential/", "tests/renewal/test_model", "tests/renewal/test_processes",
        "tests/renewal/test_real_backend", "tests/attacks/test_slow_client")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes its time is marked by where it stands."""
    for item in items:
        if item.nodeid.startswith(LONG):
            item.add_marker(pytest.mark.long)
