"""The contact form's mail as a value, and as a message on the wire.

Nothing that a visitor writes can add a header or an address. ``email`` alone does not see to that everywhere: some
releases unfold an encoded word with a line end in it (``=?utf-8?q?a=0ABcc:...?=``) into a header of its own, and drop
the quotes of a long display name, so that the commas in it begin further addresses. So a visitor's text reaches it
without ``=?``, and a name without the characters that mean something in an address (F160).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Final, NamedTuple

from wsgiproxy_hs.exceptions import BodyInvalid

_MAILBOX: Final = re.compile(r'\s*"?(?P<name>[^<>"]*?)"?\s*<(?P<address>[^<>]*)>\s*')
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_SPECIAL: Final = re.compile(r'[()<>\[\]:;@\\,"]')
_WIRE: Final = policy.SMTP.clone(cte_type="7bit")
"""CRLF, and nothing that a server without 8BITMIME could spoil."""

BLANK: Final = "This field may not be blank."


class Mail(NamedTuple):
    """One mail, checked."""

    sender: Address
    recipient: Address
    reply_to: Address
    subject: str
    text: str


def contact_mail(form: Mapping[str, Any], *, sender: Address, recipient: Address) -> Mail:
    """The mail for a filled contact form: from us, to us, to be answered to the visitor.

    :param form: ``name``, ``email``, ``subject``, ``message``; lengths and types are checked.
    :raises BodyInvalid: 400, when a field is blank, or the address is none that a mail can be sent to.
    """
    fields = {name: [BLANK] for name in ("name", "subject", "message") if not form[name].strip()}
    try:
        visitor = address(form["email"])
    except ValueError:
        fields["email"] = ["Enter a valid email address."]
    if fields:
        raise BodyInvalid(fields=fields)
    name = one_line(form["name"])
    reply_to = Address(display_name(name), visitor.username, visitor.domain)
    text = f"{name} <{visitor.addr_spec}> wrote through the contact form:\n\n{form['message']}\n"
    return Mail(sender, recipient, reply_to, one_line(form["subject"]), text)


def message_bytes(mail: Mail, now: float) -> bytes:
    """The mail as it travels (RFC 5322).

    :param now: seconds since the epoch, for ``Date``.
    """
    message = EmailMessage(policy=_WIRE)
    message["From"] = mail.sender
    message["To"] = mail.recipient
    message["Reply-To"] = mail.reply_to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(now)
    message["Message-ID"] = make_msgid(domain=mail.sender.domain)
    message.set_content(mail.text)
    return message.as_bytes()


def address(text: str) -> Address:
    """``ada@example.com`` as an address; a domain in other letters is written in its ASCII form.

    :raises ValueError: when no mail could be sent there; the text says so without repeating it.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    if "=?" in local or not _LOCAL.fullmatch(local) or not all(map(_LABEL.fullmatch, domain.split("."))):
        raise ValueError("not an e-mail address")
    return Address(username=local, domain=domain)


def mailbox(text: str) -> Address:
    """``Example <contact@example.com>``, or the address alone.

    :raises ValueError: when it is not exactly one.
    """
    found = _MAILBOX.fullmatch(text)
    if found is None:
        return address(text)
    plain = address(found["address"])
    return Address(display_name(one_line(found["name"])), plain.username, plain.domain)


def one_line(text: str) -> str:
    """Text for a header: blanks and line ends of every kind become one space, and no encoded word begins in it."""
    return " ".join(text.split()).replace("=?", "= ?")


def display_name(name: str) -> str:
    """A name that needs no quotes to stand before an address."""
    return " ".join(_SPECIAL.sub(" ", name).split())
