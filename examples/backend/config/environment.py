"""Typed reads of environment variables, so that the settings stay declarative.

A value that cannot be understood stops the start: a misspelt lifetime must not silently become a default.
"""

import os
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The variable as it is."""
    return os.environ.get(name, default)


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated variable as a list without empty entries."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def flag(name: str, default: bool = False) -> bool:
    """An on/off variable."""
    value = os.environ.get(name, str(default)).strip().lower()
    if value not in TRUE_WORDS | FALSE_WORDS:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in TRUE_WORDS


def number(name: str, default: float) -> float:
    """A variable holding a number."""
    value = os.environ.get(name, str(default))
    try:
        return float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}.") from None


def seconds(name: str, default: timedelta) -> timedelta:
    """A duration given in seconds."""
    return timedelta(seconds=number(name, default.total_seconds()))
