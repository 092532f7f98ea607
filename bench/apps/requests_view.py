"""What many write: a view that asks with ``requests.Session``."""

import os

import requests

session = requests.Session()
UPSTREAM = os.environ["BACKEND_URL"]


def app(environ, start_response):
    """Forward the request with a token, and give the answer back."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    response = session.request(
        environ["REQUEST_METHOD"],
        UPSTREAM + environ["PATH_INFO"],
        data=environ["wsgi.input"].read(length) if length else None,
        headers={"Authorization": "JWT x", "Content-Type": environ.get("CONTENT_TYPE", "")},
        timeout=30,
    )
    start_response(
        f"{response.status_code} {response.reason}",
        [("Content-Type", response.headers["Content-Type"]), ("Content-Length", str(len(response.content)))],
    )
    return [response.content]
