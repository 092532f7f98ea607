"""Where ours answers otherwise than the documented route handler, on purpose.

Each deviation has its reason and a function that turns what the handler came to into what ours must come to. An exchange
names those it must show, in this order; one that changes nothing is as wrong as a difference that none explains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.conformance_next.outcomes import NOT_JSON, NOTHING, Outcome

if TYPE_CHECKING:
    from tests.conformance_next.exchanges import Exchange

Turn = Callable[["Exchange", Outcome, Outcome], Outcome]


class DoesNotHold(Exception):
    """The deviation that an exchange names is not the one that is seen."""


class Deviation(NamedTuple):
    """``turn(exchange, theirs, ours)`` is what ours must come to, after theirs."""

    reason: str
    turn: Turn


def demand(holds: bool, what: str) -> None:
    if not holds:
        raise DoesNotHold(what)


def _crashed(theirs: Outcome, *, asked: bool) -> None:
    """The handler threw: Next.js answers a 500 without a document; whether Django had been asked before."""
    demand(theirs.status == 500 and theirs.document in (NOTHING, NOT_JSON), "the handler did not throw")
    demand(bool(theirs.asked) == asked, f"Django was {'not ' if asked else ''}asked before the handler threw")


def _error_of(exchange: Exchange, ours: Outcome) -> dict[str, Any]:
    """Our error document, if it is one with the code that the exchange names."""
    document = ours.document
    demand(isinstance(document, dict) and isinstance(document.get("error"), str), "ours is not an error document")
    demand(document.get("code") == exchange.code, f"ours has the code {document.get('code')}")
    demand(document.get("request_id") == "<request id>", "ours has no request id")
    return dict(document)


def _error_members(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(set(theirs.document) - {"fields"} == {"error"}, "theirs is not the documented error")
    more = {"code": exchange.code, "request_id": "<request id>"}
    return theirs._replace(document={**theirs.document, **more})


def _field_map(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(theirs.document["error"] == "Request failed", "theirs says more than that the request failed")
    fields = _error_of(exchange, ours).get("fields")
    demand(isinstance(fields, dict) and set(fields) == set(exchange.fields), f"ours names the fields {fields}")
    return theirs._replace(document={**theirs.document, "fields": fields})


def _one_error_shape(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(theirs.status >= 400, "theirs is no error")
    fields = {name: value for name, value in theirs.document.items() if name != "detail"}
    document = {"error": theirs.document.get("detail", "Request failed"), **({"fields": fields} if fields else {})}
    return theirs._replace(document=document)


def _empty_204(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    _crashed(theirs, asked=True)
    return theirs._replace(status=204, document=NOTHING)


def _no_body(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    _crashed(theirs, asked=False)
    demand(exchange.status < 400 and ours.document not in (NOTHING, NOT_JSON), "ours does not answer as Django does")
    demand([asked.document for asked in ours.asked] == [NOTHING], "ours did not ask Django, without a body")
    return theirs._replace(status=exchange.status, document=ours.document, asked=ours.asked)


def _becomes_error(*, asked: bool | None) -> Turn:
    """The handler threw, and ours is an error document: Django asked by both, by neither, or (``None``) not to be asked."""

    def turn(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
        _crashed(theirs, asked=bool(asked))
        return theirs._replace(status=exchange.status, document=_error_of(exchange, ours))

    return turn


def _refused_here(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    """Django was asked by theirs, and not by ours."""
    demand(bool(theirs.asked), "theirs did not ask Django")
    document = _error_of(exchange, ours)
    demand(set(document.get("fields", {})) == set(exchange.fields), f"ours names the fields {document.get('fields')}")
    return theirs._replace(status=exchange.status, document=document, asked=())


def _path_checked(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(
        all(not asked.target.startswith("/api/workspaces/") for asked in theirs.asked), "theirs stays where it should"
    )
    return _refused_here(exchange, theirs, ours)


def _checked_here(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(theirs.status == exchange.status == 400, "Django does not refuse this")
    return _refused_here(exchange, theirs, ours)


def _documents(status: int) -> Turn:
    def turn(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
        demand(theirs.status == status and theirs.document in (NOTHING, NOT_JSON), "theirs has a document")
        return theirs._replace(document=_error_of(exchange, ours))

    return turn


def _allow(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(not theirs.allow and ours.status == 405, "theirs says what is allowed, too")
    return theirs._replace(allow=exchange.allow)


def _trailing_slash(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(theirs.redirects == 1, "theirs does not redirect")
    return theirs._replace(redirects=0)


def _query(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    asked = tuple(request._replace(target=request.target + exchange.query) for request in theirs.asked)
    return theirs._replace(asked=asked)


def _asked_as_head(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    return theirs._replace(asked=tuple(request._replace(method="HEAD") for request in theirs.asked))


def _exact_numbers(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    """Ours sent what it got; the rest is as theirs but for the number."""
    exact, rounded = str(exchange.number), str(float(exchange.number or 0)).removesuffix(".0")
    demand(exact not in str(theirs) and exact in str(ours.asked) and exact in str(ours.document), f"not {rounded}")
    demand(ours.asked[0].document == exchange.document, "ours did not send what it got")
    return theirs._replace(asked=ours.asked, document=ours.document)


def _public_pricing(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(theirs.status == 401 and isinstance(ours.document, list) and bool(ours.document), "ours shows no prices")
    demand([asked.scheme for asked in ours.asked] == [""], "ours did not ask Django as nobody")
    return Outcome(200, ours.document, theirs.allow, 0, ours.asked)


def _hidden_token(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    demand(theirs.document.get("accessToken") == "<token>", "theirs shows no token")
    document = {name: value for name, value in theirs.document.items() if name != "accessToken"}
    return theirs._replace(document=document)


def _no_image(exchange: Exchange, theirs: Outcome, ours: Outcome) -> Outcome:
    return theirs._replace(document={**theirs.document, "user": {"image": None, **theirs.document["user"]}})


DEVIATIONS: Final[Mapping[str, Deviation]] = {
    "trailing-slash": Deviation(
        "Browser code writes URLs with a slash at the end; Next.js redirects them (308), which costs a round trip. Ours "
        "answers at once.",
        _trailing_slash,
    ),
    "query-passed": Deviation("The handler drops the query string; ours passes it to Django byte for byte.", _query),
    "empty-204": Deviation(
        "Django answers 204 without a body, `res.json()` throws, and the person reads of a failure that was none (500). "
        "Ours passes the 204.",
        _empty_204,
    ),
    "no-body-post": Deviation(
        "Browser code sends some POSTs without a body, `req.json()` throws (500). Ours takes nothing at all for nothing.",
        _no_body,
    ),
    "malformed-json": Deviation(
        "What is no JSON makes `req.json()` throw (500). It is the sender's fault: 400 here.",
        _becomes_error(asked=False),
    ),
    "error-is-no-json": Deviation(
        "Django's own error pages are HTML, `res.json()` throws (500). Ours keeps the status and makes a document of it.",
        _becomes_error(asked=True),
    ),
    "backend-down": Deviation(
        "Without Django `fetch` throws (500, empty). Ours says 502, and why, in the documented shape.",
        _becomes_error(asked=False),
    ),
    "checked-here": Deviation(
        "What Django surely refuses, ours refuses itself with the field's name, and Django is not asked.", _checked_here
    ),
    "other-site": Deviation(
        "Where a browser sends the cookie along (from a sibling domain, or an old browser), the handler does what another "
        "site says. Ours refuses.",
        _refused_here,
    ),
    "path-checked": Deviation(
        "An encoded slash in a parameter leads the handler to another path of Django, with the person's token. Ours "
        "refuses the path.",
        _path_checked,
    ),
    "one-error-shape": Deviation(
        "The page shows two shapes of errors: Django's own, and `error`. Ours knows `error` alone; the messages by field "
        "stand in `fields`.",
        _one_error_shape,
    ),
    "field-map": Deviation(
        "The documented error says only `Request failed` where Django names fields; ours keeps their messages in `fields`.",
        _field_map,
    ),
    "error-members": Deviation(
        "Beside `error`: `code` for programs, `request_id` that joins the answer to the logs.", _error_members
    ),
    "method-document": Deviation("Next.js answers 405 without a body; ours is an error document.", _documents(405)),
    "method-allow": Deviation("A 405 must say what is allowed (RFC 9110, 15.5.6); Next.js does not.", _allow),
    "unknown-path": Deviation("Next.js answers an HTML page; below `/api` ours answers JSON.", _documents(404)),
    "asked-as-head": Deviation(
        "Next.js runs the GET handler for HEAD and throws its document away; ours asks Django for HEAD.", _asked_as_head
    ),
    "exact-numbers": Deviation(
        "JavaScript rounds integers above 2^53 on the way in and on the way out; ours sends the bytes on.",
        _exact_numbers,
    ),
    "public-pricing": Deviation(
        "Prices are documented as different for those who have signed in, so there must be some for all others.",
        _public_pricing,
    ),
    "hidden-token": Deviation(
        "`auth()` reads the access token from the session that the browser can read, too; ours shows it to nobody.",
        _hidden_token,
    ),
    "image-null": Deviation(
        "Who has no picture has `image: null` in the session; the handler leaves it out. The client's type allows both.",
        _no_image,
    ),
}
