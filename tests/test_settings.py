"""Settings: typed, all faults at once, secrets hidden."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.settings import SECRET_VARIABLES, Settings, variables

SECRET = "a-test-key-that-nobody-uses-0123456789"
GOOD = {"BACKEND_URL": "http://127.0.0.1:8000", "AUTH_URL": "https://app.example.com", "AUTH_SECRET": SECRET}


def read(**changes):
    return Settings.from_environ({**GOOD, **changes})


def faults(**changes):
    with pytest.raises(ConfigurationError) as caught:
        read(**changes)
    return caught.value.faults


def test_the_three_that_are_needed_are_enough():
    """Everything else has a default."""
    settings = read()
    assert settings.backend_url == "http://127.0.0.1:8000"
    assert settings.prefix == "/api"
    assert settings.authorization_scheme == "JWT"
    assert (settings.access_token_claim, settings.refresh_token_claim) == ("accessToken", "refreshToken")


def test_an_empty_environment_names_all_that_is_missing():
    """One start shows everything that has to be set, by the names to set it under."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environ({})
    missing = caught.value.faults
    assert len(missing) == 3
    for name in ("BACKEND_URL", "AUTH_URL", "AUTH_SECRET"):
        assert any(name in fault and "is not set" in fault for fault in missing)


def test_all_faults_are_reported_at_once_by_variable():
    """A start with five mistakes names five variables."""
    found = faults(
        BACKEND_URL="ftp://x",
        AUTH_SECRET="short",
        MAX_BODY_BYTES="many",
        CONNECT_TIMEOUT_SECONDS="0",
        WSGIPROXY_PREFIX="api",
    )
    for name in ("BACKEND_URL", "AUTH_SECRET", "MAX_BODY_BYTES", "CONNECT_TIMEOUT_SECONDS", "WSGIPROXY_PREFIX"):
        assert sum(fault.startswith(name) for fault in found) == 1, name
    assert len(found) == 5


@pytest.mark.parametrize("name", ["BACKEND_URL", "AUTH_URL", "SENDGRID_URL", "OPENAI_BASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "//host",
        "ftp://host",
        "http://",
        "http:///x",
        "http://user@host",
        "http://user:pass@host",
        "http://host?q",
        "http://host#f",
        "http://ho st",
        "http://host:99999",
        "http://host:0",
        "http://host:x",
        "http://[::1",
        "http://hôst",
        "http://host\\x",
        "javascript:alert(1)",
    ],
)
def test_an_address_is_an_absolute_http_url_without_extras(name, url):
    """A user, a query or a fragment in an address would travel with every request; other schemes go elsewhere (F044)."""
    assert [fault for fault in faults(**{name: url}) if fault.startswith(name)]


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://h/", "http://h"),
        ("http://h:1/a/", "http://h:1/a"),
        ("https://[::1]:8", "https://[::1]:8"),
        (" http://h ", "http://h"),
    ],
)
def test_the_slash_at_the_end_of_an_address_is_of_no_account(url, kept):
    """Paths are appended to it."""
    assert read(BACKEND_URL=url).backend_url == kept


@pytest.mark.parametrize(
    "secret",
    [
        "x" * 31,
        "hunter2",
        "a" * 64,
        "abcdefg" * 6,
        "changeme" * 5,
        "super-secret-super-secret-super-secret",
        "your-secret-0123456789-0123456789",
        "Change_Me-change-me-change-me-change-me",
        "django-insecure-0123456789abcdefghijklmnop",
    ],
)
def test_a_weak_or_well_known_secret_is_refused_and_not_shown(secret):
    """Sessions sealed with it could be forged offline (F037)."""
    (fault,) = faults(AUTH_SECRET=secret)
    assert fault.startswith("AUTH_SECRET ")
    assert "openssl rand" in fault
    assert secret not in fault


def test_the_weak_secret_among_several_is_named():
    """Each secret is judged under the variable that it came from."""
    (fault,) = faults(AUTH_SECRET_1="short", AUTH_SECRET_2=SECRET + "2")
    assert fault.startswith("AUTH_SECRET_1 ")


def test_secrets_are_used_in_their_documented_order():
    """The newest seals, all unseal: ``_3``, ``_2``, ``_1``, ``AUTH_SECRET``, ``NEXTAUTH_SECRET`` (F025)."""
    given = {name: f"{SECRET}-{name}" for name in reversed(SECRET_VARIABLES)}
    assert SECRET_VARIABLES == ("AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1", "AUTH_SECRET", "NEXTAUTH_SECRET")
    assert read(**given).secret_texts == tuple(f"{SECRET}-{name}" for name in SECRET_VARIABLES)
    given["AUTH_SECRET_2"] = " "
    assert read(**given).secret_texts == tuple(f"{SECRET}-{n}" for n in SECRET_VARIABLES if n != "AUTH_SECRET_2")


