"""A mail server for tests: a thread on the loopback interface that speaks as much SMTP as a client needs."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


class Certificate(NamedTuple):
    """A certificate for the loopback interface: the file to trust, and the context of the server that shows it."""

    file: Path
    context: ssl.SSLContext


def make_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a mail server of a test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, both = folder / "authority.pem", folder / "server.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    both.write_bytes(
        file.read_bytes()
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return Certificate(file, context)


class LocalSmtp(socketserver.ThreadingTCPServer):
    """Keeps what it was told.

    :param tls: offered as STARTTLS, or demanded from the first byte when ``implicit``.
    :param login: user and password that it accepts.
    :param replies: in place of its usual replies, by verb; ``CONNECT`` and ``MESSAGE`` are the two moments without
        one. An empty reply is a server that has fallen silent.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        replies: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__((HOST, 0), _Conversation)
        self.tls, self.implicit, self.login, self.replies = tls, implicit, login, dict(replies or {})
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.verbs: list[str] = []
        self.closing = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @contextmanager
    def running(self) -> Iterator[LocalSmtp]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self.shutdown()
            thread.join()
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or dislikes the certificate, is no failure of the test."""


class _Conversation(socketserver.BaseRequestHandler):
    server: LocalSmtp

    def handle(self) -> None:
        self.encrypted = False
        self.sender, self.recipients = "", list[str]()
        self.file = self.request.makefile("rb")
        try:
            if self.server.implicit:
                self._encrypt()
            self._converse()
        finally:
            self.file.close()
            self.request.close()

    def _converse(self) -> None:
        self._reply("CONNECT", "220 test")
        while line := self.file.readline():
            verb, _, rest = line.decode("ascii").strip().partition(" ")
            self.server.verbs.append(verb.upper())
            if not getattr(self, "_" + verb.lower(), self._unknown)(verb.upper(), rest):
                return

    def _reply(self, moment: str, usual: str) -> bool:
        """Say what is due, and whether the conversation goes on as usual."""
        reply = self.server.replies.get(moment, usual)
        if reply:
            self.request.sendall(reply.encode("ascii") + b"\r\n")
        else:
            self.server.closing.wait(10)
        return bool(reply) and reply == usual

    def _encrypt(self) -> None:
        assert self.server.tls is not None
        self.file.close()
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.file = self.request.makefile("rb")
        self.encrypted = True

    def _unknown(self, verb: str, rest: str) -> bool:
        return self._reply(verb, "502 unknown") or True

    def _ehlo(self, verb: str, rest: str) -> bool:
        offers = ["test"]
        if self.server.tls is not None and not self.encrypted:
            offers.append("STARTTLS")
        if self.server.login is not None:
            offers.append("AUTH PLAIN")
        self._reply(verb, "\r\n".join([*(f"250-{offer}" for offer in offers), "250 SIZE 1000000"]))
        return True

    def _starttls(self, verb: str, rest: str) -> bool:
        if self._reply(verb, "220 go ahead"):
            self._encrypt()
        return True

    def _auth(self, verb: str, rest: str) -> bool:
        given = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")[1:]
        usual = "235 welcome" if self.server.login == tuple(given) else f"535 wrong: {' '.join(given)}"
        self._reply(verb, usual)
        return True

    def _mail(self, verb: str, rest: str) -> bool:
        self.sender, self.recipients = rest[rest.index("<") + 1 : rest.index(">")], []
        self._reply(verb, "250 ok")
        return True

    def _rcpt(self, verb: str, rest: str) -> bool:
        self.recipients.append(rest[rest.index("<") + 1 : rest.index(">")])
        self._reply(verb, "250 ok")
        return True

    def _data(self, verb: str, rest: str) -> bool:
        if not self._reply(verb, "354 go ahead"):
            return True
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if self._reply("MESSAGE", "250 kept"):
            self.server.mails.append((self.sender, self.recipients, b"".join(lines)))
        return True

    def _rset(self, verb: str, rest: str) -> bool:
        self._reply(verb, "250 ok")
        return True

    def _quit(self, verb: str, rest: str) -> bool:
        self._reply(verb, "221 bye")
        return False
