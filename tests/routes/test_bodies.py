"""The documented bodies, and what a form is told about a wrong one."""

from __future__ import annotations

import json

import pytest

from wsgiproxy_hs.exceptions import BodyInvalid
from wsgiproxy_hs.routes import EMPTY_OR_OBJECT, bodies
from wsgiproxy_hs.routes.judge import judge

UUID = "7f8f6a1e-4c1f-4a5e-9a39-0c7e3c8f1b11"


def fields(model, document):
    """The field map of the refusal; ``None`` when there is none."""
    try:
        judge(json.dumps(document).encode(), model)
    except BodyInvalid as error:
        return error.fields
    return None


ACCEPTED = [
    (bodies.Registration, {"email": "a@b", "password": "p", "re_password": "p"}),
    (bodies.Registration, {"email": " ada@example.com ", "password": "p", "re_password": "q", "name": None}),
    (bodies.Registration, {"email": "a@b", "password": "p", "re_password": "p", "newsletter": [1, {"x": None}]}),
    (bodies.Activation, {"uid": "MQ", "token": "c2-x"}),
    (bodies.EmailOnly, {"email": "ünï@exämple.com"}),
    (bodies.PasswordReset, {"uid": "MQ", "token": "t", "new_password": "x"}),
    (bodies.PasswordReset, {"uid": "MQ", "token": "t", "new_password": "x", "re_new_password": "x"}),
    (bodies.Invitation, {"email": "a@b", "role": "member", "workspace": UUID}),
    (bodies.Chat, {}),
    (bodies.Chat, {"name": None, "temperature": None, "system_prompt": ""}),
    (bodies.Chat, {"temperature": "0.70", "top_p": 1, "frequency_penalty": -2, "presence_penalty": "2.0"}),
    (bodies.Chat, {"status": "active", "ai_provider": "groq", "agent_framework": "pydantic_ai", "stream": False}),
    (bodies.Chat, {"max_tokens": 1, "model_parameters": {"a": {"b": []}}, "is_public": True, "ai_model": "m" * 100}),
    (bodies.Message, {"content": ""}),
    (bodies.Message, {"role": "user", "content": "x" * 100_000}),
    (bodies.DocumentUpload, {"filename": "a.pdf", "content_type": "application/pdf", "file_size": 1}),
    (bodies.DocumentUpload, {"filename": "a.pdf", "knowledge_base_ids": [UUID, UUID.upper()]}),
    (bodies.DocumentChange, {}),
    (bodies.KnowledgeBase, {"name": "kb", "description": "", "is_shared_with_workspace": True}),
    (bodies.KnowledgeBaseChange, {"description": "x"}),
    (bodies.DocumentIds, {"document_ids": []}),
    (bodies.DocumentIds, {"document_ids": [UUID]}),
    (bodies.Checkout, {"price_id": "price_1", "workspace_id": UUID}),
    (bodies.Contact, {"name": "Ada", "email": "a@b", "subject": "Hi", "message": "a\nb"}),
    (bodies.Translation, {"text": "Hello", "target_language": "de"}),
]


@pytest.mark.parametrize(("model", "document"), ACCEPTED)
def test_a_documented_body_passes(model, document):
    """What is documented, and fields that nobody documented, are not refused."""
    assert fields(model, document) is None


