"""Whether a body is what its row expects."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from wsgiproxy_hs.exceptions import BodyInvalid
from wsgiproxy_hs.routes.field_errors import NON_FIELD, field_errors
from wsgiproxy_hs.routes.route import Body, BodyRule
from wsgiproxy_hs.routes.strict_json import USUAL_LIMITS, JsonLimits, parse_json


def judge(body: bytes, rule: BodyRule, limits: JsonLimits = USUAL_LIMITS) -> Any:
    """The document of a JSON body, or ``None`` for an empty one where the row allows that.

    :param rule: a pydantic model, or ``EMPTY_OR_OBJECT``.
    :raises BodyTooComplex: 400, when a limit is passed.
    :raises BodyInvalid: 400, with ``fields`` where a field is at fault.
    """
    if not body and rule is Body.EMPTY_OR_OBJECT:
        return None
    if not body:
        raise BodyInvalid("This request needs a JSON body")
    document = parse_json(body, limits)
    if rule is Body.EMPTY_OR_OBJECT and not isinstance(document, dict):
        raise BodyInvalid(fields={NON_FIELD: ["Expected an object."]})
    if isinstance(rule, type):
        try:
            rule.model_validate_json(body)
        except ValidationError as error:
            raise BodyInvalid(fields=field_errors(error)) from None
    return document
