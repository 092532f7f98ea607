"""Answers as server-sent events.

Everything is stored before the first event: a stream runs after its request's transaction has ended, so it
only tells what already is.
"""

import json
import time
from collections.abc import Iterator

from django.conf import settings
from django.http import StreamingHttpResponse
from rest_framework.utils.encoders import JSONEncoder

EVENT_STREAM = "text/event-stream"
PIECES = 5


def wants_events(request) -> bool:
    """Whether the client can read an event stream at all."""
    return EVENT_STREAM in request.headers.get("Accept", "")


def event_stream(exchange: dict) -> StreamingHttpResponse:
    """The response that tells an exchange event by event."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(events(exchange), content_type=EVENT_STREAM, headers=headers)


def events(exchange: dict) -> Iterator[str]:
    """The saved question, the answer in pieces, and the whole exchange."""
    yield event("user_message", exchange["user_message"])
    for message in exchange["ai_messages"]:
        for piece in pieces(message["content"]):
            time.sleep(settings.CHAT_STREAM_DELAY_SECONDS)
            yield event("delta", {"id": message["id"], "text": piece})
    yield event("done", exchange)


def pieces(text: str) -> Iterator[str]:
    """The text in a few parts of about the same length."""
    length = max(1, -(-len(text) // PIECES))
    for start in range(0, len(text), length):
        yield text[start : start + length]


def event(name: str, data: dict) -> str:
    """One event; JSON has no line breaks of its own, so one data line is enough."""
    return f"event: {name}\ndata: {json.dumps(data, cls=JSONEncoder)}\n\n"
