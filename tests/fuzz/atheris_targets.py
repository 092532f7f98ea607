"""Coverage-guided fuzzing of the same properties, for whoever has ``atheris`` (``pip install atheris``).

``python -m tests.fuzz.atheris_targets NAME --seconds 600``; without a name it prints the names. An input that breaks a
property is written to the current folder as ``crash-...``, and becomes a test.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping


def targets() -> Mapping[str, tuple[Callable[[bytes], None], list[bytes]]]:
    """The targets by name, each with inputs to begin with."""
    from tests.fuzz import properties
    from tests.harness import request

    def text(data: bytes) -> str:
        return data.decode("latin-1")

    def headers(data: bytes) -> None:
        from wsgiproxy_hs.upstream.headers import REQUEST_HEADERS

        names = [*REQUEST_HEADERS, "Via", "Forwarded", "X-Request-ID", "Connection", "Origin", "Host"]
        fields = {}
        for part in data.split(b"\xfe")[:8]:
            if part:
                name = names[part[0] % len(names)].upper().replace("-", "_")
                fields["HTTP_" + name] = text(part[1:])
        properties.check_headers(request("GET", "/api/items"), fields)

    def tokens(data: bytes) -> None:
        for kind in properties.GOLDEN:
            properties.check_token(kind, text(data))

    golden = [token.encode() for token in properties.GOLDEN.values()]
    return {
        "cookies": (lambda data: properties.check_cookies(text(data)), [b"a=1; authjs.session-token.0=x, b=%41"]),
        "unsealing": (tokens, golden),
        "json": (properties.check_json, [b'{"a":[1,-2.5e3,"\\u00e9",null,true]}', b'{"a":1,"a":2}']),
        "paths": (lambda data: properties.check_path("GET", "/api/" + text(data)), [b"items/7", b"rest/a/%2e%2e"]),
        "headers": (headers, [b"\x00text/html\xfe\x0fa"]),
        "callback-urls": (
            lambda data: properties.check_callback(data.decode("utf-8", "surrogateescape")),
            [b"/a?b#c", b"https://app.example.com/x", b"//evil.example", b"/%2e%2e//x"],
        ),
        "answers": (
            properties.check_answer,
            [
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            ],
        ),
    }


def main() -> None:
    import atheris

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    with atheris.instrument_imports(include=["wsgiproxy_hs"]):
        known = targets()
    if options.name not in known:
        print(*known, sep="\n")
        return
    check, seeds = known[options.name]
    folder = tempfile.mkdtemp(prefix=f"fuzz-{options.name}-")
    for number, seed in enumerate(seeds):
        with open(f"{folder}/seed-{number}", "wb") as file:
            file.write(seed)
    atheris.Setup(
        [sys.argv[0], folder, f"-max_total_time={options.seconds}", "-max_len=2048", "-timeout=20"],
        lambda data: check(bytes(data)),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
