"""The command line: ``wsgiproxy-hs routes | check | serve | session | secrets``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from wsgiproxy_hs.commands import check, routes, secrets, serve, session
from wsgiproxy_hs.exceptions import ConfigurationError


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser(
        prog="wsgiproxy-hs", description="A backend-for-frontend proxy. Settings come from environment variables."
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (routes, check, serve, session, secrets):
        module.add_to(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 well, 1 not well, 2 wrong use or wrong settings."""
    options = parser().parse_args(arguments)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # WSGIPROXY_ROUTES names a module of the project, as servers find it
    try:
        return int(options.run(options, os.environ))
    except ConfigurationError as error:
        print("The configuration is wrong:", *error.faults, sep="\n  ", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 1


if __name__ == "__main__":
    sys.exit(main())
