"""``wsgiproxy-hs check``: whether the settings are right and the backend answers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from requests.adapters import BaseAdapter

from wsgiproxy_hs.assembly import make_transport
from wsgiproxy_hs.exceptions import UpstreamError
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app
from wsgiproxy_hs.upstream import Clocks, UpstreamClient

WELL = (200, 401, 403)
"""Whoever is asked who we are and knows sign-in says: you are this one, or nobody."""
HINTS = {
    400: "does ALLOWED_HOSTS have the host of BACKEND_URL?",
    404: "there is no /auth/users/me/; is this the Django backend, and its path right?",
}


def add_to(commands: Any) -> None:
    command = commands.add_parser("check", help="validate the settings and ask the backend", description=__doc__)
    command.add_argument("--offline", action="store_true", help="do not ask the backend")
    command.set_defaults(run=run)


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings = Settings.from_environ(environ)
    transport = make_transport(settings)
    create_app(settings, transport=transport)
    print(f"settings: well; browsers find sign-in at {settings.public_origin}{settings.auth_path}")
    if options.offline:
        return 0
    try:
        status = ask(settings, transport)
    except UpstreamError as error:
        print(f"backend: {settings.backend_url} does not answer: {error.detail} ({error.__cause__})")
        return 1
    finally:
        transport.close()
    print(f"backend: {settings.backend_url} answers with status {status}: {verdict(status)}")
    return 0 if status in WELL else 1


def verdict(status: int) -> str:
    """What the answer to the question who we are tells about the backend."""
    if status in WELL:
        return "well"
    if status in HINTS:
        return HINTS[status]
    if 300 <= status < 400:
        return "it redirects; is BACKEND_URL right, https included?"
    return "that is an error of its own"


def ask(settings: Settings, transport: BaseAdapter) -> int:
    """The status of a request that every Django backend of this kind answers: nobody asks who they are."""
    clocks = Clocks(connect=settings.connect_timeout_seconds, first_byte=10.0, idle=10.0, total=20.0)
    client = UpstreamClient(settings.backend_url, transport=transport, timeout=clocks)
    return client.call("GET", "/auth/users/me/").status
