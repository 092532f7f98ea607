"""Where a host puts in its own: plain callables on plain values."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wsgiproxy_hs.auth.providers import Authorize, User

log = logging.getLogger("wsgiproxy_hs.auth")

Claims = Mapping[str, Any]


def public_session(claims: Claims) -> dict[str, Any]:
    """What the browser sees of a session: the user, and no more.

    A claim that the session does not have is left out; one that is ``None`` stays, as ``null``.
    """
    shown = {"name": "name", "email": "email", "image": "picture", "id": "sub"}
    return {"user": {member: claims[claim] for member, claim in shown.items() if claim in claims}}


def log_event(name: str, details: Mapping[str, object]) -> None:
    """Write an event to the log ``wsgiproxy_hs.auth``. Events hold no token, no password and no cookie (F151)."""
    log.info("%s %s", name, " ".join(f"{key}={value!r}" for key, value in details.items()))


@dataclass(frozen=True)
class Hooks:
    """A host's own decisions. Claims that carry tokens are never given to any of them but ``sign_out``.

    :param authorize: judges the fields of the sign-in form instead of the upstream: a :class:`~.providers.User`, or
        ``None`` when the credentials are wrong. With a parameter ``client`` it is told who asks: a
        :class:`~.providers.Client`.
    :param sign_in: the last word on a user whose credentials are right: ``True``, ``False`` (``AccessDenied``), or
        the path or URL on this site to go to instead, without a session.
    :param session: what ``GET session`` shows of the claims; ``expires`` is added to it. ``None`` shows no session.
    :param update: what the browser's ``update(data)`` makes of the claims; ``None`` ends the session. Without this
        hook ``data`` changes nothing. It comes from the browser: check it.
    :param sign_out: told the claims, tokens included, of a session that is over; and who asked, as ``authorize``.
        What it raises is logged.
    :param events: told what happened: ``sign_in``, ``sign_in_refused``, ``sign_out``, ``request_refused``.
    """

    authorize: Authorize | None = None
    sign_in: Callable[[User], bool | str] | None = None
    session: Callable[[Claims], Mapping[str, Any] | None] = public_session
    update: Callable[[Claims, object], Claims | None] | None = None
    sign_out: Callable[..., None] | None = None
    events: Callable[[str, Mapping[str, object]], None] = log_event


NO_HOOKS: Final = Hooks()
