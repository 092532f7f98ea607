"""WSGIProxy2, as its documentation shows it."""

import os

from wsgiproxy import HostProxy

app = HostProxy(os.environ["BACKEND_URL"], client="requests")
