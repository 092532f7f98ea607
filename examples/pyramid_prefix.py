"""A Pyramid app that hands all below /api to the stack, as a view.

``wsgiapp2`` takes the prefix away, so the stack has none; AUTH_URL names the whole public path of sign-in, such as
``https://app.example.com/api/auth``. Run it with ``gunicorn examples.pyramid_prefix:app``.
"""

import os

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.wsgi import wsgiapp2

from wsgiproxy_hs import Settings, create_app


def home(request: Request) -> Response:
    """A page of the host."""
    return Response('<h1>Hosted by Pyramid</h1><a href="/api/auth/signin?callbackUrl=/api/workspaces">Sign in</a>')


with Configurator() as config:
    config.add_route("home", "/")
    config.add_view(home, route_name="home")
    config.add_route("api", "/api/*subpath")
    settings = Settings.from_environ({**os.environ, "WSGIPROXY_PREFIX": "/"})
    config.add_view(wsgiapp2(create_app(settings)), route_name="api")
    app = config.make_wsgi_app()
