"""The error tree and its one documented shape."""

from __future__ import annotations

import json
import re

import pytest

from wsgiproxy_hs import exceptions
from wsgiproxy_hs.error_document import error_document, reason_phrase
from wsgiproxy_hs.exceptions import (
    BodyTooLarge,
    ConfigurationError,
    CrossSiteHeaderMissing,
    MethodNotAllowed,
    ProxyError,
    Unauthorized,
    UpstreamBusy,
    UpstreamStatus,
)


def every_class(root: type = ProxyError) -> list[type[ProxyError]]:
    return [root, *(below for child in root.__subclasses__() for below in every_class(child))]


LEAVES = [
    cls for cls in every_class() if not cls.__subclasses__() and cls.__module__.startswith("wsgiproxy_hs.exceptions")
]


def make(cls: type[ProxyError]) -> ProxyError:
    """An instance, whatever the class wants to know."""
    arguments = {MethodNotAllowed: [["GET"]], BodyTooLarge: [10], UpstreamStatus: [418]}
    return cls(*arguments.get(cls, []))


def drawn_tree() -> dict[str, tuple[str, str | None, str | None]]:
    """``{name: (parent, status, code)}`` of the tree in the docstring."""
    tree: dict[str, tuple[str, str | None, str | None]] = {}
    family = ""
    for line in (exceptions.__doc__ or "").splitlines():
        match = re.match(r"    (│   |    )?(├── |└── )?([A-Z]\w+)(?:\s+(.*))?$", line)
        if match is None or match[3] == "ConfigurationError":
            continue
        below, branch, name, rest = match.groups()
        if below is None or not branch:
            parent = "ProxyError" if branch else "Exception"
            family = name
        else:
            parent = family
        words = re.match(r"(\d{3}|the upstream's own)\s+([a-z-]+)$", rest or "")
        tree[name] = (parent, words[1] if words else None, words[2] if words else None)
    return tree


def test_the_drawn_tree_is_the_tree_of_classes():
    """Names and parents in the drawing are those of the classes, and none is left out."""
    drawn = {name: parent for name, (parent, _, _) in drawn_tree().items()}
    real = {
        cls.__name__: cls.__mro__[1].__name__ for cls in every_class() if cls.__module__.startswith(exceptions.__name__)
    }
    assert drawn == real


def test_the_drawn_statuses_and_codes_are_those_of_the_classes():
    """What the drawing says about a class is what its attributes say."""
    for name, (_, status, code) in drawn_tree().items():
        cls = getattr(exceptions, name)
        if code is not None:
            assert cls.code == code, name
        if status is not None and status.isdecimal():
            assert cls.status == int(status), name


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: cls.__name__)
def test_every_leaf_has_a_kebab_case_code_of_its_own_and_a_sentence(cls):
    """A code names one class, and ``detail`` is a text that a person can read."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.code)
    assert [other for other in LEAVES if other.code == cls.code] == [cls]
    assert make(cls).detail


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: cls.__name__)
def test_every_leaf_renders_the_documented_shape(cls):
    """``error``, ``code`` and ``request_id`` are there, and ``Content-Length`` is the body's."""
    error = make(cls)
    status, headers, body = error_document(error, "request-0001")
    document = json.loads(body)
    assert document == {"error": error.detail, "code": cls.code, "request_id": "request-0001"}
    assert status.startswith(f"{error.status} ")
    assert dict(headers)["Content-Length"] == str(len(body))
    assert dict(headers)["Content-Type"] == "application/json"
    assert dict(headers)["Cache-Control"] == "no-store"
    assert dict(headers)["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: cls.__name__)
def test_no_two_errors_share_their_headers(cls):
    """The header list of one error is not another's, so adding a cookie to one adds it to one (F034)."""
    make(cls).headers.append(("Set-Cookie", "a=b"))
    assert ("Set-Cookie", "a=b") not in make(cls).headers


def test_fields_are_there_only_when_there_are_some():
    """An error without field messages has no ``fields`` member, and one with them has them untouched."""
    assert "fields" not in json.loads(error_document(ProxyError(fields={}))[2])
    fields = {"email": ["Enter a valid email address."], "items": {"0": {"a": ["x"]}}}
    assert json.loads(error_document(ProxyError(fields=fields))[2])["fields"] == fields


def test_without_a_request_id_the_member_is_absent():
    """Outside the errors layer there is no id to name."""
    assert json.loads(error_document(ProxyError())[2]) == {"error": "Internal server error", "code": "internal-error"}


def test_text_of_any_kind_becomes_ascii_json():
    """Umlauts and lone surrogates in a message never break the answer."""
    _, _, body = error_document(ProxyError("Ungültig \ud800 \u2028"))
    assert body.isascii()
    assert json.loads(body)["error"] == "Ungültig \ud800 \u2028"


def test_method_not_allowed_names_the_methods():
    """405 carries ``Allow`` (RFC 9110, section 15.5.6; F051)."""
    assert MethodNotAllowed(["GET", "HEAD"]).headers == [("Allow", "GET, HEAD")]


def test_unauthorized_says_the_contracts_word_and_never_prompts():
    """The contract's ``{"error": "Unauthorized"}``, with a challenge that opens no dialogue (RFC 9110, 11.6.1)."""
    error = Unauthorized()
    assert error.detail == "Unauthorized"
    assert dict(error.headers)["WWW-Authenticate"].split()[0].lower() not in ("basic", "digest", "negotiate", "ntlm")


def test_busy_says_when_to_come_back():
    """503 carries ``Retry-After``."""
    assert dict(UpstreamBusy(retry_after_seconds=3).headers)["Retry-After"] == "3"


def test_the_missing_header_is_named():
    """Whoever forgot the header learns its names."""
    assert "X-Requested-With" in CrossSiteHeaderMissing.detail
    assert "X-CSRF" in CrossSiteHeaderMissing.detail


def test_configuration_faults_are_kept_one_by_one():
    """One error lists every fault, and a single sentence is one fault and not its letters."""
    assert ConfigurationError("a fault").faults == ("a fault",)
    assert str(ConfigurationError(["one", "two"])) == "one\ntwo"


@pytest.mark.parametrize(
    ("status", "phrase"), [(404, "404 Not Found"), (504, "504 Gateway Timeout"), (499, "499 Unknown")]
)
def test_the_status_line_has_a_phrase_for_every_number(status, phrase):
    """PEP 3333 wants a phrase, also for numbers that nobody registered."""
    assert reason_phrase(status) == phrase
