"""Ways to sign in. One seam: an ``id``, a ``name``, a ``type``, the form's ``fields``, and ``sign_in``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from wsgiproxy_hs.auth.errors import CredentialsSignin

Credentials = Mapping[str, object]
"""Every member of the sign-in form, ``csrfToken`` and ``callbackUrl`` included; from JSON they may be of any type."""


class Client(NamedTuple):
    """Who asks, so that whoever judges credentials can log and count the client and not this server.

    :param address: where somebody who is trusted says it. :param request_id: also in our own log.
    :param headers: what the upstream is told of the client in every request, ``X-Forwarded-For`` and ``X-Request-ID``
        among it.
    """

    address: str | None = None
    request_id: str | None = None
    headers: Mapping[str, str] = MappingProxyType({})


UNKNOWN_CLIENT: Final = Client()


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


Authorize = Callable[..., User | None]
"""A function of :data:`Credentials`, and of a :class:`Client` when it has a parameter ``client``. ``None`` means that
the credentials are wrong; :class:`.errors.CredentialsSignin` says so with a code."""


def tell(function: Callable[..., Any], value: object, client: Client) -> Any:
    """Call with a value, and with ``client=`` where there is a parameter of that name."""
    try:
        wants_client = "client" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        wants_client = False  # written in C
    return function(value, client=client) if wants_client else function(value)


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

    @property
    def sign_in(self) -> Callable[..., User]:
        """Who credentials are of, called as :data:`Authorize`; :raises AuthError: when nobody is to be signed in."""
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

    def sign_in(self, credentials: Credentials, *, client: Client = UNKNOWN_CLIENT) -> User:
        """Who this is; :raises CredentialsSignin: when ``authorize`` knows nobody by these credentials."""
        user: User | None = tell(self.authorize, credentials, client)
        if user is None:
            raise CredentialsSignin
        return user
