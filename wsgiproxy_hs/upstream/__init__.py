"""The upstream's side: the transport, which headers travel, answers and errors as values."""

from wsgiproxy_hs.upstream.client import Reply as Reply
from wsgiproxy_hs.upstream.client import UpstreamClient as UpstreamClient
from wsgiproxy_hs.upstream.clocks import Clocks as Clocks
from wsgiproxy_hs.upstream.transport import Transport as Transport
