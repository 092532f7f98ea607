"""gunicorn with threads: the server to begin with, and what ``wsgiproxy-hs serve`` starts.

Run it with BACKEND_URL, AUTH_URL and AUTH_SECRET set: ``gunicorn --config examples/servers/gunicorn_gthread.py``.
"""

import os

wsgi_app = "wsgiproxy_hs:app"  # built in each worker, so that no connection is shared across a fork
bind = "127.0.0.1:8080"  # a server that buffers requests, such as nginx, belongs in front
worker_class = "gthread"  # a slow upstream holds a thread, not the process
workers = os.cpu_count() or 1  # Python runs one thread of a process at a time
threads = 256  # an idle or slow client, and an event stream, holds one of them; an unused thread costs little
keepalive = 5  # longer than the pauses of a page that loads, shorter than a proxy in front keeps connections
graceful_timeout = 30  # what is under way may finish when the server is stopped
limit_request_line = 8190  # the most that it allows; MAX_URL_BYTES is 8192, and its own default is 4094
limit_request_field_size = 16380  # a session in three cookies makes one header line of 12 KB
control_socket_disable = True  # nobody needs a second way in
