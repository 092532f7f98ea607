"""The routes that are answered here: contact form and translation, with their providers played by local servers."""

from __future__ import annotations

import json
import pathlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.integration import servers
from tests.integration.conftest import Backend

pytestmark = pytest.mark.integration

FORM = {"name": "Grace", "email": "grace@example.com", "subject": "Hello", "message": "Is the loom for sale?"}
KEY = "sk-integration-provider-key"


@dataclass
class Provider:
    """A service that answers everything with the same document and remembers what it was sent."""

    url: str
    status: int = 200
    document: Any = None
    received: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture(name="provider")
def _provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            provider.received.append((self.path, headers, body))
            answer = json.dumps(provider.document).encode() if provider.document is not None else b""
            self.send_response(provider.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(name="equipped")
def _equipped(provider: Provider, backend: Backend) -> Iterator[str]:
    """A proxy that knows its providers."""
    port = servers.free_port()
    environ = servers.proxy_environ(
        backend.url, port, SENDGRID_API_KEY=KEY, SENDGRID_URL=provider.url, CONTACT_EMAIL_FROM="website@example.com",
        CONTACT_EMAIL_TO="team@example.com", OPENAI_BASE_URL=f"{provider.url}/v1", OPENAI_API_KEY=KEY,
        TRANSLATE_MODEL="test-model",
    )  # fmt: skip
    with servers.gunicorn("wsgiproxy_hs:app", environ, port=port) as url:
        yield url


def test_contact_form_refuses_header_injection(proxy: str) -> None:
    """A line end in what becomes a header is 400 with the field named (F160)."""
    form = {**FORM, "subject": "Hello\r\nBcc: all@example.com"}
    answer = servers.ask(proxy, "POST", "/api/send-contact-email", body=json.dumps(form).encode())
    assert answer.status == 400
    assert answer.json()["fields"].keys() == {"subject"}


def test_contact_form_through_sendgrid(equipped: str, provider: Provider) -> None:
    """The mail goes to the fixed recipient; the visitor is the one to reply to."""
    provider.status = 202
    answer = servers.ask(equipped, "POST", "/api/send-contact-email", body=json.dumps(FORM).encode())
    assert answer.status == 200, answer
    ((path, headers, mail),) = provider.received
    assert path == "/v3/mail/send"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert [to["email"] for p in mail["personalizations"] for to in p["to"]] == ["team@example.com"]
    assert (mail["from"]["email"], mail["reply_to"]["email"]) == ("website@example.com", "grace@example.com")


def test_contact_form_when_sendgrid_refuses(equipped: str, provider: Provider) -> None:
    """An error of the provider is ours to say, without its words and without the key."""
    provider.status, provider.document = 401, {"errors": [{"message": f"bad key {KEY}"}]}
    answer = servers.ask(equipped, "POST", "/api/send-contact-email", body=json.dumps(FORM).encode())
    assert answer.status == 502
    assert KEY not in answer.body.decode()


def test_contact_form_into_a_folder(signed_in: servers.Client, tmp_path: pathlib.Path, backend: Backend) -> None:
    """Without SendGrid and SMTP the demo's folder gets the mail."""
    port = servers.free_port()
    environ = servers.proxy_environ(
        backend.url, port, CONTACT_EMAIL_FROM="website@example.com", CONTACT_EMAIL_TO="team@example.com",
        CONTACT_MAIL_FOLDER=str(tmp_path),
    )  # fmt: skip
    with servers.gunicorn("wsgiproxy_hs:app", environ, port=port) as url:
        assert servers.ask(url, "POST", "/api/send-contact-email", body=json.dumps(FORM).encode()).status == 200
    (mail,) = tmp_path.iterdir()
    assert "Reply-To: Grace <grace@example.com>" in mail.read_text()


def translate(url: str, workspace: str, text: str = "Guten Tag") -> servers.Answer:
    client = servers.Client(url)
    client.sign_in()
    body = json.dumps({"text": text, "target_language": "English"}).encode()
    return client.ask("POST", f"/api/workspaces/{workspace}/translate", body=body)


def test_translation_for_strangers_costs_nothing(equipped: str, provider: Provider) -> None:
    """Who is not a member of the workspace is refused by the backend, and the provider is not asked (F161)."""
    answer = translate(equipped, "7a9c1c1e-0000-4000-8000-000000000001")
    assert answer.status in (403, 404)
    assert provider.received == []


def test_translation_needs_a_session(equipped: str, provider: Provider) -> None:
    """Without a session nothing is translated."""
    answer = servers.ask(
        equipped, "POST", "/api/workspaces/x/translate", body=b'{"text": "a", "target_language": "en"}'
    )
    assert answer.status == 401
    assert provider.received == []


def test_translation_for_members(equipped: str, provider: Provider, backend: Backend) -> None:
    """A member gets the translation, and the model that made it."""
    provider.document = {
        "model": "test-model-1",
        "choices": [{"message": {"role": "assistant", "content": "Good day"}}],
    }
    answer = translate(equipped, backend.ids["workspace"]["id"])
    assert answer.json() == {"translation": "Good day", "target_language": "English", "model": "test-model-1"}
    ((path, headers, request),) = provider.received
    assert (path, headers["authorization"], request["model"]) == ("/v1/chat/completions", f"Bearer {KEY}", "test-model")


def test_translation_without_a_key_is_not_set_up(client: servers.Client, backend: Backend) -> None:
    """Without a key the answer says so, and nothing breaks."""
    body = b'{"text": "Guten Tag", "target_language": "English"}'
    answer = client.ask("POST", f"/api/workspaces/{backend.ids['workspace']['id']}/translate", body=body)
    assert (answer.status, answer.json()["code"]) == (503, "endpoint-not-configured")


def test_transcription_cut_short_is_not_forwarded(client: servers.Client, backend: Backend) -> None:
    """An upload whose client stops early never reaches the backend (F076)."""
    import socket
    from urllib.parse import urlsplit

    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    parts = urlsplit(client.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as sock:
        head = (
            f"POST /api/transcribe-audio HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\nOrigin: {client.url}\r\n"
            "Content-Type: audio/wav\r\nContent-Length: 100000\r\n\r\n"
        )
        sock.sendall(head.encode() + b"RIFF" * 100)
        sock.shutdown(socket.SHUT_WR)
        answer = sock.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 400 ") or answer == b""
    assert backend.received() == []


def test_transcription_without_a_length_gains_one(client: servers.Client, backend: Backend) -> None:
    """A chunked upload reaches the backend whole, with a Content-Length (F074)."""
    import socket
    from urllib.parse import urlsplit

    from tests.integration.rows import silence

    sound = silence()
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    parts = urlsplit(client.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as sock:
        head = (
            f"POST /api/transcribe-audio HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\nOrigin: {client.url}\r\n"
            "Content-Type: audio/wav\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        chunks = b"".join(
            b"%x\r\n%s\r\n" % (len(piece), piece)
            for piece in (sound[start : start + 1000] for start in range(0, len(sound), 1000))
        )
        sock.sendall(head.encode() + chunks + b"0\r\n\r\n")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 200 ")
    (seen,) = backend.received()
    assert seen.body == sound
    assert seen.headers["content-length"] == str(len(sound))


def test_an_upload_that_is_too_large(client: servers.Client, backend: Backend) -> None:
    """Over 25 MiB is 413, before the backend sees a byte (F072)."""
    answer = client.ask(
        "POST", "/api/transcribe-audio", headers={"Content-Type": "audio/wav"}, body=b"\0" * (25 * 1_048_576 + 1)
    )
    assert answer.status == 413
    assert backend.received() == []
