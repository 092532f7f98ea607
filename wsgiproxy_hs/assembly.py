"""Builds what the settings describe: the values that the layers and endpoints are given."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from wsgiref.types import WSGIApplication

from requests.adapters import BaseAdapter
from urllib3.util import Timeout

from wsgiproxy_hs.endpoints.dispatch import Endpoints
from wsgiproxy_hs.endpoints.forwarder import Forwarder
from wsgiproxy_hs.exceptions import ConfigurationError, UpstreamError
from wsgiproxy_hs.routes import Route, RouteTable
from wsgiproxy_hs.routes.spool import Pace
from wsgiproxy_hs.routes.strict_json import JsonLimits
from wsgiproxy_hs.sessions import Redeem, Redeemed, Refused, Renewal, Sessions, Unavailable, judged
from wsgiproxy_hs.sessions.stores import FileStore, LayeredStore, MemoryStore, RenewalStore
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.throttling import By, Meter, SignInThrottle, Throttle
from wsgiproxy_hs.upstream import Transport
from wsgiproxy_hs.upstream.client import UpstreamClient
from wsgiproxy_hs.upstream.faults import was_never_sent

log = logging.getLogger("wsgiproxy_hs")


def load_routes(settings: Settings) -> Iterable[Route]:
    """The table that ``WSGIPROXY_ROUTES`` names; the documented one by default."""
    module, _, name = settings.routes.partition(":")
    try:
        routes = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"WSGIPROXY_ROUTES (routes) is wrong: {settings.routes}: {error}") from error
    if not isinstance(routes, (tuple, list, RouteTable)) or not all(isinstance(route, Route) for route in routes):
        raise ConfigurationError(f"WSGIPROXY_ROUTES (routes) is wrong: {settings.routes} is not a sequence of Route")
    return routes


def make_transport(settings: Settings) -> Transport:
    """Our own transport with the settings' limits and certificates."""
    return Transport(
        max_connections=settings.max_connections,
        max_streams=settings.max_streams,
        breaker_failures=settings.breaker_failures,
        breaker_seconds=settings.breaker_seconds,
        ca_bundle=settings.ca_bundle,
        client_certificate=settings.client_certificate,
    )


def make_sessions(settings: Settings) -> Sessions:
    """The sessions that the settings describe.

    Where there is a Redis, ids are read whatever is written, so that the setting can be changed to and fro.
    """
    formats: tuple[str, ...] = settings.session_formats
    is_stored = settings.session_store == "redis"
    store = _redis(settings, "RedisSessionStore") if settings.redis_url is not None else None
    if store is not None:
        formats = ("stored", *formats) if is_stored else (*formats, "stored")
    return Sessions(
        secrets=settings.secret_texts,
        secure=settings.secure,
        cookie_name=settings.session_cookie_name,
        formats=formats,
        write_format="stored" if is_stored else settings.session_format,
        max_age_seconds=settings.session_max_age_seconds,
        access_token_claim=settings.access_token_claim,
        refresh_token_claim=settings.refresh_token_claim,
        store=store,
    )


def make_renewal(settings: Settings, transport: BaseAdapter) -> Renewal:
    """What renews access tokens at the upstream, once for all processes that share the store."""
    return Renewal(
        store=make_store(settings),
        redeem=make_redeem(settings, transport),
        sealing_secrets=settings.secret_texts,
        margin_seconds=settings.renewal_margin_seconds,
        keep_seconds=settings.renewal_grace_seconds,
        wait_seconds=settings.renewal_wait_seconds,
    )


def make_store(settings: Settings) -> LayeredStore:
    """Threads agree in memory, processes through files, hosts through Redis where there is one."""
    keep = settings.renewal_grace_seconds
    levels: list[RenewalStore] = [MemoryStore(keep_seconds=keep)]
    levels.append(FileStore(settings.renewal_directory, keep_seconds=keep))
    if settings.redis_url is not None:
        levels.append(_redis(settings, "RedisStore", keep_seconds=keep))
    return LayeredStore(*levels)


def _redis(settings: Settings, name: str, **options: Any) -> Any:
    """A store of this name in the Redis that the settings name."""
    try:
        module = importlib.import_module("wsgiproxy_hs.sessions.stores.redis")
    except ImportError as error:
        raise ConfigurationError("REDIS_URL (redis_url) needs the extra: wsgiproxy_hs[redis]") from error
    url = settings.redis_url.get_secret_value() if settings.redis_url is not None else ""
    try:
        return getattr(module, name)(url, **options)
    except ValueError as error:
        raise ConfigurationError(f"REDIS_URL (redis_url) is wrong: {error}") from None


