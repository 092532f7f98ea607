"""Everything of a refusal that somebody could read."""

from __future__ import annotations

import traceback
from wsgiref.types import WSGIApplication, WSGIEnvironment

import pytest

from tests.harness import call
from wsgiproxy_hs.error_document import error_document
from wsgiproxy_hs.exceptions import ProxyError


def refused(app: WSGIApplication, environ: WSGIEnvironment, *secrets: str) -> ProxyError:
    """The error that the app answers with; none of the secrets stands in its document, its story or its traceback."""
    with pytest.raises(ProxyError) as caught:
        call(app, environ)
    error = caught.value
    shown = [
        error_document(error)[2].decode(),
        repr(error),
        repr(error.__cause__),
        repr(error.headers),
        "".join(traceback.format_exception(error)),
    ]
    assert not [secret for secret in secrets if any(secret in text for text in shown)]
    return error


def story(error: ProxyError) -> str:
    """What the log is told of an error."""
    assert error.__cause__ is not None
    return repr(error.__cause__)
