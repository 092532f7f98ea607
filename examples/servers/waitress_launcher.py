"""waitress: pure Python, no dependencies, and it buffers requests and answers, so slow clients hold no thread.

Run it with BACKEND_URL, AUTH_URL and AUTH_SECRET set: ``python examples/servers/waitress_launcher.py``; PORT is where
it listens. It is one process; several of them, on ports of their own, use several cores. The file is not called
``waitress.py``, because Python would then import it in place of the server.
"""

import os

from waitress import serve

from wsgiproxy_hs import app

OPTIONS = {
    "host": "127.0.0.1",  # its own default is every address
    "port": int(os.environ.get("PORT", "8080")),
    "threads": 64,  # a slow upstream, and an event stream, holds one; MAX_UPSTREAM_CONNECTIONS is 64, too
    "connection_limit": 1000,  # an idle client holds no thread, only a connection; its own default is 100
    "asyncore_use_poll": True,  # select() knows no descriptor above 1023
    "channel_timeout": 30,  # seconds that an unused connection, or half a request, is kept
    "cleanup_interval": 10,  # how often it looks for them
    "channel_request_lookahead": 1,  # goes on listening while a request is served, and so sees a client leave
    "max_request_body_size": 64 * 1024 * 1024,  # it takes bodies whole before we see them: above every row's limit
    "outbuf_high_watermark": 1024 * 1024,  # an answer waits for a slow client; more than this is never held
    "clear_untrusted_proxy_headers": False,  # whom to believe is judged by TRUSTED_PROXIES
    "ident": None,  # a banner is of use to attackers only
}

if __name__ == "__main__":
    serve(app, **OPTIONS)
