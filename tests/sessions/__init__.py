"""Tests of ``wsgiproxy_hs.sessions``."""
