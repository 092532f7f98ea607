"""What every answer carries for the browser's sake."""

from __future__ import annotations

from typing import Final

NOSNIFF: Final = ("X-Content-Type-Options", "nosniff")
"""A text that looks like a script is none, whatever the browser would guess (ASVS 3.4.4)."""

SAME_ORIGIN_REFERRER: Final = ("Referrer-Policy", "same-origin")
"""Our paths name workspaces and people: no other site is told them (ASVS 3.4.5). Not ``no-referrer``: a form on such a
page says ``Origin: null``, and the cross-site check refuses it."""

SAFE_HEADERS: Final = (NOSNIFF, SAME_ORIGIN_REFERRER)

STRICT_REFERRER_POLICIES: Final = frozenset({"no-referrer", "same-origin"})
"""At least as strict as ours: where the upstream says one of these, it stays."""
