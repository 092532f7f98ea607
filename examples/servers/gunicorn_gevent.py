"""gunicorn with gevent: for many event streams at once, where a thread for each would be too much.

Run it with BACKEND_URL, AUTH_URL and AUTH_SECRET set: ``gunicorn --config examples/servers/gunicorn_gevent.py``; it
needs ``pip install 'wsgiproxy_hs[gunicorn,gevent]'``.
"""

import os

wsgi_app = "wsgiproxy_hs:app"  # imported by the worker, after gevent has put its sockets in place of Python's
preload_app = False  # loaded earlier, locks and sockets would be Python's own, and one slow upstream would stop all
bind = "127.0.0.1:8080"  # a server that buffers requests, such as nginx, belongs in front
worker_class = "gevent"  # a slow upstream, an idle client and an event stream hold a greenlet of a few kilobytes
workers = os.cpu_count() or 1  # one process does one thing at a time, whatever the number of greenlets
worker_connections = 1000  # clients at once in a process; to the upstream go MAX_UPSTREAM_CONNECTIONS of them
keepalive = 5  # longer than the pauses of a page that loads, shorter than a proxy in front keeps connections
timeout = 30  # a worker that computes for so long without ever waiting is stuck, and is replaced
graceful_timeout = 30  # what is under way may finish when the server is stopped
limit_request_line = 8190  # the most that it allows; MAX_URL_BYTES is 8192, and its own default is 4094
limit_request_field_size = 16380  # a session in three cookies makes one header line of 12 KB
control_socket_disable = True  # nobody needs a second way in
