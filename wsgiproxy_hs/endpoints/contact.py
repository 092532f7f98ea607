"""Sends the contact form to the one address that the settings name.

::

    Stack:   errors -> limits -> routing -> cross-site -> session -> throttle -> body -> [endpoint]
    Reads:   wsgiproxy_hs.json_body
    Writes:  -
    Raises:  BodyInvalid 400, ProviderFailed 502, EndpointNotConfigured 503, UpstreamBusy 503, UpstreamTimeout 504

The body is a checked :class:`~wsgiproxy_hs.routes.bodies.Contact`. The mail comes from the settings' sender and goes
to the settings' recipient; the visitor is where an answer to it goes. It leaves through SendGrid when there is a key,
else through the mail server, else into the folder. How a success reads is not documented; here it is 200 with
``{"success": true}``. No session is needed, so what limits floods stands in front of this server.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.headerregistry import Address
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

from requests.adapters import BaseAdapter

from wsgiproxy_hs.endpoints.mail import contact_mail, mailbox
from wsgiproxy_hs.endpoints.mailers import (
    SENDGRID,
    FolderMailer,
    Mailer,
    SendGridMailer,
    SmtpMailer,
    SmtpServer,
    smtp_server,
)
from wsgiproxy_hs.endpoints.providers import OperatorNote, Provider, clocks_of, given, json_answer, key_faults
from wsgiproxy_hs.environ import JSON_BODY
from wsgiproxy_hs.exceptions import ConfigurationError, EndpointNotConfigured
from wsgiproxy_hs.settings import Settings


class Delivery(NamedTuple):
    """How the form's mails leave, from whom, and to whom."""

    mailer: Mailer
    sender: Address
    recipient: Address


class ContactEmail:
    """A WSGI app. Safe to share between threads.

    :param delivery: ``None`` where the form is not set up: every request is answered 503 then.
    """

    def __init__(self, *, delivery: Delivery | None) -> None:
        self._delivery = delivery

    @classmethod
    def from_settings(
        cls, settings: Settings, *, transport: BaseAdapter, outside: BaseAdapter | None = None, **_: object
    ) -> ContactEmail:
        """The form as the settings have it.

        :raises ConfigurationError: naming every variable that is missing or wrong, once there is a way to send.
        """
        return cls(delivery=delivery_of(settings, outside or transport))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._delivery is None:
            raise EndpointNotConfigured("The contact form is not set up on this server") from OperatorNote(
                "set SENDGRID_API_KEY, CONTACT_SMTP_URL or CONTACT_MAIL_FOLDER"
            )
        mailer, sender, recipient = self._delivery
        mailer.send(contact_mail(environ[JSON_BODY], sender=sender, recipient=recipient))
        status, headers, body = json_answer({"success": True})
        start_response(status, headers)
        return [body]


def delivery_of(settings: Settings, transport: BaseAdapter) -> Delivery | None:
    """What the settings say about the form's mails; ``None`` when they name no way to send.

    :raises ConfigurationError: naming every fault.
    """
    key = given(settings.sendgrid_api_key)
    faults = key_faults(key, "SENDGRID_API_KEY (sendgrid_api_key)")
    server = _server(settings, faults)
    if not (faults or key or server or settings.mail_folder):
        return None
    sender = _mailbox(settings.contact_email_from, "CONTACT_EMAIL_FROM (contact_email_from)", faults)
    recipient = _mailbox(settings.contact_email_to, "CONTACT_EMAIL_TO (contact_email_to)", faults)
    if faults or sender is None or recipient is None:
        raise ConfigurationError(faults)
    return Delivery(_mailer(settings, transport, server), sender, recipient)


def _mailer(settings: Settings, transport: BaseAdapter, server: SmtpServer | None) -> Mailer:
    """SendGrid before a mail server before a folder; one of them is set."""
    key = given(settings.sendgrid_api_key)
    if key is not None:
        clocks = clocks_of(settings)
        return SendGridMailer(
            Provider(settings.sendgrid_url, transport=transport, clocks=clocks, key=key, words=SENDGRID)
        )
    if server is not None:
        return SmtpMailer(server, timeout_seconds=settings.first_byte_timeout_seconds)
    return FolderMailer(settings.mail_folder or "")


def _server(settings: Settings, faults: list[str]) -> SmtpServer | None:
    url = given(settings.smtp_url)
    if url is None:
        return None
    try:
        return smtp_server(url.get_secret_value())
    except ValueError as error:
        faults.append(f"CONTACT_SMTP_URL (smtp_url) is wrong: {error}")
        return None


def _mailbox(text: str | None, variable: str, faults: list[str]) -> Address | None:
    """The address of a setting, or ``None`` and a fault."""
    if not text:
        faults.append(f"{variable} is not set: the contact form has a way to send its mails, so it needs this address")
        return None
    try:
        return mailbox(text)
    except ValueError as error:
        faults.append(f"{variable} is wrong: {error}")
        return None
