from __future__ import annotations

import email
import json
import os
import stat
from collections.abc import Iterator
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIEnvironment

import pytest
import responses
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ReadTimeout

from tests.endpoints.local_smtp import HOST, Certificate, LocalSmtp, make_certificate
from tests.endpoints.visible import refused, story
from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, call, request
from wsgiproxy_hs.endpoints.contact import ContactEmail
from wsgiproxy_hs.endpoints.mail import address, contact_mail, mailbox, message_bytes
from wsgiproxy_hs.endpoints.mailers import SmtpMailer, smtp_server, write_whole
from wsgiproxy_hs.exceptions import (
    BodyInvalid,
    ConfigurationError,
    EndpointNotConfigured,
    ProviderFailed,
    ProxyError,
    UpstreamBusy,
    UpstreamTimeout,
)
from wsgiproxy_hs.settings import Settings

KEY = "SG.a-key-that-nobody-has.0123456789"
PASSWORD = "p@ss/word-of-a-test"
USER = "mailer@example.com"
SENDGRID = "https://api.sendgrid.com/v3/mail/send"
FROM, TO = "noreply@example.com", "office@example.com"
FORM = {"name": "Ada Lovelace", "email": "ada@visitor.test", "subject": "A question", "message": "Hello,\nhow are you?"}
ADDRESSES = {"contact_email_from": FROM, "contact_email_to": TO}
SENDER, RECIPIENT = Address(username="noreply", domain="example.com"), Address(username="office", domain="example.com")
NOW = 1_767_225_600.0


def settings(**values: Any) -> Settings:
    return Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET], **values)


def app(**values: Any) -> ContactEmail:
    return ContactEmail.from_settings(settings(**values), transport=HTTPAdapter(), sessions=None)


def sendgrid(**values: Any) -> ContactEmail:
    return app(sendgrid_api_key=KEY, **{**ADDRESSES, **values})


def smtp_url(server: LocalSmtp, *, scheme: str = "smtp", login: bool = False) -> str:
    user = "mailer%40example.com:p%40ss%2Fword-of-a-test@" if login else ""
    return f"{scheme}://{user}{HOST}:{server.port}"


def through(server: LocalSmtp, *, scheme: str = "smtp", login: bool = False, **values: Any) -> ContactEmail:
    return app(smtp_url=smtp_url(server, scheme=scheme, login=login), **{**ADDRESSES, **values})


def form(**values: Any) -> WSGIEnvironment:
    """The environ as the body layer leaves it; there is no session."""
    return request("POST", "/api/send-contact-email", wsgiproxy_hs__json_body={**FORM, **values})


def parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage) -> str:
    content = message.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def sent_document(index: int) -> Any:
    """The document of a call that ``responses`` saw."""
    body = responses.calls[index].request.body
    assert isinstance(body, bytes)
    return json.loads(body)


@pytest.fixture(autouse=True)
def _no_key_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever happens in a test, no key and no password is logged, at no level."""
    caplog.set_level(0)
    yield
    records = [*caplog.get_records("call"), *caplog.get_records("setup")]
    written = [f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in records]
    assert not [text for text in written if KEY in text or PASSWORD in text]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """The certificate, trusted as one of the system's."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    return certificate


# While building


@pytest.mark.parametrize(
    "way", [{"sendgrid_api_key": KEY}, {"smtp_url": "smtp://mail.test"}, {"mail_folder": "/tmp/mails"}]
)
def test_a_way_to_send_needs_both_addresses(way: dict[str, str]) -> None:
    """With a way to send and no addresses nothing is built, and both variables are named at once."""
    with pytest.raises(ConfigurationError) as caught:
        app(**way)
    sender, recipient = caught.value.faults
    assert "CONTACT_EMAIL_FROM" in sender
    assert "CONTACT_EMAIL_TO" in recipient


