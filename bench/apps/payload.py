"""The answer of the upstream: 1.3 KB of JSON, like a chat with two messages."""

import json

BODY = json.dumps(
    {
        "id": "51f0b2b6-6d4c-4c6e-9a53-0a4f3f2b7f11",
        "name": "About looms",
        "messages": [
            {"role": "user", "content": "What does it weave? " * 20},
            {"role": "assistant", "content": "Algebraic patterns, just as the loom weaves leaves. " * 14},
        ],
    }
).encode()
POST_BODY = json.dumps({"role": "user", "content": "What does it weave, and for whom? " * 28}).encode()
