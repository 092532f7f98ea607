"""The faults by name: each function returns a response or raises what a view might raise."""

import time

from django.http import HttpResponse, HttpResponseRedirect
from rest_framework import exceptions, status
from rest_framework.response import Response

LONGEST_WAIT_SECONDS = 60


class Conflict(exceptions.APIException):
    """409."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "The resource has changed in the meantime."


class Unavailable(exceptions.APIException):
    """503."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Temporarily unavailable."


def field_errors(request):
    """Errors of two fields, one with several messages."""
    raise exceptions.ValidationError(
        {"email": ["Enter a valid email address."], "password": ["Too short.", "Too common."]}
    )


def nested_errors(request):
    """Errors of an object inside an object, and of one item of a list."""
    raise exceptions.ValidationError(
        {"address": {"city": ["This field is required."]}, "lines": [{}, {"amount": ["Must be positive."]}]}
    )


def non_field_errors(request):
    """An error of the body as a whole."""
    raise exceptions.ValidationError({"non_field_errors": ["The two password fields didn't match."]})


def bare_list(request):
    """A list of messages without any object around it."""
    raise exceptions.ValidationError(["Something is wrong.", "Something else is, too."])


def many_errors(request):
    """What a serializer with ``many=True`` answers: one entry per item, empty where it was fine."""
    raise exceptions.ValidationError([{}, {"name": ["This field may not be blank."]}, {}])


def detail_400(request):
    """A 400 with a sentence."""
    raise exceptions.ParseError("This request cannot be understood.")


def detail_403(request):
    """A 403 with a sentence."""
    raise exceptions.PermissionDenied("You may not do this.")


def detail_404(request):
    """A 404 with a sentence."""
    raise exceptions.NotFound("No such thing.")


def detail_405(request):
    """A 405 with a sentence."""
    raise exceptions.MethodNotAllowed(request.method)


def detail_409(request):
    """A 409 with a sentence."""
    raise Conflict


def detail_429(request):
    """A 429 that names the time to wait in ``Retry-After``."""
    raise exceptions.Throttled(wait=30)


def detail_503(request):
    """A 503 with a sentence."""
    raise Unavailable


def server_error(request):
    """A bug: Django answers with its HTML page."""
    raise RuntimeError("A fault that was asked for.")


def broken_json(request):
    """JSON by its type, but not by its body."""
    return HttpResponse('{"name": "cut in the mid', content_type="application/json")


def empty_500(request):
    """A 500 that says nothing."""
    return HttpResponse(status=500)


def huge_html(request):
    """A 502 with two megabytes of HTML, as some gateways like to send."""
    return HttpResponse("<html><body>" + "<p>Bad gateway</p>\n" * 110_000 + "</body></html>", status=502)


def cookies(request):
    """A 200 with cookies and with headers that tell too much about the server."""
    response = Response({"ok": True}, headers={"X-Powered-By": "Example/1.0", "Via": "1.1 backend"})
    response.set_cookie("sessionid", "set-by-the-backend", httponly=True)
    response.set_cookie("csrftoken", "set-by-the-backend-too")
    return response


def slow(request):
    """A good answer after ``?seconds=``."""
    try:
        wait = min(float(request.query_params.get("seconds", 1)), LONGEST_WAIT_SECONDS)
    except ValueError:
        raise exceptions.ValidationError({"seconds": ["A valid number is required."]}) from None
    time.sleep(max(wait, 0))
    return Response({"waited_seconds": wait})


def redirect(request):
    """A 301 to another path of this backend."""
    return HttpResponseRedirect("/api/workspaces/", status=301)


def no_content(request):
    """A 204."""
    return Response(status=204)


KINDS = {
    function.__name__.replace("_", "-"): function
    for function in (
        field_errors,
        nested_errors,
        non_field_errors,
        bare_list,
        many_errors,
        detail_400,
        detail_403,
        detail_404,
        detail_405,
        detail_409,
        detail_429,
        detail_503,
        server_error,
        broken_json,
        empty_500,
        huge_html,
        cookies,
        slow,
        redirect,
        no_content,
    )
}
