"""Starts the reference backend and the proxy on free ports of the loopback, and says what to try.

``make demo`` calls it. Everything it makes is below ``var/demo``; running it twice is harmless, Ctrl-C stops both.
"""

import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BACKEND = ROOT / "examples" / "backend"
DATA = ROOT / "var" / "demo"
EMAIL, PASSWORD = "ada@example.com", "correct horse battery staple"

WHAT_TO_TRY = """
The proxy is at {url} and stands between you and Django at {backend}.

  In a browser:  {url}/api/auth/signin?callbackUrl=/api/workspaces
  Sign in as     {email}
  with password  {password}

Or in another terminal:

  curl -s {url}/api/workspaces
  TOKEN=$(curl -s -c {jar} {url}/api/auth/csrf | cut -d'"' -f4)
  curl -s -b {jar} -c {jar} {url}/api/auth/callback/credentials -H 'X-Auth-Return-Redirect: 1' \\
       --data-urlencode "csrfToken=$TOKEN" --data-urlencode 'email={email}' --data-urlencode 'password={password}'
  curl -s -b {jar} {url}/api/workspaces
  curl -s -b {jar} {url}/api/workspaces/{workspace}/chats -H 'X-CSRF: 1' -H 'Content-Type: application/json' \\
       -d '{{"name": "First chat", "ai_provider": "openai", "ai_model": "gpt-4o"}}'

The first is refused (401: no session), the last carries the session's access token to Django. Mails are in {mail}.
Ctrl-C stops both.
"""


def main() -> int:
    """Run until one of the servers ends or the user stops it."""
    DATA.mkdir(parents=True, exist_ok=True)
    backend_port, proxy_port = free_port(), free_port()
    backend_environ = {**os.environ, **backend_settings(backend_port, proxy_port)}
    manage(backend_environ, "migrate", "--verbosity=0")
    seeded = json.loads(manage(backend_environ, "seed_demo", "--email", EMAIL, "--password", PASSWORD))
    url, backend = f"http://127.0.0.1:{proxy_port}", f"http://127.0.0.1:{backend_port}"
    servers = [
        serve("config.wsgi:application", backend_port, backend_environ, cwd=BACKEND),
        serve("wsgiproxy_hs:app", proxy_port, {**os.environ, **proxy_settings(url, backend)}, cwd=ROOT),
    ]
    try:
        wait_for(f"{backend}/auth/users/me/", servers)
        wait_for(f"{url}/api/auth/providers", servers)
        print(WHAT_TO_TRY.format(url=url, backend=backend, email=EMAIL, password=PASSWORD, jar=DATA / "cookies.txt",
                                 workspace=seeded["workspace"]["id"], mail=DATA / "backend" / "mail"), flush=True)  # fmt: skip
        while all(server.poll() is None for server in servers):
            time.sleep(0.2)
        return 1
    except KeyboardInterrupt:
        print("\nstopped")
        return 0
    finally:
        stop(servers)


def backend_settings(port: int, proxy_port: int) -> dict[str, str]:
    """Where the backend keeps its data, and its secret."""
    return {
        "BACKEND_DATA_DIR": str(DATA / "backend"),
        "BACKEND_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "FRONT_END_BASE_URL": f"http://127.0.0.1:{proxy_port}",
        "BACKEND_SECRET_KEY": secret("backend"),
    }


def proxy_settings(url: str, backend: str) -> dict[str, str]:
    """All that the proxy needs, as anybody would set it."""
    return {
        "BACKEND_URL": backend,
        "AUTH_URL": url,
        "AUTH_SECRET": secret("proxy"),
        "CONTACT_EMAIL_FROM": "website@example.com",
        "CONTACT_EMAIL_TO": "team@example.com",
        "CONTACT_MAIL_FOLDER": str(DATA / "contact-mail"),
    }


def secret(name: str) -> str:
    """A random secret of this demo, kept so that sessions outlive a restart."""
    file = DATA / f"{name}.secret"
    if not file.exists():
        file.write_text(secrets.token_urlsafe(33))
        file.chmod(0o600)
    return file.read_text()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def manage(environ: dict[str, str], *arguments: str) -> str:
    """The output of a Django command."""
    command = [sys.executable, str(BACKEND / "manage.py"), *arguments]
    return subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout


def serve(app: str, port: int, environ: dict[str, str], cwd: pathlib.Path) -> subprocess.Popen[bytes]:
    """A gunicorn in a process group of its own, so that Ctrl-C reaches it through us alone."""
    command = [sys.executable, "-m", "gunicorn", app, f"--bind=127.0.0.1:{port}", "--threads=8", "--log-level=warning",
               "--limit-request-field_size=16380", "--no-control-socket"]  # fmt: skip
    return subprocess.Popen(command, env=environ, cwd=cwd, start_new_session=True)


def wait_for(url: str, servers: list[subprocess.Popen[bytes]], seconds: float = 30.0) -> None:
    """Return when the URL answers, whatever its status."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and all(server.poll() is None for server in servers):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def stop(servers: list[subprocess.Popen[bytes]]) -> None:
    """End both, the gentle way first."""
    for server in servers:
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
    for server in servers:
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