REFUSED = [
    (
        bodies.Registration,
        {},
        {
            "email": ["This field is required."],
            "password": ["This field is required."],
            "re_password": ["This field is required."],
        },
    ),
    (
        bodies.Registration,
        {"email": None, "password": "p", "re_password": "p"},
        {"email": ["This field may not be null."]},
    ),
    (
        bodies.Registration,
        {"email": "a@b", "password": 1, "re_password": ["p"]},
        {"password": ["Not a valid string."], "re_password": ["Not a valid string."]},
    ),
    (
        bodies.Registration,
        {"email": "a@b", "password": "p", "re_password": "p", "name": "x" * 256},
        {"name": ["Ensure this field has no more than 255 characters."]},
    ),
    *[
        (bodies.EmailOnly, {"email": bad}, {"email": ["Enter a valid email address."]})
        for bad in ("", "@", "a@", "@b", "a b@c", "a@b c", "a@b@c", "a", "a\n@b")
    ],
    (bodies.EmailOnly, {"email": "a@" + "b" * 253}, {"email": ["Ensure this field has no more than 254 characters."]}),
    (
        bodies.Chat,
        {"status": "deleted"},
        {"status": ["Not a valid choice; expected one of 'active', 'completed' or 'archived'."]},
    ),
    (bodies.Chat, {"temperature": 2.1}, {"temperature": ["Ensure this value is between 0.0 and 2.0."]}),
    (bodies.Chat, {"temperature": "-0.1"}, {"temperature": ["Ensure this value is between 0.0 and 2.0."]}),
    (bodies.Chat, {"temperature": "nan"}, {"temperature": ["Ensure this value is between 0.0 and 2.0."]}),
    (bodies.Chat, {"temperature": "inf"}, {"temperature": ["Ensure this value is between 0.0 and 2.0."]}),
    (bodies.Chat, {"temperature": "warm"}, {"temperature": ["A valid number is required."]}),
    (bodies.Chat, {"temperature": True}, {"temperature": ["A valid number is required."]}),
    (bodies.Chat, {"temperature": [1]}, {"temperature": ["A valid number is required."]}),
    (bodies.Chat, {"temperature": 10**400}, {"temperature": ["A valid number is required."]}),
    (bodies.Chat, {"max_tokens": 0}, {"max_tokens": ["Ensure this value is greater than or equal to 1."]}),
    (bodies.Chat, {"max_tokens": 1.5}, {"max_tokens": ["A valid integer is required."]}),
    (bodies.Chat, {"max_tokens": "5"}, {"max_tokens": ["A valid integer is required."]}),
    (bodies.Chat, {"stream": "yes"}, {"stream": ["Must be a valid boolean."]}),
    (bodies.Chat, {"model_parameters": []}, {"model_parameters": ["Expected an object."]}),
    (
        bodies.Message,
        {"role": "robot", "content": "x"},
        {"role": ["Not a valid choice; expected one of 'user', 'assistant', 'system' or 'tool'."]},
    ),
    (bodies.Message, {"role": "user"}, {"content": ["This field is required."]}),
    (bodies.DocumentUpload, {"filename": ""}, {"filename": ["This field may not be blank."]}),
    (
        bodies.DocumentUpload,
        {"filename": "a", "file_size": 0},
        {"file_size": ["Ensure this value is greater than or equal to 1."]},
    ),
    (
        bodies.DocumentUpload,
        {"filename": "a", "knowledge_base_ids": [UUID, "x", 5]},
        {"knowledge_base_ids": {"1": ["Must be a valid UUID."], "2": ["Must be a valid UUID."]}},
    ),
    (bodies.DocumentIds, {"document_ids": UUID}, {"document_ids": ["Expected a list of items."]}),
    (bodies.KnowledgeBase, {"description": "x"}, {"name": ["This field is required."]}),
    (bodies.Checkout, {"price_id": "p", "workspace_id": 5}, {"workspace_id": ["Must be a valid UUID."]}),
    (
        bodies.Contact,
        {"name": "a\r\nBcc: x@y", "email": "a@b", "subject": "s", "message": "m"},
        {"name": ["Line breaks and control characters are not allowed here."]},
    ),
    (
        bodies.Contact,
        {"name": "a", "email": "a@b\nBcc: x", "subject": "s", "message": "m"},
        {"email": ["Line breaks and control characters are not allowed here."]},
    ),
    (
        bodies.Contact,
        {"name": "a", "email": "a@b", "subject": "s\n", "message": ""},
        {
            "subject": ["Line breaks and control characters are not allowed here."],
            "message": ["This field may not be blank."],
        },
    ),
]


@pytest.mark.parametrize(("model", "document", "expected"), REFUSED)
def test_a_wrong_body_is_told_in_the_words_of_django_rest_framework(model, document, expected):
    """Type, length, bounds, choices and identifiers are refused, each under its field (F126)."""
    assert fields(model, document) == expected


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, value in vars(bodies).items()
        if isinstance(value, type) and issubclass(value, bodies.Document) and value is not bodies.Document
    ],
)
def test_no_message_repeats_what_was_sent(name):
    """A refusal shows no part of the input: it may be a password (F151)."""
    model = getattr(bodies, name)
    document = {field: {"xyzzy": ["xyzzy"]} for field in model.model_fields}
    assert "xyzzy" not in json.dumps(fields(model, document) or {})


def test_an_empty_body_is_a_documents_absence_where_the_row_allows_it():
    """Many actions are posted without a body (F058)."""
    assert judge(b"", EMPTY_OR_OBJECT) is None
    assert judge(b"{}", EMPTY_OR_OBJECT) == {}
    with pytest.raises(BodyInvalid):
        judge(b"", bodies.EmailOnly)
    with pytest.raises(BodyInvalid):
        judge(b" ", EMPTY_OR_OBJECT)


def test_the_models_convert_nothing():
    """What the judge returns is the document as parsed, and not what the model made of it."""
    assert judge(b'{"document_ids": ["%s"]}' % UUID.upper().encode(), bodies.DocumentIds) == {
        "document_ids": [UUID.upper()]
    }
