"""``make demo``, as a newcomer meets it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.integration import servers

pytestmark = pytest.mark.integration


def test_demo_starts_says_what_to_try_and_stops() -> None:
    """The demo prints a URL, a login and five curl lines that work, and Ctrl-C stops both servers cleanly."""
    process = subprocess.Popen(
        [sys.executable, "examples/demo.py"], cwd=servers.ROOT, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        printed = "".join(lines)
        script = printed.partition("Or in another terminal:")[2].partition("The first")[0]
        assert script.count("curl ") == 5
        run = subprocess.run(["bash", "-euc", script], check=True, capture_output=True, text=True, timeout=60)
        refused, _, rest = run.stdout.partition("}")
        assert '"Unauthorized"' in refused
        assert "Analytical Engine" in rest
        assert "First chat" in rest
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        process.stdout.close()