@pytest.mark.parametrize(
    "text",
    [
        "nobody",
        "a@b@c",
        "@example.com",
        "a@",
        "a@b.test, c@d.test",
        "a b@example.com",
        "A <a@b.test> x",
        "a@-b.test",
        "a\r\nBcc: x@y.test",
        "ä@example.com",
    ],
)
def test_an_address_of_the_settings_is_exactly_one(text: str) -> None:
    """What is not exactly one address is refused at the start, and not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        app(mail_folder="/tmp/mails", contact_email_from=FROM, contact_email_to=text)
    (fault,) = caught.value.faults
    assert fault.startswith("CONTACT_EMAIL_TO (contact_email_to) is wrong")
    assert text not in fault


@pytest.mark.parametrize(
    "url",
    [
        "mail.test:587",
        "http://mail.test",
        "smtp://",
        f"smtp://{USER}:{PASSWORD}@mail.test",
        "smtp://mail.test:99999",
        "smtp://mail.test:0",
        "smtp://mail.test:x",
        "smtp://[::1",
        "smtp://mail.test/inbox",
        "smtp://mail.test?tls=no",
        "smtp://mail.test#tls",
        f"smtp://{USER}@mail.test",
        "smtp://:secret-word@mail.test",
        "smtp://user:secret word@mail.test",
        "smtp://user:secret%0Aword@mail.test",
        "smtp://user:p%C3%A4ssw%C3%B6rd@mail.test",
    ],
)
def test_a_bad_mail_server_is_refused_without_repeating_it(url: str) -> None:
    """A URL that cannot be a mail server's names the variable, and shows nothing of itself: it may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        app(smtp_url=url, **ADDRESSES)
    (fault,) = caught.value.faults
    assert fault.startswith("CONTACT_SMTP_URL (smtp_url) is wrong: ")
    assert not [word for word in (USER, PASSWORD, "secret", "inbox", "mail.test", "smtp://:") if word in fault]


@pytest.mark.parametrize("key", ["SG.two words", "SG.line\nend", "SG.é"])
def test_a_key_that_fits_into_no_header_is_refused_at_the_start(key: str) -> None:
    """A key that the HTTP library would refuse, and repeat in its error, never gets that far."""
    with pytest.raises(ConfigurationError) as caught:
        app(sendgrid_api_key=key, **ADDRESSES)
    (fault,) = caught.value.faults
    assert "SENDGRID_API_KEY" in fault
    assert key not in fault


def test_all_faults_are_told_at_once() -> None:
    """One start shows everything that has to be mended."""
    with pytest.raises(ConfigurationError) as caught:
        app(sendgrid_api_key="SG.\x00", smtp_url="nonsense", contact_email_from="nonsense")
    assert [fault.split(" ", 1)[0] for fault in caught.value.faults] == [
        "SENDGRID_API_KEY",
        "CONTACT_SMTP_URL",
        "CONTACT_EMAIL_FROM",
        "CONTACT_EMAIL_TO",
    ]


def test_nothing_of_the_app_shows_a_secret() -> None:
    """Neither the app nor what it is made of shows a key or a password in its repr."""
    one, other = sendgrid(), app(smtp_url="smtp://user:p%40ss%2Fword-of-a-test@mail.test", **ADDRESSES)
    server = smtp_server("smtp://user:p%40ss%2Fword-of-a-test@mail.test")
    shown = [repr(value) for value in (one, other, vars(one), vars(other), server)]
    shown += [repr(vars(item.mailer)) for item in (one._delivery, other._delivery) if item]
    assert server.password == SecretStr(PASSWORD)
    assert not [text for text in shown if KEY in text or PASSWORD in text]


# Refused


@pytest.mark.parametrize("values", [{}, ADDRESSES, {"sendgrid_api_key": "", "smtp_url": ""}])
def test_without_a_way_to_send_the_form_is_not_there(values: dict[str, str]) -> None:
    """No key, no mail server, no folder: 503 that says so, and the log hears which variables would help."""
    error = refused(app(**values), form())
    assert isinstance(error, EndpointNotConfigured)
    assert error.detail == "The contact form is not set up on this server"
    assert "CONTACT_SMTP_URL" in story(error)


