"""werkzeug's development server on a port, for the tests: ``python -m tests.differential.dev_server PORT``."""

from __future__ import annotations

import sys

from werkzeug.serving import run_simple

from tests.differential.front import make_app

if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), make_app(), threaded=True)
