"""The built-in pages: sign in, sign out, error, check your mail. Small, accessible, without a script.

Everything that is not written in this module goes through :func:`html.escape`. No query parameter becomes a part of a
page; one picks a message, no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlsplit

from wsgiproxy_hs.auth.answers import NOT_STORED, Answer
from wsgiproxy_hs.auth.errors import THROTTLED, UNAVAILABLE
from wsgiproxy_hs.auth.providers import FormField, Provider
from wsgiproxy_hs.auth.style import STYLE, STYLE_SOURCE
from wsgiproxy_hs.exceptions import ConfigurationError

SIGN_IN_MESSAGES: Final[Mapping[str, str]] = {
    "CredentialsSignin": "Sign in failed. Check the details you provided are correct.",
    "SessionRequired": "Please sign in to access this page.",
    "MissingCSRF": "This form was open for too long, or your browser keeps no cookies. Please try again.",
    "AccessDenied": "You do not have permission to sign in.",
    "OAuthAccountNotLinked": "To confirm your identity, sign in with the same account you used originally.",
}
"""By ``error``; every other one is ``Unable to sign in.``"""
UNAVAILABLE_MESSAGE: Final = (
    "The sign-in service does not answer at the moment, so your details could not be checked. "
    "Please try again in a few minutes."
)
ERRORS: Final[Mapping[str, tuple[int, str, str]]] = {
    "Configuration": (
        500,
        "Server error",
        "There is a problem with the server configuration. Check the server logs for more information.",
    ),
    "AccessDenied": (403, "Access denied", "You do not have permission to sign in."),
    "Verification": (
        403,
        "Unable to sign in",
        "The sign in link is no longer valid. It may have been used already or it may have expired.",
    ),
}
"""By ``error``: status, heading, text. Every other one, or none, is 200 and ``Error``."""


@dataclass(frozen=True)
class Pages:
    """Pages of your own instead of the built-in ones: a path on this site, or an absolute URL.

    :param theme: a CSS file that sets the variables of :data:`.style.VARIABLES` for the built-in pages.
    :raises ConfigurationError: naming every value that is neither.
    """

    sign_in: str | None = None
    sign_out: str | None = None
    error: str | None = None
    verify_request: str | None = None
    theme: str | None = None

    def __post_init__(self) -> None:
        faults = [
            f"pages.{name}: {url!r} is neither a path that begins with one slash nor an http(s) URL"
            for name, url in vars(self).items()
            if url is not None and not _is_page(url)
        ]
        if faults:
            raise ConfigurationError(faults)


BUILT_IN_PAGES: Final = Pages()


def _is_page(url: str) -> bool:
    if any(not "!" <= character <= "~" for character in url) or "\\" in url or ";" in url or "," in url:
        return False
    return url.startswith(("https://", "http://")) or (url.startswith("/") and not url.startswith("//"))


def page_answer(
    title: str, content: str, *, origin: str, theme: str | None = None, status: int = 200, cookies: Sequence[str] = ()
) -> Answer:
    """A whole page around ``content``, which is HTML already.

    Not stored anywhere, because it holds a CSRF token; not framed, so that nobody clicks on it unawares.
    """
    link = f'<link rel="stylesheet" href="{escape(theme)}">' if theme else ""
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1.0">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>{link}</head>"
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
    headers = [
        ("Content-Type", "text/html"),
        *NOT_STORED,
        ("Content-Security-Policy", content_security_policy(origin, theme)),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    ]
    return Answer(status, tuple(headers), tuple(cookies), html.encode("utf-8"))


def content_security_policy(origin: str, theme: str | None) -> str:
    """Nothing but our style, the theme file, and forms that go to our own origin."""
    parts = urlsplit(theme or "")
    theme_source = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "'self'" if theme else ""
    style_sources = " ".join(filter(None, [STYLE_SOURCE, theme_source]))
    return (
        f"default-src 'none'; style-src {style_sources}; form-action {origin}; base-uri 'none'; frame-ancestors 'none'"
    )


def sign_in_content(providers: Sequence[Provider], *, auth_url: str, csrf_token: str, message: str | None) -> str:
    """One form a provider. The callback-url cookie carries where to go afterwards.

    :param auth_url: origin and base path.
    """
    shown = f'<p class="error" id="sign-in-error" role="alert">{escape(message)}</p>' if message else ""
    described = ' aria-describedby="sign-in-error"' if message else ""
    forms = []
    for provider in providers:
        inputs = "".join(_input(provider.id, form_field, described) for form_field in provider.fields)
        forms.append(
            f'<form action="{escape(auth_url)}/callback/{escape(provider.id)}" method="POST">'
            f'<input type="hidden" name="csrfToken" value="{escape(csrf_token)}">{inputs}'
            f'<button type="submit">Sign in with {escape(provider.name)}</button></form>'
        )
    return shown + "".join(forms)


def _input(provider_id: str, form_field: FormField, described: str) -> str:
    identifier = f"input-{form_field.name}-for-{provider_id}-provider"
    return (
        f'<label for="{escape(identifier)}">{escape(form_field.label)}</label>'
        f'<input id="{escape(identifier)}" name="{escape(form_field.name)}" type="{escape(form_field.type)}" '
        f'autocomplete="{escape(form_field.autocomplete)}" required{described}>'
    )


def sign_in_message(query: Mapping[str, str], error: str | None) -> str | None:
    """The sentence for the person whom an error brought to the sign-in page; ``None`` without one."""
    if not error:
        return None
    code = query.get("code") if error == "CredentialsSignin" else None
    if code == UNAVAILABLE:
        return UNAVAILABLE_MESSAGE
    if code == THROTTLED:
        return f"Too many attempts. Please try again {_wait(query.get('retryAfter', ''))}."
    return SIGN_IN_MESSAGES.get(error, "Unable to sign in.")


def _wait(seconds: str) -> str:
    """``in 2 minutes``; anything that is no small number is ``later``."""
    if not (seconds.isascii() and seconds.isdigit() and 0 < len(seconds) <= 5) or int(seconds) == 0:
        return "later"
    count, unit = (int(seconds), "second") if int(seconds) < 60 else (-(-int(seconds) // 60), "minute")
    return f"in {count} {unit}{'' if count == 1 else 's'}"


def sign_out_content(*, auth_url: str, csrf_token: str) -> str:
    return (
        "<p>Are you sure you want to sign out?</p>"
        f'<form action="{escape(auth_url)}/signout" method="POST">'
        f'<input type="hidden" name="csrfToken" value="{escape(csrf_token)}">'
        '<button type="submit">Sign out</button></form>'
    )


def error_content(text: str, *, origin: str, sign_in_url: str | None) -> str:
    """:param sign_in_url: offered where signing in anew may help."""
    if sign_in_url is not None:
        return f'<p>{escape(text)}</p><p><a class="button" href="{escape(sign_in_url)}">Sign in</a></p>'
    return f"<p>{escape(text)}</p>{_site_link(origin)}" if text else _site_link(origin)


def verify_request_content(*, origin: str) -> str:
    return f"<p>A sign in link has been sent to your email address.</p>{_site_link(origin)}"


def _site_link(origin: str) -> str:
    return f'<p><a href="{escape(origin)}">{escape(urlsplit(origin).netloc)}</a></p>'
