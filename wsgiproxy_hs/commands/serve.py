"""``wsgiproxy-hs serve``: the app under gunicorn, with threads and limits that suit it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from typing import Any

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app


def add_to(commands: Any) -> None:
    command = commands.add_parser("serve", help="serve the app under gunicorn", description=__doc__)
    command.add_argument("--bind", default="127.0.0.1:8080", help="address and port (default: %(default)s)")
    command.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    command.add_argument("--threads", type=int, default=256, help="threads of each process (default: %(default)s)")
    command.add_argument("gunicorn", nargs="*", help="further arguments for gunicorn, after --")
    command.set_defaults(run=run)


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    create_app(Settings.from_environ(environ))  # all faults now and at once, not in each worker
    try:
        import gunicorn  # noqa: F401
    except ImportError:
        raise ConfigurationError("serve needs gunicorn: pip install 'wsgiproxy_hs[gunicorn]'") from None
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *arguments(options)])  # noqa: S606


def arguments(options: argparse.Namespace) -> list[str]:
    """gunicorn's arguments, each with its reason."""
    return [
        f"--bind={options.bind}",
        f"--workers={options.workers}",
        "--worker-class=gthread",  # a slow upstream holds a thread, not the process
        f"--threads={options.threads}",  # an idle or slow client holds a thread too, and an idle thread costs little
        "--graceful-timeout=30",  # what is under way may finish
        "--keep-alive=5",
        "--limit-request-line=8190",  # the most that it allows; MAX_URL_BYTES is 8192, its own default 4094
        "--limit-request-field_size=16380",  # a session in three cookies is 12 KB in one header line (F017)
        *options.gunicorn,
        "wsgiproxy_hs:app",
    ]
