"""A Flask app with the stack around it: paths of the route table go to Django, all others to Flask.

Run it with BACKEND_URL, AUTH_URL and AUTH_SECRET set: ``gunicorn examples.flask_around:app``.
"""

import os

from flask import Flask

from wsgiproxy_hs import Settings, create_app

app = Flask(__name__)


@app.get("/")
def home() -> str:
    """A page of the host; it may sign in and then call /api/workspaces from the browser."""
    return '<h1>Hosted by Flask</h1><a href="/api/auth/signin?callbackUrl=/api/workspaces">Sign in</a>'


# Flask keeps its name and its configuration; only what the server calls is wrapped.
app.wsgi_app = create_app(Settings.from_environ(os.environ), otherwise=app.wsgi_app)  # type: ignore[method-assign]
