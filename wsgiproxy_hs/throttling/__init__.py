"""Throttling as values: who asks, how often they may, and where that is counted."""

from wsgiproxy_hs.throttling.rules import By as By
from wsgiproxy_hs.throttling.rules import Meter as Meter
from wsgiproxy_hs.throttling.rules import SignInThrottle as SignInThrottle
from wsgiproxy_hs.throttling.rules import Throttle as Throttle
from wsgiproxy_hs.throttling.rules import throttled as throttled
from wsgiproxy_hs.throttling.slots import Held as Held
from wsgiproxy_hs.throttling.slots import Slots as Slots
