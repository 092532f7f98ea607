"""Ways to sign in. One seam: an ``id``, a ``name``, a ``type``, the form's ``fields``, and ``sign_in``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from wsgiproxy_hs.auth.errors import CredentialsSignin

Credentials = Mapping[str, object]
"""Every member of the sign-in form, ``csrfToken`` and ``callbackUrl`` included; from JSON they may be of any type."""


@dataclass(frozen=True)
class User:
    """Who signed in, as the session will remember.

    :param id: becomes the claim ``sub``. :param image: a URL; becomes the claim ``picture``.
    :param tokens: by claim name, such as ``accessToken``; sealed into the cookie and shown to nobody.
    :param claims: further members of the session; the browser does not see them unless a ``session`` hook shows them.
    """

    id: str
    name: str | None = None
    email: str | None = None
    image: str | None = None
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    claims: Mapping[str, object] = field(default_factory=dict, repr=False)

    def session_claims(self) -> dict[str, object]:
        """The claims of a new session, in the order in which Auth.js writes them."""
        known = {"name": self.name, "email": self.email, "picture": self.image, "sub": self.id}
        return {**known, **self.claims, **self.tokens}


Authorize = Callable[[Credentials], User | None]
"""``None`` means that the credentials are wrong; :class:`.errors.CredentialsSignin` says so with a code."""


class FormField(NamedTuple):
    """An input of the built-in sign-in page. ``autocomplete`` is a token of the HTML standard, section 4.10.18.7."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "on"


EMAIL_AND_PASSWORD: Final = (
    FormField("email", "Email", "email", "username"),
    FormField("password", "Password", "password", "current-password"),
)


class Provider(Protocol):
    """What the handler asks of a way to sign in. ``id`` stands in URLs; ``name`` on buttons."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def fields(self) -> Sequence[FormField]: ...

    def sign_in(self, credentials: Credentials) -> User:
        """Who this is; :raises AuthError: when nobody is to be signed in."""
        ...


@dataclass(frozen=True)
class CredentialsProvider:
    """Signs in with what is typed into a form.

    :param authorize: judges the form's fields.
    """

    authorize: Authorize = field(repr=False)
    id: str = "credentials"
    name: str = "Credentials"
    fields: Sequence[FormField] = EMAIL_AND_PASSWORD
    type: str = "credentials"

    def sign_in(self, credentials: Credentials) -> User:
        """Who this is; :raises CredentialsSignin: when ``authorize`` knows nobody by these credentials."""
        user = self.authorize(credentials)
        if user is None:
            raise CredentialsSignin
        return user
