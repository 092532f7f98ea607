"""pydantic's faults as a field map of Django REST framework."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError, model_validator

from wsgiproxy_hs.routes.field_errors import field_errors


class Item(BaseModel):
    a: int


class Form(BaseModel):
    items: list[Item] | None = None
    either: int | bool | None = None
    low: Annotated[float, Field(gt=0, lt=10)] = 1.0

    @model_validator(mode="after")
    def _whole(self):
        if self.low == 5:
            raise ValueError("Not five.")
        return self


def errors(document):
    try:
        Form.model_validate(document)
    except ValidationError as error:
        return field_errors(error)
    return {}


def test_lists_are_maps_by_index():
    """``{"items": {"0": {"a": [...]}}}``, as the framework writes nested serializers (F125)."""
    assert errors({"items": [{"a": 1}, {}, {"a": "x"}]}) == {
        "items": {
            "1": {"a": ["This field is required."]},
            "2": {"a": ["Input should be a valid integer, unable to parse string as an integer"]},
        }
    }


def test_what_concerns_the_whole_is_a_non_field_error():
    """A fault without a place stands under ``non_field_errors``."""
    assert errors({"low": 5}) == {"non_field_errors": ["Not five."]}
    assert errors([]) == {"non_field_errors": ["Expected an object."]}


def test_bounds_are_named():
    """A number out of bounds is told its bound."""
    assert errors({"low": 0}) == {"low": ["Ensure this value is greater than 0.0."]}
    assert errors({"low": 10}) == {"low": ["Ensure this value is less than 10.0."]}


def test_a_place_can_be_a_leaf_and_a_branch():
    """Faults of a union at the same place, some deeper than others, stand side by side."""
    found = errors({"either": {}})
    assert set(found) == {"either"}
    assert all(isinstance(messages, list) for messages in found["either"].values())
