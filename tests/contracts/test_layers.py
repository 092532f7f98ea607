"""What every layer promises, whichever it is."""

from __future__ import annotations

import inspect

import pytest

from tests.contracts.layers import LAYERS, Watched
from tests.harness import call
from wsgiproxy_hs import middleware
from wsgiproxy_hs.middleware import ErrorMiddleware

every_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)
others = pytest.mark.parametrize("layer", [one for one in LAYERS if one.cls is not ErrorMiddleware], ids=repr)


class Unforeseen(Exception):
    """Nobody's."""


def test_no_layer_is_left_out():
    """The contracts hold for every class that the package calls a middleware."""
    named = {value for name, value in vars(middleware).items() if name.endswith("Middleware")}
    assert named == {layer.cls for layer in LAYERS}


@every_layer
def test_the_constructor_takes_the_app_by_position_and_the_rest_by_name(layer):
    """``Layer(app, option=...)`` and in no other way, so that a stack reads like a list."""
    _, app, *options = inspect.signature(layer.cls.__init__).parameters.values()
    assert (app.name, app.kind) == ("app", inspect.Parameter.POSITIONAL_ONLY)
    assert all(option.kind is inspect.Parameter.KEYWORD_ONLY for option in options)
    with pytest.raises(TypeError):
        layer.cls()
    with pytest.raises(TypeError):
        layer.cls(lambda *_: [], "an option")


@every_layer
def test_every_option_is_explained(layer):
    """The class's docstring names each of its options."""
    options = list(inspect.signature(layer.cls.__init__).parameters)[2:]
    assert [name for name in options if f":param {name}:" not in (layer.cls.__doc__ or "")] == []


@every_layer
def test_a_call_decides_before_it_answers(layer):
    """``__call__`` is no generator: a refusal is raised at once and not when somebody reads the body."""
    assert not inspect.isgeneratorfunction(layer.cls.__call__)
    assert list(inspect.signature(layer.cls.__call__).parameters) == ["self", "environ", "start_response"]


@pytest.mark.parametrize("layer", [one for one in LAYERS if not one.holds], ids=repr)
def test_the_iterable_of_the_inner_app_comes_back_as_it_is(layer):
    """No layer wraps the body: ``close()``, file wrappers and the moment of each piece stay the inner app's (F163, F164)."""
    body = iter([b"x"])

    def inner(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    assert layer.make(inner)(layer.passing(), lambda *_: lambda _: None) is body


@pytest.mark.parametrize("layer", [one for one in LAYERS if one.holds], ids=repr)
def test_a_layer_that_must_know_the_end_of_the_answer_changes_nothing_else(layer):
    """It iterates the inner app's own iterator, and ``close()`` reaches the inner app once (F163, F164)."""

    class Body(list):
        closed = 0

        def close(self):
            self.closed += 1

    body = Body([b"x", b"y"])

    def inner(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    answer = layer.make(inner)(layer.passing(), lambda *_: lambda _: None)
    assert type(iter(answer)) is type(iter(body))
    assert list(answer) == [b"x", b"y"]
    answer.close()
    answer.close()
    assert body.closed == 1


def test_one_layer_wraps_the_iterable():
    """Only the count of what is under way needs to know when it is over."""
    assert [layer.cls.__name__ for layer in LAYERS if layer.holds] == ["ThrottleMiddleware"]


@every_layer
def test_the_inner_app_gets_the_same_environ(layer):
    """Layers meet in the environ, so it is handed on and not copied."""
    seen = []

    def inner(environ, start_response):
        seen.append(environ)
        start_response("200 OK", [])
        return []

    environ = layer.passing()
    layer.make(inner)(environ, lambda *_: lambda _: None)
    assert seen[0] is environ


@every_layer
def test_both_sides_keep_to_pep_3333(layer):
    """``wsgiref.validate`` finds nothing to complain about, inside and outside."""
    from tests.harness import Inner

    inner = Inner()
    assert call(layer.make(inner.app), layer.passing()).code == 200
    assert inner.was_called


@others
@pytest.mark.parametrize("kind", [Unforeseen, KeyboardInterrupt, OSError])
def test_exceptions_of_the_inner_app_pass_unchanged(layer, kind):
    """Only the errors layer turns exceptions into answers; for the others they are not there."""
    error = kind("inner")

    def inner(environ, start_response):
        raise error

    with pytest.raises(kind) as caught:
        layer.make(inner)(layer.passing(), lambda *_: None)
    assert caught.value is error
    assert caught.value.__cause__ is None


@every_layer
def test_exc_info_and_the_write_callable_travel(layer):
    """What ``start_response`` is given third, and what it returns, pass through every layer."""
    error = (Unforeseen, Unforeseen(), None)
    got = []

    def write(_):
        pass

    def inner(environ, start_response):
        got.append(start_response("500 Oops", [], error))
        return []

    def start_response(status, headers, exc_info=None):
        got.append(exc_info)
        return write

    layer.make(inner)(layer.passing(), start_response)
    assert got == [error, write]


@every_layer
def test_nothing_on_the_layer_changes_with_a_request(layer):
    """One layer object serves all threads, so it is the same after any request, refused ones too."""
    app = layer.make(layer.inner)
    before = {name: (id(value), repr(value)) for name, value in vars(app).items()}
    for environ in [layer.passing(), *layer.showing()]:
        try:
            app(environ, lambda *_: lambda _: None)
        except Exception:
            pass
    assert {name: (id(value), repr(value)) for name, value in vars(app).items()} == before


@every_layer
def test_the_same_request_twice_has_the_same_end(layer):
    """A layer remembers nothing of the request before."""
    app = layer.make(layer.inner)

    def ends():
        for environ in layer.showing():
            watched = Watched(environ)
            try:
                app(watched, lambda *_: lambda _: None)
                yield sorted(watched.written), None
            except Exception as error:
                yield sorted(watched.written), type(error)

    assert list(ends()) == list(ends())