def make_redeem(settings: Settings, transport: BaseAdapter) -> Redeem:
    """What asks the upstream's token endpoint, with a clock of its own."""
    longest = settings.renewal_timeout_seconds
    timeout = Timeout(connect=min(settings.connect_timeout_seconds, longest), read=longest)
    client = UpstreamClient(settings.backend_url, transport=transport, timeout=timeout)

    def redeem(refresh_token: str) -> Redeemed | Refused | Unavailable:
        try:
            reply = client.call("POST", settings.refresh_path, document={"refresh": refresh_token})
        except UpstreamError as error:
            return Unavailable(is_undone=was_never_sent(error))
        return judged(reply.status, reply.document, reply.headers)

    return redeem


def make_body_limits(settings: Settings) -> dict[str, Any]:
    """How much JSON there may be, and how slowly a body may arrive."""
    return {
        "json_limits": JsonLimits(settings.max_json_depth, settings.max_json_keys, settings.max_json_digits),
        "pace": Pace(settings.max_upload_seconds, settings.min_upload_bytes_per_second),
    }


def make_meter(settings: Settings) -> Meter | None:
    """Where throttled requests are counted; ``None``, and a warning, when the library for it is not installed.

    :raises ConfigurationError: when it is not installed and somebody set a rate.
    """
    try:
        from wsgiproxy_hs.throttling.limits_meter import MEMORY, LimitsMeter
    except ImportError as error:
        wanted = sorted(name for name in settings.throttles if name in settings.model_fields_set)
        faults = [f"{name.upper()} ({name}) needs the extra: wsgiproxy_hs[limits]" for name in wanted]
        if faults:
            raise ConfigurationError(faults) from error
        log.warning("nothing is throttled: install wsgiproxy_hs[limits]")
        return None
    if not settings.trusted_proxies:
        log.warning("clients with a private address, or none, are not throttled by address: see TRUSTED_PROXIES")
    return LimitsMeter(MEMORY if settings.redis_url is None else settings.redis_url.get_secret_value())


def make_throttles(settings: Settings, routes: Iterable[Route]) -> dict[str, Throttle | None]:
    """The rule of every name that rows have.

    :raises ConfigurationError: for a name that no setting is for.
    """
    rates = {
        By.ADDRESS: ("register", "activate", "resend", "reset", "reset-confirm", "contact"),
        By.USER: ("translate", "transcribe"),
    }
    throttles: dict[str, Throttle | None] = {"sign-in": None}  # counted by the endpoint, which knows the account
    for by, names in rates.items():
        for name in names:
            rate = settings.throttles["throttle_" + name.replace("-", "_")]
            throttles[name] = Throttle(rate, by) if rate is not None else None
    faults = [
        f"Route({route.methods!r}, {route.path!r}): throttle={route.throttle!r} is none of {', '.join(throttles)}"
        for route in routes
        if route.throttle is not None and route.throttle not in throttles
    ]
    if faults:
        raise ConfigurationError(faults)
    return throttles


def make_sign_in_throttle(settings: Settings, meter: Meter | None) -> SignInThrottle | None:
    """What counts attempts to sign in."""
    if meter is None:
        return None
    return SignInThrottle(
        meter, by_address=settings.throttle_sign_in_address, by_account=settings.throttle_sign_in_account
    )


def make_endpoints(settings: Settings, routes: Iterable[Route], build: Mapping[str, Any]) -> Endpoints:
    """The app behind the layers: a forwarder, and one app for each endpoint that a row names.

    :param build: what ``from_settings`` takes: ``transport`` to the upstream; ``outside``, the transport to other
        services, which knows nothing of the upstream's certificates; ``sessions``; ``renewal`` of their tokens;
        ``throttle`` of sign-in.
    """
    named = {route.to for route in routes if not isinstance(route.to, str)}
    apps: Mapping[object, WSGIApplication] = {
        to: to.from_settings(settings, **build) if isinstance(to, type) and hasattr(to, "from_settings") else to
        for to in named
    }
    return Endpoints(forwarder=Forwarder.from_settings(settings, routes=routes, **build), apps=apps)


def configured(routes: Iterable[Route], settings: Settings) -> Iterable[Route]:
    """Rows whose upstream path is a setting get it."""
    for route in routes:
        path = getattr(settings, route.path_setting) if route.path_setting else None
        yield replace(route, to=path) if path else route
