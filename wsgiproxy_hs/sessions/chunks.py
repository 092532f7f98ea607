"""A session token in one cookie, or in several when one is too small for it (F016 to F022).

Browsers drop a cookie of more than 4,096 bytes, so a longer token travels as ``name.0``, ``name.1``, ...
Reading tolerates what history leaves behind: chunks in any order, gaps, a whole cookie beside chunks, chunks
that an earlier, longer token left, duplicates that a sibling domain set. Only ``name`` and ``name.<digits>``
belong to a session; Auth.js takes every name that begins so, and loses the session when there is one (F022).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice

from .cookies import needs_secure, set_cookie

#: Characters of the value in one cookie: 4,096 less 160 for Auth.js, less 163 for NextAuth 4.
CHUNK_SIZE_V5 = 3936
CHUNK_SIZE_V4 = 3933

#: Bounds on what one request can make us try.
MAX_CANDIDATES = 8
MAX_JOINED_LENGTH = 65_536
_MAX_WHOLE = 4
_MAX_DIGITS = 3

Cookies = Sequence[tuple[str, str]]


def split_chunks(name: str, value: str, size: int = CHUNK_SIZE_V5) -> list[tuple[str, str]]:
    """The cookies that carry ``value``: one under ``name``, or full chunks and a last one.

    :raises ValueError: when the value is so long that it would not be read back.
    """
    if len(value) > MAX_JOINED_LENGTH:
        raise ValueError(f"a session token must not be longer than {MAX_JOINED_LENGTH:,} characters")
    if len(value) <= size:
        return [(name, value)]
    starts = range(0, len(value), size)
    return [(f"{name}.{number}", value[start : start + size]) for number, start in enumerate(starts)]


def candidates(cookies: Cookies, name: str) -> Iterator[str]:
    """Every token that the cookies of the session ``name`` may stand for, the likeliest first.

    First whole cookies, each duplicate; then the chunks in numeric order (F020), all of them; then, as the
    highest may be stale, without the last, without the last two, and so on (F019). At most ``MAX_CANDIDATES``
    in all, none longer than ``MAX_JOINED_LENGTH``. Which of them is genuine only unsealing can tell.
    """
    whole, chunks = _sorted_out(cookies, name)
    if not chunks:
        return iter(whole[:_MAX_WHOLE])
    return islice(chain(whole[:_MAX_WHOLE], _joined(chunks)), MAX_CANDIDATES)


def _sorted_out(cookies: Cookies, name: str) -> tuple[list[str], dict[int, list[str]]]:
    whole: list[str] = []
    chunks: dict[int, list[str]] = {}
    for cookie_name, value in cookies:
        if not value:
            continue
        if cookie_name == name:
            if len(value) <= MAX_JOINED_LENGTH:
                whole.append(value)
        elif (number := chunk_number(cookie_name, name)) is not None:
            chunks.setdefault(number, []).append(value)
    return whole, chunks


def chunk_number(cookie_name: str, name: str) -> int | None:
    """``2`` for ``name.2``; ``None`` for every name that is no chunk of the session ``name``."""
    stem, dot, digits = cookie_name.rpartition(".")
    if stem != name or not dot or len(digits) > _MAX_DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits)


def _joined(chunks: dict[int, list[str]]) -> Iterator[str]:
    """All chunks, then fewer; where a number came twice, with the first and with the last of each."""
    in_order = [chunks[number] for number in sorted(chunks)]
    picks = (0, -1) if any(len(values) > 1 for values in in_order) else (0,)
    most = min(len(in_order), bisect_right(list(accumulate(map(_shortest, in_order))), MAX_JOINED_LENGTH))
    for count in range(most, 0, -1):
        for pick in picks:
            joined = "".join([values[pick] for values in in_order[:count]])
            if len(joined) <= MAX_JOINED_LENGTH:
                yield joined


def _shortest(values: list[str]) -> int:
    return min(map(len, values))


def session_cookie_names(cookies: Cookies, names: Iterable[str]) -> list[str]:
    """The cookies with a value that carry one of the sessions ``names``: whole ones and chunks, in request
    order.
    """
    wanted = tuple(names)
    carried = (cookie for cookie, value in cookies if value and cookie.startswith(wanted))
    return list(dict.fromkeys(cookie for cookie in carried if _belongs(cookie, wanted)))


def _belongs(cookie_name: str, names: tuple[str, ...]) -> bool:
    return cookie_name in names or any(chunk_number(cookie_name, name) is not None for name in names)


def write_session_cookies(
    request_cookies: Cookies,
    name: str,
    value: str,
    *,
    secure: bool,
    expires: float | None,
    size: int = CHUNK_SIZE_V5,
) -> list[str]:
    """The ``Set-Cookie`` lines that store ``value`` and remove what the request carried of an earlier one.

    The order is that of Auth.js: a line for each cookie of this session that the request carried, in request
    order, either overwritten or removed (F018, F019); then the new ones.

    :param expires: seconds since the epoch; ``None`` for a cookie that ends with the browser.
    :param size: characters of the value in one cookie.
    :raises ValueError: see :func:`split_chunks` and :func:`.cookies.set_cookie`.
    """
    carried = session_cookie_names(request_cookies, [name])
    lines = {cookie: _clearing(cookie, secure) for cookie in carried}
    for cookie, part in split_chunks(name, value, size):
        lines[cookie] = set_cookie(cookie, part, secure=secure, expires=expires)
    return list(lines.values())


def clear_session_cookies(request_cookies: Cookies, names: Iterable[str], *, secure: bool) -> list[str]:
    """The ``Set-Cookie`` lines that remove all cookies, chunks included, of the sessions ``names`` (F038)."""
    return [_clearing(cookie, secure) for cookie in session_cookie_names(request_cookies, names)]


def _clearing(name: str, secure: bool) -> str:
    # A browser takes a line for a prefixed name only with Secure, whatever this site is configured to be.
    return set_cookie(name, "", secure=secure or needs_secure(name), max_age=0)
