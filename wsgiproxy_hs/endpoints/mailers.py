"""The three ways in which a mail leaves: SendGrid's HTTP API, a mail server, a folder."""

from __future__ import annotations

import logging
import os
import secrets
import smtplib
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from email.headerregistry import Address
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from wsgiproxy_hs.endpoints.mail import Mail, message_bytes
from wsgiproxy_hs.endpoints.providers import VISIBLE, OperatorNote, Provider, Words, busy
from wsgiproxy_hs.exceptions import ProviderFailed, ProxyError, UpstreamTimeout

SENDGRID: Final = Words(
    noun="mail service",
    settings="SENDGRID_API_KEY, and whether SendGrid knows CONTACT_EMAIL_FROM as a verified sender",
    declined="The mail service did not accept this message",
)
SMTP_RETRY_SECONDS: Final = 60
_PORTS: Final = {"smtp": 587, "smtps": 465}
_log = logging.getLogger("wsgiproxy_hs")


class Mailer(Protocol):
    """A way to send a mail. Safe to share between threads."""

    def send(self, mail: Mail) -> None:
        """Returns once the mail is in the hands of the next one.

        :raises ProviderFailed: 502, :raises UpstreamBusy: 503, :raises UpstreamTimeout: 504.
        """
        ...


class SendGridMailer:
    """Through ``POST /v3/mail/send``."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def send(self, mail: Mail) -> None:
        self._provider.post("/v3/mail/send", sendgrid_document(mail))


def sendgrid_document(mail: Mail) -> dict[str, Any]:
    """The mail as SendGrid's version 3 API takes it."""
    return {
        "personalizations": [{"to": [_sendgrid_address(mail.recipient)]}],
        "from": _sendgrid_address(mail.sender),
        "reply_to": _sendgrid_address(mail.reply_to),
        "subject": mail.subject,
        "content": [{"type": "text/plain", "value": mail.text}],
    }


def _sendgrid_address(address: Address) -> dict[str, str]:
    named = {"name": address.display_name} if address.display_name else {}
    return {"email": address.addr_spec, **named}


class SmtpServer(NamedTuple):
    """A mail server. ``implicit_tls``: encrypted from the first byte (``smtps``)."""

    host: str
    port: int
    implicit_tls: bool
    user: str | None = None
    password: SecretStr | None = None


def smtp_server(url: str) -> SmtpServer:
    """``smtp://user:password@host:587`` or ``smtps://host:465``, read.

    :raises ValueError: saying what is wrong without repeating any of it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a URL; percent-encode special characters in user and password") from None
    if parts.scheme not in _PORTS or not host or not VISIBLE.fullmatch(url) or port == 0:
        raise ValueError("not smtp://user:password@host:587 or smtps://user:password@host:465")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("nothing may follow the port; percent-encode / ? # @ in user and password")
    user, password = _login(parts)
    return SmtpServer(host, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password)


def _login(parts: SplitResult) -> tuple[str, SecretStr] | tuple[None, None]:
    """User and password of a URL, decoded; a server without either wants no login."""
    if not parts.username and not parts.password:
        return None, None
    if not parts.username or not parts.password:
        raise ValueError("user and password go together")
    user, password = unquote(parts.username), unquote(parts.password)
    if any(not text.isascii() or not text.isprintable() for text in (user, password)):
        raise ValueError("user and password consist of ASCII characters")
    return user, SecretStr(password)


class SmtpMailer:
    """Through a mail server, a connection a mail.

    With ``smtp`` TLS begins where the server offers it (STARTTLS); a password is never sent without it. ``smtps``
    demands TLS from the first byte. Certificates are always verified.

    :param timeout_seconds: longest wait for each answer of the server.
    :param clock: gives the seconds since the epoch.
    """

    def __init__(self, server: SmtpServer, *, timeout_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._server = server
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._tls = ssl.create_default_context()

    def send(self, mail: Mail) -> None:
        message = message_bytes(mail, self._clock())
        try:
            smtp = self._connect()
            try:
                self._greet(smtp)
                smtp.sendmail(mail.sender.addr_spec, [mail.recipient.addr_spec], message)
            finally:
                _hang_up(smtp)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise smtp_error(error) from OperatorNote(smtp_story(error))

    def _connect(self) -> smtplib.SMTP:
        host, port, timeout = self._server.host, self._server.port, self._timeout_seconds
        if self._server.implicit_tls:
            return smtplib.SMTP_SSL(host, port, timeout=timeout, context=self._tls)
        return smtplib.SMTP(host, port, timeout=timeout)

    def _greet(self, smtp: smtplib.SMTP) -> None:
        """EHLO, TLS, login: what the server and the settings allow of it."""
        user, password = self._server.user, self._server.password
        smtp.ehlo_or_helo_if_needed()
        encrypted = self._server.implicit_tls
        if not encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=self._tls)
            smtp.ehlo_or_helo_if_needed()
            encrypted = True
        if user is not None and password is not None:
            if not encrypted:
                raise smtplib.SMTPNotSupportedError("STARTTLS is not offered, so no password is sent")
            smtp.login(user, password.get_secret_value())


def _hang_up(smtp: smtplib.SMTP) -> None:
    """Say goodbye. Once the server has the mail, its last word changes nothing."""
    with suppress(smtplib.SMTPException, OSError):
        smtp.quit()
    smtp.close()


def smtp_error(error: Exception) -> ProxyError:
    """What the browser is told: 504 for a wait, 503 for what the server calls temporary, else 502."""
    code = smtp_code(error)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return UpstreamTimeout("The mail server took too long to answer")
    if code is not None and 400 <= code < 500:
        return busy("mail server", SMTP_RETRY_SECONDS)
    if isinstance(error, (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError)):
        _log.error("%s: check CONTACT_SMTP_URL", smtp_story(error))
    return ProviderFailed("The mail server did not accept this message")


def smtp_story(error: Exception) -> str:
    """For the log: the kind of error and the server's code, none of its words."""
    kind = "mail server: " + type(error).__name__
    code = smtp_code(error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{kind}: it offers no TLS, or no way to log in that we know"
    if code is not None:
        return f"{kind} {code}"
    return f"{kind}: {error.strerror}" if isinstance(error, OSError) and error.strerror else kind


def smtp_code(error: Exception) -> int | None:
    """The code of the server's refusal, where it gave one."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), None)
    return None


class FolderMailer:
    """Into a folder, for demos and tests: a file a mail, under a name that nobody can guess, there whole or not at all.

    :param folder: made when missing.
    :param clock: gives the seconds since the epoch.
    """

    def __init__(self, folder: str, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = Path(folder)
        self._clock = clock

    def send(self, mail: Mail) -> None:
        now = self._clock()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        try:
            write_whole(self._folder, f"{stamp}-{secrets.token_hex(16)}.eml", message_bytes(mail, now))
        except OSError as error:
            raise ProviderFailed("The message could not be kept") from error


def write_whole(folder: Path, name: str, data: bytes) -> None:
    """Write a file that appears complete, readable by its owner only.

    :raises OSError: and then nothing is left behind.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = folder / f".{name}.part"
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(folder / name)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
