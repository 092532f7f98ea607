"""The card in a layer's docstring is true."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.contracts.layers import CLASSES, LAYERS, Watched, read_card
from wsgiproxy_hs import environ as environ_module
from wsgiproxy_hs import stack
from wsgiproxy_hs.exceptions import ProxyError

every_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)
ENDPOINTS = ["forwarder", "contact", "translate"]
CARDS = {
    **{layer.cls.__name__: layer.card for layer in LAYERS},
    **{name: read_card(importlib.import_module(f"wsgiproxy_hs.endpoints.{name}").__doc__ or "") for name in ENDPOINTS},
}
every_card = pytest.mark.parametrize("name", CARDS)
CGI_KEY = re.compile(r"[A-Z][A-Z_]*|wsgi\.[a-z_]+|gunicorn\.socket|wsgiproxy_hs\.[a-z_]+|the headers of [\w.]+")


def show(layer):
    """All that the layer's requests make it read, write and raise."""
    read, written, raised = set(), set(), set()
    inside = None

    def inner(environ, start_response):
        nonlocal inside
        inside = set(environ.read), set(environ.written)
        return layer.inner(environ, start_response)

    app = layer.make(inner)
    for environ in layer.showing():
        watched = Watched(environ)
        try:
            answer = app(watched, lambda *_: lambda _: None)
            getattr(answer, "close", lambda: None)()
        except ProxyError as error:
            raised.add(type(error).__name__)
        read |= watched.read
        written |= watched.written
    return read, written, raised


@every_layer
def test_a_layer_reads_what_its_card_names_and_nothing_else(layer):
    """Every key that the layer looks at is on its card, and every key on the card is looked at."""
    read, _, _ = show(layer)
    assert read - layer.card.writes == layer.card.reads - layer.card.writes


@every_layer
def test_a_layer_writes_exactly_the_keys_of_its_card(layer):
    """One writer a key, and no key in secret."""
    _, written, _ = show(layer)
    assert written == layer.card.writes


@every_layer
def test_a_layer_raises_exactly_the_errors_of_its_card(layer):
    """Every error on the card can be provoked, and no other one was."""
    _, _, raised = show(layer)
    assert raised == set(layer.card.raises)


@every_card
def test_the_errors_of_a_card_exist_with_their_status(name):
    """A card names classes of the error tree, each with its own status."""
    for error, status in CARDS[name].raises.items():
        assert error in CLASSES
        if error == "UpstreamStatus":
            assert status is None
        else:
            assert CLASSES[error].status == status


@every_card
def test_the_keys_of_a_card_exist(name):
    """Keys of ours are in the table of environ keys; others are those of CGI and WSGI."""
    for key in CARDS[name].reads | CARDS[name].writes:
        assert CGI_KEY.fullmatch(key), key
        if key.startswith("wsgiproxy_hs."):
            assert key in environ_module.KEYS


@every_card
def test_every_card_draws_the_same_stack(name):
    """All cards show the one stack."""
    assert CARDS[name].stack == (
        "errors",
        "limits",
        "routing",
        "cross-site",
        "session",
        "throttle",
        "body",
        "endpoint",
    )


def test_the_stack_of_the_cards_is_the_stack_that_is_built():
    """The order on the cards, in ``stack.py``'s docstring and in its list is one order."""
    places = [layer.card.here for layer in LAYERS]
    assert (*places, "endpoint") == LAYERS[0].card.stack
    drawn = re.findall(r"^    (\w+Middleware) ", stack.__doc__ or "", re.MULTILINE)
    assert drawn == [layer.cls.__name__ for layer in LAYERS]


def test_the_stacks_docstring_names_the_status_of_every_refusal():
    """The numbers behind a layer in ``stack.py`` are those that its card can raise."""
    for layer in LAYERS:
        line = next(line for line in (stack.__doc__ or "").splitlines() if layer.cls.__name__ in line)
        statuses = {int(number) for number in re.findall(r"\b[45]\d\d\b", line)}
        assert statuses == ({500} if layer.card.here == "errors" else set(layer.card.raises.values()))


def test_every_key_has_exactly_one_writer():
    """No two layers write the same key of ours, and every key has somebody who writes it."""
    writers = [key for layer in LAYERS for key in layer.card.writes if key.startswith("wsgiproxy_hs.")]
    assert sorted(writers) == sorted(environ_module.KEYS)


def test_the_table_of_keys_names_the_layer_that_writes_each():
    """The table in ``environ.py`` agrees with the cards."""
    rows = re.findall(r"^``(wsgiproxy_hs\.\w+)``.*``(\w+)``$", environ_module.__doc__ or "", re.MULTILINE)
    assert dict(rows) == {
        key: layer.cls.__name__ for layer in LAYERS for key in layer.card.writes if key in environ_module.KEYS
    }
