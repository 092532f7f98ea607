"""A Flask app and the stack side by side: all below /api goes to the stack, and nothing else.

The dispatcher takes the prefix away, so the stack has none; AUTH_URL names the whole public path of sign-in, such as
``https://app.example.com/api/auth``. Run it with ``gunicorn examples.flask_prefix:app``.
"""

import os

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from wsgiproxy_hs import Settings, create_app

app = Flask(__name__)


@app.get("/")
def home() -> str:
    """A page of the host."""
    return '<h1>Hosted by Flask</h1><a href="/api/auth/signin?callbackUrl=/api/workspaces">Sign in</a>'


settings = Settings.from_environ({**os.environ, "WSGIPROXY_PREFIX": "/"})
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/api": create_app(settings)})  # type: ignore[method-assign]
