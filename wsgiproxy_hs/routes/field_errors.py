"""What a body check found wrong, as a field map in the form and words of Django REST framework.

A form has then one shape to read and one language to show, whether we refused the body or the upstream did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

MAX_FAULTS: Final = 100
"""More than these help nobody, and a long list of wrong items would make an answer as long."""
NON_FIELD: Final = "non_field_errors"

_MESSAGES: Final[Mapping[str, str]] = {
    "missing": "This field is required.",
    "string_type": "Not a valid string.",
    "string_too_long": "Ensure this field has no more than {max_length} characters.",
    "string_too_short": "Ensure this field has at least {min_length} characters.",
    "int_type": "A valid integer is required.",
    "int_from_float": "A valid integer is required.",
    "float_type": "A valid number is required.",
    "bool_type": "Must be a valid boolean.",
    "uuid_type": "Must be a valid UUID.",
    "uuid_parsing": "Must be a valid UUID.",
    "list_type": "Expected a list of items.",
    "dict_type": "Expected an object.",
    "model_type": "Expected an object.",
    "model_attributes_type": "Expected an object.",
    "literal_error": "Not a valid choice; expected one of {expected}.",
    "greater_than_equal": "Ensure this value is greater than or equal to {ge}.",
    "less_than_equal": "Ensure this value is less than or equal to {le}.",
    "greater_than": "Ensure this value is greater than {gt}.",
    "less_than": "Ensure this value is less than {lt}.",
}
"""pydantic's error types in the words of DRF; the rest keep pydantic's own message. None repeats the input."""


def field_errors(error: ValidationError) -> dict[str, Any]:
    """``{"email": ["This field is required."], "items": {"0": {"id": [...]}}}``."""
    tree: dict[str, Any] = {}
    for fault in islice(error.errors(include_url=False), MAX_FAULTS):
        place = [str(part) for part in fault["loc"]] or [NON_FIELD]
        _put(tree, place, _message(fault))
    return tree


def _message(fault: ErrorDetails) -> str:
    kind, context = fault["type"], fault.get("ctx") or {}
    if kind == "value_error":
        return str(context["error"])
    if fault["input"] is None and fault["loc"]:
        return "This field may not be null."
    if kind == "string_too_short" and fault["input"] == "":
        return "This field may not be blank."
    return _MESSAGES[kind].format_map(context) if kind in _MESSAGES else fault["msg"]


def _put(tree: dict[str, Any], place: Iterable[str], message: str) -> None:
    *parents, last = place
    for name in parents:
        below = tree.setdefault(name, {})
        if not isinstance(below, dict):
            below = tree[name] = {NON_FIELD: below}
        tree = below
    messages = tree.setdefault(last, [])
    if isinstance(messages, dict):
        messages = messages.setdefault(NON_FIELD, [])
    if message not in messages:
        messages.append(message)
