"""``wsgiproxy-hs secrets new|rotate``: the ``AUTH_SECRET`` lines for a first start, and for each step of a rotation.

The lines go to standard output, for your environment file or secret store; what they mean goes to standard error.
Nothing is written anywhere else. The procedure is in docs/key-rotation.md.
"""

from __future__ import annotations

import argparse
import secrets as randomness
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.secret_strength import secret_fault
from wsgiproxy_hs.settings import SECRET_VARIABLES

SLOTS: Final = ("AUTH_SECRET", "AUTH_SECRET_1", "AUTH_SECRET_2", "AUTH_SECRET_3")
"""From the last to be tried to the one that seals."""
STEPS: Final = {
    "add": "1 of 3: every server learns the new secret, and none seals with it yet. Next, when all run: rotate use",
    "use": "2 of 3: the new secret seals, the old ones still open. Next, after SESSION_MAX_AGE_SECONDS: rotate drop",
    "drop": "3 of 3: only the secret that seals is left. Sessions that nobody used since step 2 are over",
}


def add_to(commands: Any) -> None:
    command = commands.add_parser("secrets", help="make or rotate the secrets of sessions", description=__doc__)
    actions = command.add_subparsers(title="actions", required=True, metavar="ACTION")
    new = actions.add_parser("new", help="the line for a first start")
    new.set_defaults(run=run_new)
    rotate = actions.add_parser("rotate", help="the lines for the next step, from the secrets in the environment")
    rotate.add_argument("step", choices=STEPS, help="add a secret that opens, use it to seal, drop the others")
    rotate.set_defaults(run=run_rotate)


def run_new(_: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if any(environ.get(name, "").strip() for name in SECRET_VARIABLES):
        print("There are secrets already; `wsgiproxy-hs secrets rotate add` keeps their sessions", file=sys.stderr)
        return 2
    print(f"AUTH_SECRET={new_secret()}")
    return 0


def run_rotate(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    present = [value for name in SECRET_VARIABLES if (value := environ.get(name, "").strip())]
    for line in lines(rotated(options.step, present), environ):
        print(line)
    print(f"# Step {STEPS[options.step]}", file=sys.stderr)
    print(
        "# The highest number seals, all open. Replace all these lines together; empty ones are unset.",
        file=sys.stderr,
    )
    return 0


def rotated(step: str, present: Sequence[str]) -> list[str]:
    """The secrets after a step, the one that seals first.

    :param step: ``add``, ``use`` or ``drop``. :param present: the secrets before it, in the same order.
    :raises ConfigurationError: when the step cannot be taken from there.
    """
    if not present:
        raise ConfigurationError("No secret is set; `wsgiproxy-hs secrets new` makes the first")
    if step == "drop":
        return [present[0]]
    if step == "use":
        if len(present) < 2:
            raise ConfigurationError("There is one secret only; begin with `wsgiproxy-hs secrets rotate add`")
        return [present[-1], *present[:-1]]
    if len(present) >= len(SLOTS):
        raise ConfigurationError("There are as many secrets as there is room for; finish with `secrets rotate drop`")
    return [*present, new_secret()]


def lines(secrets: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The environment's lines for these secrets; variables that are set and no longer wanted are set to nothing."""
    wanted = dict(zip(reversed(SLOTS[: len(secrets)]), secrets, strict=True))
    cleared = [name for name in SECRET_VARIABLES if environ.get(name, "").strip() and name not in wanted]
    return [f"{name}={value}" for name, value in wanted.items()] + [f"{name}=" for name in cleared]


def new_secret() -> str:
    """256 random bits in characters that no shell or environment file gives a meaning to."""
    while secret_fault(secret := randomness.token_urlsafe(32)):
        pass  # it spells a word such as "changeme"; once in many lifetimes
    return secret
