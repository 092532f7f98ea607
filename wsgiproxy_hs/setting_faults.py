"""The variables of settings, and what is wrong with them in sentences for the person who has to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Fields = Mapping[str, FieldInfo]


def variable(*names: str, default: Any = ..., doc: str) -> Any:
    """A setting read from the first of the variables that is set."""
    return Field(default=default, description=doc, json_schema_extra={"variables": list(names)})


def variables(info: FieldInfo) -> tuple[str, ...]:
    """The environment variables of a setting, in the order in which they are looked at."""
    extra = info.json_schema_extra
    return tuple(extra["variables"]) if isinstance(extra, dict) else ()  # type: ignore[arg-type]


def setting_faults(error: ValidationError, fields: Fields, secret_variables: Sequence[str]) -> list[str]:
    """One sentence a fault, which begins with what has to be mended and never repeats a value.

    :param fields: the settings.
    :param secret_variables: the variables that the secrets were read from, when they came from variables.
    """
    faults: dict[str, str] = {}
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"]) or "settings"
        if fault["type"] == "too_short" and any(seen.startswith(f"{name}.") for seen in faults):
            continue
        faults[name] = f"{_label(fault, fields, secret_variables)} {_complaint(fault, fields)}"
    return list(faults.values())


def _label(fault: ErrorDetails, fields: Fields, secret_variables: Sequence[str]) -> str:
    """``AUTH_URL (public_url)``"""
    name, *place = fault["loc"] or ("settings",)
    info = fields.get(str(name))
    if info is None:
        return str(name)
    if name == "secrets":
        numbered = place and isinstance(place[0], int) and place[0] < len(secret_variables)
        return secret_variables[place[0]] if numbered else "AUTH_SECRET (secrets)"  # type: ignore[index]
    return f"{variables(info)[0]} ({name})"


def _complaint(fault: ErrorDetails, fields: Fields) -> str:
    if fault["type"] == "missing":
        return f"is not set: {fields[str(fault['loc'][0])].description}"
    context = fault.get("ctx") or {}
    message = str(context.get("error", fault["msg"]))
    return message if fault["loc"][0] == "secrets" and "error" in context else f"is wrong: {message}"