@responses.activate
@pytest.mark.parametrize("name", ["name", "subject", "message"])
def test_a_blank_field_is_refused(name: str) -> None:
    """A field of nothing but blanks is 400 with the field named, and nothing is sent."""
    error = refused(sendgrid(), form(**{name: " \u2003 "}), KEY)
    assert isinstance(error, BodyInvalid)
    assert error.fields == {name: ["This field may not be blank."]}
    assert not responses.calls


@responses.activate
@pytest.mark.parametrize(
    "text",
    [
        "a,b@visitor.test",
        '"a"@visitor.test',
        "<a@visitor.test>",
        "a@visitor.test,evil",
        "a@visitor..test",
        "a@visitor.test>",
        "a(b)@visitor.test",
        "ä@visitor.test",
        "=?utf-8?q?a=0ABcc?=@visitor.test",
        "a@" + "b" * 64 + ".test",
        "a\u2028b@visitor.test",
    ],
)
def test_an_address_that_could_be_more_than_one_is_refused(text: str) -> None:
    """An address that no mail could be answered to, or that hides another, is 400 and nothing is sent."""
    error = refused(sendgrid(), form(email=text), KEY)
    assert isinstance(error, BodyInvalid)
    assert error.fields == {"email": ["Enter a valid email address."]}
    assert not responses.calls


@responses.activate
@pytest.mark.parametrize(
    "status, kind, detail",
    [
        (400, ProviderFailed, "The mail service did not accept this message"),
        (413, ProviderFailed, "The mail service did not accept this message"),
        (401, ProviderFailed, "The mail service did not answer as it should"),
        (403, ProviderFailed, "The mail service did not answer as it should"),
        (302, ProviderFailed, "The mail service did not answer as it should"),
        (500, ProviderFailed, "The mail service did not answer as it should"),
        (429, UpstreamBusy, "The mail service is busy; try again later"),
        (503, UpstreamBusy, "The mail service is busy; try again later"),
    ],
)
def test_what_sendgrid_refuses_is_told_in_our_words(status: int, kind: type[ProxyError], detail: str) -> None:
    """An error of the service is 502, or 503 when it is busy; its own words, and the key in them, stay here."""
    words = {"errors": [{"message": f"the key {KEY} is bad", "field": "reply_to.email", "help": None}]}
    responses.post(SENDGRID, status=status, json=words)
    error = refused(sendgrid(), form(), KEY, "is bad")
    assert type(error) is kind
    assert error.detail == detail
    assert f"answered {status} (reply_to.email)" in story(error)


