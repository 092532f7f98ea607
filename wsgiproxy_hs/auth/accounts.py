"""The accounts at the upstream: djoser's views on SimpleJWT, as the documented routes use them.

Signing in is ``POST /auth/jwt/create/`` with e-mail and password, then ``GET /auth/users/me/`` with the access token.
Every answer other than the documented ones is turned into one of three codes, so that a person is told whether to
type again, to wait, or that it was not their fault.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from wsgiproxy_hs.auth.errors import CREDENTIALS, THROTTLED, UNAVAILABLE, CredentialsSignin
from wsgiproxy_hs.auth.providers import UNKNOWN_CLIENT, Client, Credentials, User
from wsgiproxy_hs.exceptions import UpstreamError
from wsgiproxy_hs.sessions import is_sendable
from wsgiproxy_hs.upstream.client import Reply, UpstreamClient

log = logging.getLogger(__name__)

CREATE_PATH: Final = "/auth/jwt/create/"
ME_PATH: Final = "/auth/users/me/"
MAX_EMAIL_CHARACTERS: Final = 320
"""RFC 5321: 64 before the @, 255 behind it."""
MAX_PASSWORD_CHARACTERS: Final = 4096
"""What Django's own forms take; hashing longer ones is work that a stranger could order."""
MAX_WAIT_SECONDS: Final = 86_400


class Accounts:
    """Asks the upstream who somebody is, and tells it who has left.

    :param client: for signing in. :param revoking_client: for signing out, which waits less long.
    :param scheme: the word before the access token in ``Authorization``.
    :param access_token_claim: name of the claim that will carry the access token; ``refresh_token_claim`` likewise.
    :param sign_out_path: where refresh tokens are revoked; ``None`` when the upstream has no such view.
    """

    def __init__(
        self,
        client: UpstreamClient,
        *,
        scheme: str,
        access_token_claim: str,
        refresh_token_claim: str,
        sign_out_path: str | None = None,
        revoking_client: UpstreamClient | None = None,
    ) -> None:
        self._client = client
        self._revoking_client = revoking_client or client
        self._scheme = scheme
        self._access_token_claim = access_token_claim
        self._refresh_token_claim = refresh_token_claim
        self._sign_out_path = sign_out_path

    def authorize(self, credentials: Credentials, *, client: Client = UNKNOWN_CLIENT) -> User | None:
        """The user of an e-mail and a password; ``None`` for what no upstream needs to judge.

        The upstream is told who the client is, so that its log and its own limits see the person and not us.

        :raises CredentialsSignin: with one of the codes of :mod:`.errors`.
        """
        email, password = credentials.get("email"), credentials.get("password")
        if not _is_text(email, MAX_EMAIL_CHARACTERS) or not _is_text(password, MAX_PASSWORD_CHARACTERS):
            return None
        pair = self._ask("POST", CREATE_PATH, document={"email": email, "password": password}, headers=client.headers)
        access, refresh = pair.get("access"), pair.get("refresh")
        if not isinstance(access, str) or not is_sendable(access):
            raise _unavailable("no access token in the answer")
        tokens = {self._access_token_claim: access}
        if isinstance(refresh, str) and refresh:
            tokens[self._refresh_token_claim] = refresh
        try:
            profile = self._ask("GET", ME_PATH, authorization=f"{self._scheme} {access}", headers=client.headers)
            return user_of(profile, tokens)
        except CredentialsSignin as error:
            self.revoke(tokens, client=client)
            raise error if error.code != CREDENTIALS else _unavailable("the new access token was refused") from None

    def revoke(self, claims: Mapping[str, object], *, client: Client = UNKNOWN_CLIENT) -> None:
        """Tell the upstream that this refresh token is over (F038). Never fails: a failure is logged."""
        refresh, access = claims.get(self._refresh_token_claim), claims.get(self._access_token_claim)
        if self._sign_out_path is None or not isinstance(refresh, str) or not refresh:
            return
        authorization = f"{self._scheme} {access}" if is_sendable(access) else None
        try:
            reply = self._revoking_client.call(
                "POST",
                self._sign_out_path,
                document={"refresh": refresh},
                authorization=authorization,
                headers=client.headers,
            )
        except UpstreamError as error:
            log.warning("The refresh token could not be revoked: %s", error.code)
        else:
            if not 200 <= reply.status < 300:
                log.warning("The refresh token could not be revoked: the upstream answered %d", reply.status)

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The JSON object that the upstream answers with; :raises CredentialsSignin: for any other answer."""
        try:
            reply = self._client.call(method, path, **options)
        except UpstreamError as error:
            raise _unavailable(error.code) from error
        if reply.status == 200 and isinstance(reply.document, dict):
            return reply.document
        raise refusal(reply)


def refusal(reply: Reply) -> CredentialsSignin:
    """What an answer that is no success means to the person at the form.

    400, 401 and 403 judge the credentials; 429 asks to wait; whatever else, a redirect or a page of HTML included, is
    the upstream's trouble.
    """
    if reply.status == 429:
        return CredentialsSignin(THROTTLED, retry_after_seconds=wait_seconds(reply.headers.get("Retry-After")))
    if reply.status in (400, 401, 403):
        return CredentialsSignin(CREDENTIALS)
    return _unavailable(f"status {reply.status}")


def wait_seconds(retry_after: str | None) -> int | None:
    """Seconds of a ``Retry-After`` field, at most a day; ``None`` when it is absent, a date, or nonsense."""
    text = (retry_after or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return min(int(text), MAX_WAIT_SECONDS)


def user_of(profile: Mapping[str, Any], tokens: Mapping[str, str]) -> User:
    """The user of a ``users/me`` document: its ``id``, ``email`` and ``name``, or first and last name.

    :raises CredentialsSignin: code ``unavailable`` when it names nobody.
    """
    identity = profile.get("id")
    if isinstance(identity, bool) or not isinstance(identity, (int, str)) or identity == "":
        raise _unavailable("no user id in the answer")
    parts = [_text_or_none(profile.get(name)) for name in ("first_name", "last_name")]
    name = _text_or_none(profile.get("name")) or " ".join(part for part in parts if part) or None
    email, image = _text_or_none(profile.get("email")), _text_or_none(profile.get("image"))
    return User(str(identity), name=name, email=email, image=image, tokens=tokens)


def _unavailable(reason: str) -> CredentialsSignin:
    log.warning("The upstream could not sign anybody in: %s", reason)
    return CredentialsSignin(UNAVAILABLE)


def _is_text(value: object, max_characters: int) -> bool:
    """Text that can be sent: lone surrogates cannot."""
    if not isinstance(value, str) or not 0 < len(value) <= max_characters:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
