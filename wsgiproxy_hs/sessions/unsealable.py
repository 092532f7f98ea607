"""The one exception that every reader of a session token raises."""

from __future__ import annotations


class Unsealable(ValueError):
    """A session token that is not accepted, for whatever reason (F026, F027).

    The text says which rule was broken and never quotes the token, the claims or a key, so it may be logged.
    To the browser all reasons are the same: there is no session.
    """
