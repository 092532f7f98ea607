"""For all tests: nothing is shared with other runs."""

from __future__ import annotations

import tempfile

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Renewals are remembered in the temporary directory, and so each run has one of its own."""
    tempfile.tempdir = str(tmp_path_factory.mktemp("temporary"))