@responses.activate
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_an_error_in_the_log(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """When SendGrid refuses the key, whoever runs the server reads what to look at, without the key."""
    responses.post(SENDGRID, status=status, body=KEY)
    refused(sendgrid(), form(), KEY)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "SENDGRID_API_KEY" in record.getMessage()
    assert str(status) in record.getMessage()


@responses.activate
@pytest.mark.parametrize(
    "given, told",
    [
        ("7", "7"),
        ("0", "1"),
        ("999999", "3600"),
        ("", "30"),
        ("Fri, 01 Jan 2027 00:00:00 GMT", "30"),
        ("٣", "30"),
        ("-1", "30"),
    ],
)
def test_when_to_come_back_is_a_sane_number(given: str, told: str) -> None:
    """A busy service's ``Retry-After`` is passed on as a number of seconds within bounds."""
    responses.post(SENDGRID, status=429, headers={"Retry-After": given})
    error = refused(sendgrid(), form(), KEY)
    assert error.status == 503
    assert dict(error.headers)["Retry-After"] == told


@responses.activate
@pytest.mark.parametrize(
    "failure, kind",
    [
        (ReadTimeout("slow"), UpstreamTimeout),
        (ConnectTimeout("slow"), UpstreamTimeout),
        (RequestsConnectionError("away"), ProviderFailed),
    ],
)
def test_a_service_that_is_away_is_told_by_status(failure: Exception, kind: type[ProxyError]) -> None:
    """A service that does not answer in time is 504, one that cannot be reached 502; the cause is kept for the log."""
    responses.post(SENDGRID, body=failure)
    error = refused(sendgrid(), form(), KEY)
    assert type(error) is kind
    assert error.__cause__ is failure


@pytest.mark.parametrize(
    "replies, kind, told",
    [
        ({"CONNECT": "554 go away"}, ProviderFailed, "SMTPConnectError 554"),
        ({"CONNECT": "421 busy"}, UpstreamBusy, "SMTPConnectError 421"),
        ({"MAIL": "550 no"}, ProviderFailed, "SMTPSenderRefused 550"),
        ({"RCPT": "550 nobody"}, ProviderFailed, "SMTPRecipientsRefused 550"),
        ({"RCPT": "450 greylisted"}, UpstreamBusy, "SMTPRecipientsRefused 450"),
        ({"DATA": "554 no"}, ProviderFailed, "SMTPDataError 554"),
        ({"MESSAGE": "552 spam"}, ProviderFailed, "SMTPDataError 552"),
        ({"MESSAGE": "451 later"}, UpstreamBusy, "SMTPDataError 451"),
        ({"EHLO": "550 no", "HELO": "550 no"}, ProviderFailed, "SMTPHeloError 550"),
    ],
)
def test_what_a_mail_server_refuses_is_told_in_our_words(
    replies: dict[str, str], kind: type[ProxyError], told: str
) -> None:
    """A refusal of the mail server is 502, or 503 when the server calls it temporary; its words stay here."""
    with LocalSmtp(replies=replies).running() as server:
        error = refused(through(server), form(), *replies.values())
    assert type(error) is kind
    assert told in story(error)
    assert not server.mails
    assert kind is ProviderFailed or dict(error.headers)["Retry-After"] == "60"


@pytest.mark.parametrize("moment", ["CONNECT", "MAIL", "MESSAGE"])
def test_a_mail_server_that_falls_silent_is_a_timeout(moment: str) -> None:
    """A server that says nothing more holds the request no longer than the settings allow: 504."""
    with LocalSmtp(replies={moment: ""}).running() as server:
        error = refused(through(server, first_byte_timeout_seconds=0.1), form())
    assert isinstance(error, UpstreamTimeout)
    assert error.detail == "The mail server took too long to answer"


def test_a_mail_server_that_is_away_is_told_by_status() -> None:
    """Where nobody listens the answer is 502."""
    with LocalSmtp().running() as server:
        mailer = through(server)
    error = refused(mailer, form())
    assert isinstance(error, ProviderFailed)
    assert "ConnectionRefusedError: Connection refused" in story(error)


def test_a_password_never_travels_in_the_clear(caplog: pytest.LogCaptureFixture) -> None:
    """A server that offers no TLS gets no password, and no mail."""
    with LocalSmtp(login=(USER, PASSWORD)).running() as server:
        error = refused(through(server, login=True), form(), PASSWORD)
    assert isinstance(error, ProviderFailed)
    assert "AUTH" not in server.verbs
    assert "MAIL" not in server.verbs
    assert any("CONTACT_SMTP_URL" in record.getMessage() for record in caplog.records if record.levelname == "ERROR")


@pytest.mark.parametrize("implicit", [False, True])
def test_a_certificate_that_nobody_vouches_for_ends_it(certificate: Certificate, implicit: bool) -> None:
    """A mail server with an unknown certificate gets neither password nor mail."""
    with LocalSmtp(tls=certificate.context, implicit=implicit, login=(USER, PASSWORD)).running() as server:
        error = refused(through(server, scheme="smtps" if implicit else "smtp", login=True), form(), PASSWORD)
    assert isinstance(error, ProviderFailed)
    assert "CERTIFICATE_VERIFY_FAILED" in story(error)
    assert "AUTH" not in server.verbs
    assert not server.mails


def test_a_refused_password_is_an_error_in_the_log(trusted: Certificate, caplog: pytest.LogCaptureFixture) -> None:
    """A server that refuses the login, and repeats the password in doing so, is 502; nobody reads the password."""
    with LocalSmtp(tls=trusted.context, login=(USER, "another")).running() as server:
        error = refused(through(server, login=True), form(), PASSWORD)
    assert isinstance(error, ProviderFailed)
    assert "SMTPAuthenticationError 535" in story(error)
    assert any("CONTACT_SMTP_URL" in record.getMessage() for record in caplog.records if record.levelname == "ERROR")


def test_starttls_that_fails_sends_nothing(trusted: Certificate) -> None:
    """A server that offers TLS and then refuses it gets neither password nor mail."""
    with LocalSmtp(tls=trusted.context, login=(USER, PASSWORD), replies={"STARTTLS": "454 no"}).running() as server:
        error = refused(through(server, login=True), form(), PASSWORD)
    assert isinstance(error, UpstreamBusy)
    assert not {"AUTH", "MAIL"} & set(server.verbs)


def test_a_folder_that_cannot_be_written_is_told_by_status(tmp_path: Path) -> None:
    """Where the folder cannot be, the answer is 502, and its path stays in the log."""
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / "file" / "mails")
    error = refused(app(mail_folder=folder, **ADDRESSES), form())
    assert isinstance(error, ProviderFailed)
    assert folder not in error.detail