def test_a_variable_that_is_set_to_nothing_is_not_set():
    """Compose files and unit files set variables to nothing."""
    assert read(CONTACT_EMAIL_TO="", MAX_BODY_BYTES=" ").max_body_bytes == 1_048_576
    assert any("BACKEND_URL" in fault and "is not set" in fault for fault in faults(BACKEND_URL=""))


def test_the_second_name_of_a_variable_is_read_when_the_first_is_not_set():
    """``NEXTAUTH_URL`` is what v4 calls it."""
    environ = {name: value for name, value in GOOD.items() if name != "AUTH_URL"}
    assert Settings.from_environ({**environ, "NEXTAUTH_URL": "https://b.example"}).public_url == "https://b.example"
    assert read(NEXTAUTH_URL="https://b.example").public_url == "https://app.example.com"


def test_secrets_hide_themselves():
    """No repr, str or dump of the settings shows a secret (F151)."""
    hidden = {
        "AUTH_SECRET": SECRET,
        "SENDGRID_API_KEY": "SG.key-of-sendgrid",
        "CONTACT_SMTP_URL": "smtp://u:smtp-pass@h:587",
        "OPENAI_API_KEY": "sk-key-of-openai",
    }
    settings = read(**hidden)
    for text in (repr(settings), str(settings), f"{settings}", repr(settings.model_dump()), settings.model_dump_json()):
        for secret in (SECRET, "SG.key-of-sendgrid", "smtp-pass", "sk-key-of-openai"):
            assert secret not in text
    assert settings.secret_texts == (SECRET,)


@pytest.mark.parametrize("name", [name for info in Settings.model_fields.values() for name in variables(info)])
def test_no_fault_repeats_a_value(name):
    """A value that ended up in the wrong variable may be a secret, so no message shows one (F151)."""
    try:
        read(**{name: "hunter2 \\ hunter2"})
    except ConfigurationError as caught:
        error = caught
    else:
        return
    assert "hunter2" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_from_code_the_same_faults_come_in_the_same_form():
    """``Settings(...)`` raises what ``from_environ`` raises, and refuses what it does not know."""
    with pytest.raises(ConfigurationError) as caught:
        Settings(backend_url="x", public_url="https://a", secrets=["short"], colour="red")
    assert len(caught.value.faults) == 3
    assert any(fault.startswith("BACKEND_URL (backend_url)") for fault in caught.value.faults)
    assert any("colour" in fault for fault in caught.value.faults)


def test_settings_cannot_be_changed():
    """They are shared by all threads."""
    with pytest.raises(ValidationError):
        read().prefix = "/x"


@pytest.mark.parametrize(
    ("url", "origin", "secure"),
    [
        ("https://app.example.com", "https://app.example.com", True),
        ("https://app.example.com:443/x", "https://app.example.com", True),
        ("http://app.example.com:80", "http://app.example.com", False),
        ("http://localhost:3000", "http://localhost:3000", False),
        ("https://APP.example.com", "https://app.example.com", True),
        ("https://[::1]:8443", "https://[::1]:8443", True),
    ],
)
def test_the_origin_is_written_as_browsers_write_it(url, origin, secure):
    """Lower case, without the default port (RFC 6454, section 6.2): else our own pages would be another site."""
    settings = read(AUTH_URL=url)
    assert (settings.public_origin, settings.secure) == (origin, secure)


@pytest.mark.parametrize(
    ("url", "path"), [("https://a", "/api/auth"), ("https://a/x/auth", "/x/auth"), ("https://a/", "/api/auth")]
)
def test_where_sign_in_is(url, path):
    """The path of the public URL, as Auth.js reads it, else ``auth`` below the prefix."""
    assert read(AUTH_URL=url).auth_path == path


def test_every_setting_has_a_variable_and_a_sentence():
    """What cannot be set from outside or is not explained is no setting."""
    for name, info in Settings.model_fields.items():
        assert variables(info), name
        assert info.description, name


@pytest.mark.parametrize(
    "value",
    [
        "*",
        "null",
        "admin.example.com",
        "https://*.example.com",
        "https://a.example/",
        "https://A.example",
        "https://a.example:443",
        "https://a.example/x",
    ],
)
def test_a_further_origin_is_written_as_browsers_write_it(value):
    """No wildcard and nothing that no browser would send: it would let in too many, or nobody (F158)."""
    assert [
        fault for fault in faults(ALLOWED_ORIGINS=f"https://b.example, {value}") if fault.startswith("ALLOWED_ORIGINS")
    ]
    assert (
        read(ALLOWED_ORIGINS="https://b.example, http://localhost:3000").allowed_origins[1] == "http://localhost:3000"
    )
