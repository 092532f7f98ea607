"""The CSRF token: what counts as one, and what a POST without it can do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.auth.browser import Browser, url_of
from tests.auth.conftest import MakeApp
from tests.auth.exchanges import OLD_SECRET, SECRET, csrf_of
from wsgiproxy_hs.auth.csrf import check_csrf, csrf_hash

VECTORS = json.loads((Path(__file__).parent.parent / "sessions/data/authjs-vectors.json").read_text())
CHECKS = [(row, check) for row in VECTORS["csrf"] for check in row["checks"]]
A, B = "a" * 64, "b" * 64


def secrets_of(row: dict[str, Any]) -> list[str]:
    return [row["secret"]] if isinstance(row["secret"], str) else row["secret"]


def test_all_vectors_are_here() -> None:
    """Seven sets of secrets with sixteen checks each, made by the real libraries."""
    assert len(VECTORS["csrf"]) == 7
    assert len(CHECKS) == 112


@pytest.mark.parametrize(("row", "check"), CHECKS, ids=lambda value: value.get("label") or value.get("id"))
def test_vectors(row: dict[str, Any], check: dict[str, Any]) -> None:
    """Each cookie and body token is judged as the real library judged it."""
    cookies = [] if check["cookie"] is None else [check["cookie"]]
    result = check_csrf(cookies, check["body_token"], secrets_of(row))
    assert result.is_verified is check["verified"]
    if check.get("replaced") is not None:
        assert (result.new_value is not None) is check["replaced"]


@pytest.mark.parametrize("row", VECTORS["csrf"], ids=lambda row: f"{row['lib']} {row['label']}")
def test_hashes(row: dict[str, Any]) -> None:
    """The hash covers the token and the secrets, joined with commas."""
    assert row["token"] + ",".join(secrets_of(row)) == row["hash_input"]
    assert f"{row['token']}|{csrf_hash(row['token'], ','.join(secrets_of(row)))}" == row["cookie_value"]


@pytest.mark.parametrize("body_token", [None, "", 0, 1, True, [A], {"token": A}, "A" * 64, A + "|", " " + A, "\ud800"])
def test_only_the_very_token_verifies(body_token: object) -> None:
    """A body token of another type, case or length is none."""
    cookie = f"{A}|{csrf_hash(A, SECRET)}"
    assert not check_csrf([cookie], body_token, [SECRET]).is_verified


@pytest.mark.parametrize("value", ["", "|", "x", "é|ü", "\ud800|\udfff", "|" * 500, "x" * 100_000, f"{A}|{A}", f"|{A}"])
def test_no_cookie_value_is_too_odd(value: str) -> None:
    """Whatever a cookie holds, it is no token, and a new one is made."""
    result = check_csrf([value], A, [SECRET])
    assert result.new_value is not None
    assert not result.is_verified


def test_new_tokens_are_random_and_good() -> None:
    """A new token is 64 hexadecimal characters, never the same, and its cookie is accepted later."""
    tokens = {check_csrf([], None, [SECRET]).token for _ in range(100)}
    assert len(tokens) == 100
    result = check_csrf([], None, [SECRET])
    assert re.fullmatch("[0-9a-f]{64}", result.token)
    assert result.new_value is not None
    assert check_csrf([result.new_value], result.token, [SECRET]).is_verified


@pytest.mark.parametrize("made_with", [SECRET, OLD_SECRET, f"{SECRET},{OLD_SECRET}"])
def test_a_secret_can_be_added_without_a_refused_form(made_with: str) -> None:
    """A cookie made with any one secret of the list counts, and so does one made with all of them joined."""
    assert check_csrf([f"{A}|{csrf_hash(A, made_with)}"], A, [SECRET, OLD_SECRET]).is_verified


@pytest.mark.parametrize("made_with", ["", ",", f"{OLD_SECRET},{SECRET}", SECRET[:-1], SECRET + OLD_SECRET])
def test_no_other_combination_of_secrets_counts(made_with: str) -> None:
    """Half a list, another order or no secret at all make no good hash."""
    assert not check_csrf([f"{A}|{csrf_hash(A, made_with)}"], A, [SECRET, OLD_SECRET]).is_verified


def test_two_good_cookies_verify_nothing() -> None:
    """When a sibling site has planted a second good cookie, neither token is believed (F033)."""
    cookies = [f"{token}|{csrf_hash(token, SECRET)}" for token in (A, B)]
    assert not check_csrf(cookies, A, [SECRET]).is_verified
    assert not check_csrf(cookies, B, [SECRET]).is_verified
    assert check_csrf([cookies[0], cookies[0], "junk"], A, [SECRET]).is_verified


def test_cookies_joined_by_a_comma_are_found(browser: Browser) -> None:
    """A server that joins two Cookie lines with a comma loses nobody's token (F032)."""
    browser.csrf()
    joined = ",".join(f"{name}={value}" for name, value in browser.jar.items())
    answer = browser.post("/signin", {}, X_Auth_Return_Redirect="1", Cookie="a=1," + joined)
    assert url_of(answer).endswith("/api/auth/signin")


POSTS = ["/callback/credentials", "/signout", "/signin", "/signin/credentials"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("token", ["", "0" * 64, "x"])
def test_posts_without_the_token_are_refused(browser: Browser, path: str, token: str) -> None:
    """Every POST that changes something asks for the token, and a refusal sets no cookie."""
    browser.csrf()
    answer = browser.post(path, {"csrfToken": token}, X_Auth_Return_Redirect="1")
    assert url_of(answer) == "http://localhost:3000/api/auth/signin?error=MissingCSRF"
    assert answer.cookies == []


def test_a_session_update_without_the_token_is_400(browser: Browser) -> None:
    """POST session answers 400 and null, as its client expects."""
    browser.sign_in()
    answer = browser.post("/session", json_body={"csrfToken": "x", "data": {}})
    assert (answer.status, answer.body, answer.cookies) == (400, b"null", [])


def test_the_token_lasts(browser: Browser) -> None:
    """One token serves the whole visit: it is set once and stays over sign-in and sign-out."""
    token = browser.csrf()
    browser.sign_in()
    browser.post("/signout")
    assert csrf_of(browser.jar) == token
    assert browser.get("/csrf").cookies == []


def test_on_https_only_the_host_prefix_counts(make_app: MakeApp) -> None:
    """A CSRF cookie that a sibling domain could have set is not looked at when the site is https."""
    browser = Browser(make_app(public_url="https://app.example.com"))
    browser.csrf()
    assert "__Host-authjs.csrf-token" in browser.jar
    value = browser.jar.pop("__Host-authjs.csrf-token")
    browser.jar["authjs.csrf-token"] = value
    answer = browser.post("/signout", {"csrfToken": csrf_of(browser.jar)}, X_Auth_Return_Redirect="1")
    assert url_of(answer).endswith("error=MissingCSRF")
