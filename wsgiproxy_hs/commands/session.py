"""``wsgiproxy-hs session seal|unseal|revoke``: makes, opens and ends sessions, for tests and support."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Mapping
from typing import Any

from wsgiproxy_hs.assembly import make_sessions
from wsgiproxy_hs.exceptions import RenewalUnavailable
from wsgiproxy_hs.sessions import Sessions
from wsgiproxy_hs.settings import Settings


def add_to(commands: Any) -> None:
    command = commands.add_parser("session", help="make, open or end a session", description=__doc__)
    actions = command.add_subparsers(title="actions", required=True, metavar="ACTION")
    seal = actions.add_parser("seal", help="claims as JSON on standard input -> a Cookie header on standard output")
    seal.set_defaults(run=run_seal)
    unseal = actions.add_parser("unseal", help="a Cookie header on standard input -> its claims as JSON")
    unseal.add_argument("--show-tokens", action="store_true", help="print tokens instead of hiding them")
    unseal.set_defaults(run=run_unseal)
    revoke = actions.add_parser("revoke", help="end sessions that are kept in Redis, wherever their cookies are")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("--user", metavar="ID", help="all sessions of this user, the claim sub")
    which.add_argument("--cookie", action="store_true", help="those of a Cookie header on standard input")
    revoke.set_defaults(run=run_revoke)


def run_seal(_: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        claims = json.load(sys.stdin)
    except ValueError as error:
        print(f"The claims are not JSON: {error}", file=sys.stderr)
        return 2
    if not isinstance(claims, dict):
        print('The claims must be a JSON object, such as {"sub": "1", "accessToken": "..."}', file=sys.stderr)
        return 2
    sessions = _sessions(environ)
    try:
        lines = sessions.write(claims, "")
    except ValueError as error:
        print(f"These claims cannot be sealed: {error}", file=sys.stderr)
        return 2
    print("; ".join(line.partition(";")[0] for line in lines))
    return 0


def run_unseal(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    sessions = _sessions(environ)
    header = _header()
    session = sessions.read(header)
    if session is None:
        reason = ": what is there is forged, over, or sealed with another secret" if sessions.has_cookie(header) else ""
        print(f"There is no session cookie that can be opened{reason}", file=sys.stderr)
        return 1
    shown = dict(session.claims) if options.show_tokens else hide(dict(session.claims), sessions.hidden_claims)
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    return 0


def run_revoke(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings = Settings.from_environ(environ)
    if settings.session_store != "redis":
        print("Sessions that are sealed into cookies cannot be revoked; see SESSION_STORE", file=sys.stderr)
        return 2
    sessions = make_sessions(settings)
    try:
        ended = sessions.revoke_all(options.user) if options.user is not None else sessions.revoke(_header())
    except RenewalUnavailable as error:
        print(f"Nothing was revoked: {error.__cause__}", file=sys.stderr)
        return 1
    print(f"{ended} sessions ended" if ended != 1 else "1 session ended")
    return 0


def _header() -> str:
    return sys.stdin.read().strip().removeprefix("Cookie:").strip()


def hide(value: Any, names: Collection[str]) -> Any:
    """The claims with tokens covered, wherever they stand."""
    if isinstance(value, dict):
        return {name: "(hidden)" if name in names else hide(member, names) for name, member in value.items()}
    return [hide(member, names) for member in value] if isinstance(value, list) else value


def _sessions(environ: Mapping[str, str]) -> Sessions:
    return make_sessions(Settings.from_environ(environ))
