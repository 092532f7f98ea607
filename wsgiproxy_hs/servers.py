"""What a WSGI server does that an app cannot see, and must know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def hides_cuts(environ: Mapping[str, Any]) -> bool:
    """Whether the server lets what was cut look whole, in both directions (F076, F108).

    Granian ends a chunked request body that was cut as if it were complete, and a chunked answer cleanly when its
    iterator raises: there only a length tells.
    """
    return str(environ.get("SERVER_SOFTWARE", "")).startswith("Granian")
