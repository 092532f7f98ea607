"""Stripe's webhook: signed bytes that must not change on their way (F069, F162)."""

from __future__ import annotations

import time

import pytest
import stripe

from tests.integration import servers
from tests.integration.conftest import WEBHOOK_SECRET, Backend

pytestmark = pytest.mark.integration

ODD = (
    b'{\n  "id" : "evt_1",\t"object":"event",  "api_version": "2024-06-20", "type" : "product.updated",\r\n'
    b' "created": 1767225600, "livemode": false, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null},\n'
    b' "data": { "object": {"id":"prod_odd", "object": "product", "active":true, "name":"Caf\\u00e9 \\/ \xc3\xa9 \\ud83d\\ude00",'
    b' "description": null, "metadata": {"features": "a  b"} , "zero": 1.0e+2 } } }\n\n'
)
"""White space, escapes and numbers that no JSON writer would write again."""


def signature(body: bytes) -> str:
    """``Stripe-Signature`` made with Stripe's own library."""
    now = int(time.time())
    signed = stripe.WebhookSignature._compute_signature(f"{now}.{body.decode()}", WEBHOOK_SECRET)
    return f"t={now},v1={signed}"


def send(proxy: str, body: bytes, signed: str) -> servers.Answer:
    """As Stripe sends: no cookie, no Origin."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signed}
    return servers.ask(proxy, "POST", "/api/subscriptions/webhook", headers=headers, body=body)


@pytest.mark.parametrize(
    "tampered", [ODD.replace(b"true", b"false"), ODD.replace(b"  ", b" "), ODD.strip(), ODD + b" "], ids=range(4)
)
def test_a_tampered_webhook_does_not_verify(tampered: bytes, proxy: str) -> None:
    """One changed byte, be it white space, and Stripe's library refuses behind the proxy."""
    assert send(proxy, tampered, signature(ODD)).status == 400


def test_a_webhook_without_signature_is_refused(proxy: str) -> None:
    """Without Stripe's signature nothing is believed."""
    headers = {"Content-Type": "application/json"}
    assert servers.ask(proxy, "POST", "/api/subscriptions/webhook", headers=headers, body=ODD).status == 400


def test_a_signed_webhook_verifies_with_every_odd_byte(proxy: str, backend: Backend) -> None:
    """The bytes and the signature arrive as Stripe sent them, and Stripe's library accepts them."""
    backend.received()
    answer = send(proxy, ODD, signature(ODD))
    assert answer.status == 200, answer
    (seen,) = backend.received()
    assert seen.body == ODD
    assert seen.headers["content-type"] == "application/json; charset=utf-8"
    assert not {"authorization", "cookie"} & seen.headers.keys()
