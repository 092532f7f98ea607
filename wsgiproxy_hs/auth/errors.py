"""How a sign-in ends when it does not end well, under the names that Auth.js clients know.

::

    AuthError                  error=Configuration       the error page
    ├── AccessDenied           error=AccessDenied        the error page
    ├── MissingCSRF            error=MissingCSRF         the sign-in page
    └── CredentialsSignin      error=CredentialsSignin   the sign-in page, with &code=
    BadRequest                 400 "Bad request."

``authorize`` and ``sign_in`` hooks of a host may raise the first four; whatever else they raise ends as
``Configuration``, which tells the browser nothing, and goes to the log.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

PageName = Literal["sign_in", "error"]

CREDENTIALS: Final = "credentials"
"""The code of a wrong password, a wrong name or an inactive account: which of these is nobody's business."""
THROTTLED: Final = "throttled"
"""The code when the upstream asks this person, or this address, to wait."""
UNAVAILABLE: Final = "unavailable"
"""The code when the upstream could not judge the credentials: down, slow, or answering nonsense."""


class AuthError(Exception):
    """Something is wrong on this side of the wire, and the browser is told no more than that."""

    type: ClassVar[str] = "Configuration"
    page: ClassVar[PageName] = "error"

    def query(self) -> dict[str, str]:
        """The query parameters of the page where this ends."""
        return {"error": self.type}


class AccessDenied(AuthError):
    """The person is who they say, and may not come in."""

    type = "AccessDenied"


class MissingCSRF(AuthError):
    """The CSRF token was missing or wrong, or the browser says that another site made the request."""

    type = "MissingCSRF"
    page = "sign_in"


class CredentialsSignin(AuthError):
    """The credentials did not lead to a session.

    :param code: what ``signIn()`` in the browser gets as ``code``: one of the codes of this module, or your own.
    :param retry_after_seconds: how long to wait before the next attempt, where the upstream said so.
    """

    type = "CredentialsSignin"
    page = "sign_in"

    def __init__(self, code: str = CREDENTIALS, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_seconds = retry_after_seconds

    def query(self) -> dict[str, str]:
        query = {"error": self.type, "code": self.code}
        if self.retry_after_seconds is not None:
            query["retryAfter"] = str(self.retry_after_seconds)
        return query


class BadRequest(Exception):
    """The request is none that Auth.js serves: its method, its path or its body."""
