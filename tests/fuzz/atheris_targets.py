"""Coverage-guided fuzzing of the same properties, for whoever has ``atheris`` (``pip install atheris``).

``python -m tests.fuzz.atheris_targets NAME --seconds 600``; without a name it prints the names. What it learns is kept
in ``var/fuzz/NAME``. An input that breaks a property is written to ``var/fuzz/NAME-crash-...``, and becomes a test.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def targets() -> Mapping[str, tuple[Callable[[bytes], None], list[bytes]]]:
    """The targets by name, each with inputs to begin with."""
    from tests.fuzz import properties, request_path, response_path
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
        "requests": (request_path.check_request, list(request_path.SEEDS)),
        "exchanges": (response_path.check_exchange, list(response_path.SEEDS)),
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
    parser.add_argument("--corpus", type=Path, default=Path("var/fuzz"))
    options = parser.parse_args()
    with atheris.instrument_imports(include=["wsgiproxy_hs"]):
        known = targets()
    if options.name not in known:
        print(*known, sep="\n")
        return
    logging.disable()  # a line for every refusal would be all that it does
    check, seeds = known[options.name]
    folder = options.corpus / options.name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    flags = [f"-max_total_time={options.seconds}", f"-artifact_prefix={options.corpus}/{options.name}-"]
    flags += ["-max_len=2048", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], str(folder), *flags], lambda data: check(bytes(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
