"""The ``auth/[...nextauth]`` handler: a complete stand-in for that of NextAuth.js v5, as a WSGI app of its own."""

from wsgiproxy_hs.auth.accounts import Accounts
from wsgiproxy_hs.auth.app import AuthApp
from wsgiproxy_hs.auth.errors import AccessDenied, AuthError, CredentialsSignin
from wsgiproxy_hs.auth.hooks import Hooks, public_session
from wsgiproxy_hs.auth.pages import Pages
from wsgiproxy_hs.auth.providers import Client, CredentialsProvider, FormField, Provider, User

__all__ = [
    "AccessDenied",
    "Accounts",
    "AuthApp",
    "AuthError",
    "Client",
    "CredentialsProvider",
    "CredentialsSignin",
    "FormField",
    "Hooks",
    "Pages",
    "Provider",
    "User",
    "public_session",
]
