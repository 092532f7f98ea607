"""Whether a secret can protect a session (F036, F037)."""

from __future__ import annotations

from collections.abc import Sequence

#: Characters; 32 of them carry 128 bits even when they are hexadecimal digits.
MIN_SECRET_LENGTH = 32
_MIN_DIFFERENT_CHARACTERS = 8

# Parts of what documentation and generators hand out; lower case, without hyphens, underscores and blanks.
_SAMPLES = ("changeme", "changethis", "djangoinsecure", "replaceme", "supersecret", "yoursecret")


# Words that are no secret however often they are repeated or numbered.
_FILLERS = ("secret", "password", "example", "sample", "default", "key")


def secret_faults(secrets: Sequence[str]) -> list[str]:
    """What is wrong with ``secrets``, a sentence a fault, none of which shows a secret; empty when they are
    good.

    No secret at all is a fault: one that each worker makes up for itself is known to that worker alone
    (F036). So is one that is short, monotonous, or a sample from some documentation: sessions made with it
    can be forged offline (F037).
    """
    if isinstance(secrets, str):
        return ["The secrets are one text: give a list"]
    if not secrets:
        return ["There is no secret: set one that all workers share"]
    numbered = ((f"Secret {number} of {len(secrets)}", secret) for number, secret in enumerate(secrets, 1))
    return [f"{which} {fault}" for which, secret in numbered if (fault := secret_fault(secret))]


def secret_fault(secret: str) -> str | None:
    """What is wrong with one secret, to be read after its name; ``None`` when it is good."""
    if len(secret) < MIN_SECRET_LENGTH:
        return f"is shorter than {MIN_SECRET_LENGTH} characters: make one with `openssl rand -base64 33`"
    if len(set(secret)) < _MIN_DIFFERENT_CHARACTERS:
        return "repeats a few characters: make one with `openssl rand -base64 33`"
    plain = secret.lower().translate({ord(character): None for character in "-_ "})
    if any(sample in plain for sample in _SAMPLES) or _is_made_of_fillers(plain):
        return "is a sample that anybody can look up: make one with `openssl rand -base64 33`"
    if any(0xD800 <= ord(character) <= 0xDFFF for character in secret):
        return "is not valid Unicode: it came from bytes that are not UTF-8"
    return None


def _is_made_of_fillers(plain: str) -> bool:
    for filler in _FILLERS:
        plain = plain.replace(filler, "")
    return not any(character.isalpha() for character in plain) and len(plain) < MIN_SECRET_LENGTH