def test_a_file_that_cannot_be_finished_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves no half mail behind."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path, "mail.eml", b"data")
    assert not list(tmp_path.iterdir())


# What a visitor writes cannot become more than it is


PIECES = [
    '"',
    *"\r\n\u2028\u2029\x85\x0b\x0c\x1c\\<>(),:;@.=?_ ",
    "=?utf-8?q?",
    "=0D=0A",
    "?=",
    "\nBcc: x@y.test",
    "é",
    "日本",
]
HOSTILE = (
    st.lists(st.one_of(st.sampled_from(PIECES), st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
    .map(lambda pieces: "".join(pieces)[:200])
    .filter(lambda text: bool(text.strip()))
)
LOCAL = st.text("abc019!#$%&'*+/=?^_`{|}~.-", min_size=1, max_size=64).filter(lambda text: "=?" not in text)


@given(local=LOCAL, name=HOSTILE, subject=HOSTILE, message=HOSTILE)
@example(local="ada", name="x", subject="=?utf-8?Q?x=0ABcc:_evil@evil.test?=", message="x")
@example(local="ada", name="=?utf-8?Q?x=0D=0ABcc:_evil@evil.test?=", subject="x", message="x")
@example(local="ada", name="evil@evil.test, " * 12, subject="x", message="x")
@example(local="ada", name='"é" <evil@evil.test>, ' * 8, subject="é" * 200, message="x")
@example(local="ada", name="x\u2028Bcc: evil@evil.test", subject="x\x85Bcc: evil@evil.test", message="x")
@example(
    local="ada", name="x", subject="x", message="\r\n.\r\nMAIL FROM:<evil@evil.test>\r\nBcc: evil@evil.test\r\n\r\n"
)
def test_no_text_becomes_a_header_or_an_address(local: str, name: str, subject: str, message: str) -> None:
    """Whatever the fields hold, the mail has the headers that we wrote, one sender, one recipient, one reply (F160)."""
    mail = contact_mail(
        {"name": name, "email": f"{local}@visitor.test", "subject": subject, "message": message},
        sender=SENDER,
        recipient=RECIPIENT,
    )
    data = message_bytes(mail, NOW)
    written = parsed(data)
    assert sorted(written.keys()) == [
        "Content-Transfer-Encoding", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Reply-To", "Subject", "To",
    ]  # fmt: skip
    assert [one.addr_spec for one in written["Reply-To"].addresses] == [f"{local}@visitor.test"]
    assert [one.addr_spec for one in written["From"].addresses] == [FROM]
    assert [one.addr_spec for one in written["To"].addresses] == [TO]
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")


def test_a_message_with_dots_and_commands_arrives_as_text() -> None:
    """A message that speaks SMTP is a message: one mail arrives, with all of it in the body."""
    message = "Hello\r\n.\r\nMAIL FROM:<evil@evil.test>\r\nBcc: evil@evil.test\r\n..end"
    with LocalSmtp().running() as server:
        assert call(through(server), form(message=message)).code == 200
    ((_, recipients, data),) = server.mails
    assert recipients == [TO]
    assert parsed(data)["Bcc"] is None
    assert text_of(parsed(data)).endswith("Hello\n.\nMAIL FROM:<evil@evil.test>\nBcc: evil@evil.test\n..end\n")


# Sent


@responses.activate
def test_sendgrid_gets_one_mail_to_the_fixed_recipient() -> None:
    """The mail goes from us to us, is answered to the visitor, and the browser reads that it worked."""
    responses.post(SENDGRID, status=202)
    result = call(sendgrid(), form(to="evil@evil.test", contact_email_to="evil@evil.test"))
    assert (result.code, result.document) == (200, {"success": True})
    assert result.header("Content-Type") == "application/json"
    assert result.header("Content-Length") == str(len(result.body))
    assert result.header("Cache-Control") == "no-store"
    (sent,) = responses.calls
    assert sent.request.headers["Authorization"] == f"Bearer {KEY}"
    assert sent_document(0) == {
        "personalizations": [{"to": [{"email": TO}]}],
        "from": {"email": FROM},
        "reply_to": {"email": "ada@visitor.test", "name": "Ada Lovelace"},
        "subject": "A question",
        "content": [
            {
                "type": "text/plain",
                "value": "Ada Lovelace <ada@visitor.test> wrote through the contact form:\n\nHello,\nhow are you?\n",
            }
        ],
    }


@responses.activate
def test_sendgrid_comes_before_a_mail_server_before_a_folder(tmp_path: Path) -> None:
    """Of several ways the first one is taken, and no other."""
    responses.post("https://sendgrid.example.com/v3/mail/send", status=202)
    with LocalSmtp().running() as server:
        several = {"smtp_url": smtp_url(server), "mail_folder": str(tmp_path / "mails")}
        first = sendgrid(
            sendgrid_url="https://sendgrid.example.com/", contact_email_from=f"Example <{FROM}>", **several
        )
        assert call(first, form()).code == 200
        assert not server.mails
        assert call(app(**several, **ADDRESSES), form()).code == 200
        assert len(server.mails) == 1
    assert len(responses.calls) == 1
    assert sent_document(0)["from"] == {"email": FROM, "name": "Example"}
    assert not (tmp_path / "mails").exists()


def test_a_mail_server_gets_one_mail() -> None:
    """Envelope and headers of the mail name the addresses of the settings; the visitor is where an answer goes."""
    with LocalSmtp().running() as server:
        assert call(through(server), form(name="Ada Lövelace", subject="Schöne Grüße")).document == {"success": True}
    ((sender, recipients, data),) = server.mails
    assert (sender, recipients) == (FROM, [TO])
    mail = parsed(data)
    assert (mail["From"], mail["To"], mail["Subject"]) == (FROM, TO, "Schöne Grüße")
    assert mail["Reply-To"].addresses == (Address("Ada Lövelace", "ada", "visitor.test"),)
    assert text_of(mail) == (
        "Ada Lövelace <ada@visitor.test> wrote through the contact form:\n\nHello,\nhow are you?\n"
    )
    assert mail["Message-ID"].endswith("@example.com>")
    assert server.verbs[-1] == "QUIT"


def test_tls_begins_where_it_is_offered(trusted: Certificate) -> None:
    """With STARTTLS the login and the mail are encrypted."""
    with LocalSmtp(tls=trusted.context, login=(USER, PASSWORD)).running() as server:
        assert call(through(server, login=True), form()).code == 200
    assert server.verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert len(server.mails) == 1


def test_smtps_is_encrypted_from_the_first_byte(trusted: Certificate) -> None:
    """``smtps`` needs no STARTTLS."""
    with LocalSmtp(tls=trusted.context, implicit=True, login=(USER, PASSWORD)).running() as server:
        assert call(through(server, scheme="smtps", login=True), form()).code == 200
    assert server.verbs == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert len(server.mails) == 1


@pytest.mark.parametrize("reply", ["500 rude", ""])
def test_a_bad_goodbye_does_not_undo_a_mail(reply: str) -> None:
    """Once the server has the mail it is a success, so that nobody sends it twice."""
    with LocalSmtp(replies={"QUIT": reply}).running() as server:
        assert call(through(server, first_byte_timeout_seconds=0.2), form()).code == 200
    assert len(server.mails) == 1


def test_a_folder_gets_a_whole_file_under_an_unguessable_name(tmp_path: Path) -> None:
    """Each mail is an .eml file of its own that only its owner may read, and nothing else is left in the folder."""
    folder = tmp_path / "new" / "mails"
    kept = app(mail_folder=str(folder), **ADDRESSES)
    for _ in range(2):
        assert call(kept, form(subject="../../etc/passwd")).document == {"success": True}
    files = list(folder.iterdir())
    assert len({file.name for file in files}) == 2
    for file in files:
        stamp, name = file.stem.split("-")
        assert (file.suffix, len(stamp), len(name)) == (".eml", 16, 32)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert parsed(file.read_bytes())["Subject"] == "../../etc/passwd"


# Values


def test_the_time_of_a_mail_is_the_clocks() -> None:
    """``Date`` says what the clock says."""
    mail = contact_mail(FORM, sender=SENDER, recipient=RECIPIENT)
    assert parsed(message_bytes(mail, NOW))["Date"] == "Thu, 01 Jan 2026 00:00:00 -0000"


@pytest.mark.parametrize(
    "text, found",
    [
        (" ada@visitor.test ", "ada@visitor.test"),
        ("o'brien+form@sub.visitor.test", "o'brien+form@sub.visitor.test"),
        ("ada@bücher.test", "ada@xn--bcher-kva.test"),
        ("a..b@visitor.test", "a..b@visitor.test"),
        ("ada@localhost", "ada@localhost"),
    ],
)
def test_an_address_is_read(text: str, found: str) -> None:
    """Blanks around it do not count, a domain is written in ASCII, odd local parts that exist are let through."""
    assert address(text).addr_spec == found


@pytest.mark.parametrize(
    "text, name",
    [
        (FROM, ""),
        (f"<{FROM}>", ""),
        (f"Example <{FROM}>", "Example"),
        (f'"Example, Inc." <{FROM}>', "Example Inc."),
        (f"Schöne Grüße <{FROM}>", "Schöne Grüße"),
    ],
)
def test_a_mailbox_is_read(text: str, name: str) -> None:
    """The sender may have a name before the address, with quotes or without."""
    assert mailbox(text) == Address(name, "noreply", "example.com")


@pytest.mark.parametrize(
    "url, host, port, implicit",
    [
        ("smtp://mail.test", "mail.test", 587, False),
        ("smtp://mail.test:25/", "mail.test", 25, False),
        ("smtps://mail.test", "mail.test", 465, True),
        ("smtps://[::1]:2465", "::1", 2465, True),
    ],
)
def test_a_mail_server_is_read(url: str, host: str, port: int, implicit: bool) -> None:
    """Without a port it is the one that goes with the scheme."""
    assert smtp_server(url) == (host, port, implicit, None, None)


def test_a_mail_server_is_not_dialled_before_a_mail() -> None:
    """Building opens nothing."""
    SmtpMailer(smtp_server("smtp://192.0.2.1:9"), timeout_seconds=0.1)
