"""How the built-in pages look: colours and sizes as CSS variables, which a theme file of the host may set anew.

Text on its background has a contrast of at least 4.5 to 1, the ring around what has the focus at least 3 to 1
(WCAG 2.2, sections 1.4.3 and 1.4.11), light and dark.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

VARIABLES: Final = {
    "--auth-font": ("system-ui, sans-serif", "system-ui, sans-serif"),
    "--auth-page": ("#f3f4f6", "#111318"),
    "--auth-card": ("#ffffff", "#1c1f26"),
    "--auth-text": ("#1b1d22", "#f1f2f4"),
    "--auth-muted": ("#4b5563", "#b6bcc8"),
    "--auth-border": ("#6b7280", "#8b93a3"),
    "--auth-accent": ("#1d4ed8", "#9dbcff"),
    "--auth-on-accent": ("#ffffff", "#0c1220"),
    "--auth-error": ("#8f1d14", "#ffb9b0"),
    "--auth-error-card": ("#fdecea", "#3a1613"),
    "--auth-radius": ("0.5rem", "0.5rem"),
}
"""Each variable with its light and its dark value."""


def _declarations(index: int) -> str:
    return "".join(f"{name}:{values[index]};" for name, values in VARIABLES.items())


STYLE: Final = (
    f":root{{color-scheme:light dark;{_declarations(0)}}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_declarations(1)}}}}}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;"
    "font:1rem/1.5 var(--auth-font);background:var(--auth-page);color:var(--auth-text)}"
    "main{width:100%;max-width:24rem;padding:2rem;background:var(--auth-card);border-radius:var(--auth-radius);"
    "overflow-wrap:anywhere}"
    "h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}"
    "p{margin:0 0 1rem}"
    "main>:last-child{margin-bottom:0}"
    ".muted{color:var(--auth-muted)}"
    ".error{padding:.75rem 1rem;background:var(--auth-error-card);color:var(--auth-error);"
    "border-radius:var(--auth-radius)}"
    "label{display:block;margin:0 0 .25rem;font-weight:600}"
    "input{display:block;width:100%;margin:0 0 1rem;padding:.625rem .75rem;font:inherit;color:inherit;"
    "background:transparent;border:1px solid var(--auth-border);border-radius:var(--auth-radius)}"
    "button,.button{display:block;width:100%;padding:.625rem 1rem;font:inherit;font-weight:600;text-align:center;"
    "text-decoration:none;color:var(--auth-on-accent);background:var(--auth-accent);border:1px solid transparent;"
    "border-radius:var(--auth-radius);cursor:pointer}"
    "form+form{margin-top:1.5rem}"
    "a{color:var(--auth-accent)}"
    ":focus-visible{outline:3px solid var(--auth-accent);outline-offset:2px}"
    "@media(forced-colors:active){main{border:1px solid}}"
)

STYLE_SOURCE: Final = "'sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode() + "'"
"""What lets this style, and no other, into a page under a ``Content-Security-Policy``."""
