"""``application``, for servers that look a name up without a module's ``__getattr__``: uWSGI, mod_wsgi."""

from wsgiproxy_hs import app

application = app
