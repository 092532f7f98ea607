"""A model of everything at once: requests that interleave step by step, time, crashes, refusals and late answers.

Each request runs in a thread of its own, but only while the model lets it: it stops before every step of the store,
before and after the token server's commit, and while it waits. So hypothesis chooses the interleaving, and finds the
shortest that breaks a promise.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.renewal.token_server import TokenServer
from wsgiproxy_hs.exceptions import RenewalUnavailable, Unauthorized
from wsgiproxy_hs.sessions import Renewal, TokenPair, Unavailable
from wsgiproxy_hs.sessions.access_tokens import span
from wsgiproxy_hs.sessions.stores import Entry, MemoryStore

SECRETS = ["a-test-key-that-nobody-uses-0123456789"]
LEASE, ACCESS = 10.0, 400.0

SCHEDULES = st.builds(
    lambda seed, length: random.Random(seed).choices(range(5), k=length), st.integers(0, 2**32), st.integers(0, 80)
)
"""Whose turn it is, step by step; from a seed, as hypothesis by itself prefers lists that are short and even."""


class Crash(BaseException):
    """The process is gone: nothing of it runs any more."""


class Actor:
    """One request, in a process of its own."""

    def __init__(self, model: Model, pair: TokenPair, is_dead: bool) -> None:
        self.pair, self.is_dead = pair, is_dead
        self.owner = ""
        self.key = ""
        self.sent = ""
        self.got = ""
        self.is_over = self.is_crashed = False
        self.result: TokenPair | BaseException | None = None
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._model = model
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._stopped.acquire(timeout=10)

    def holds(self, refresh: str) -> str:
        """The access token that belongs to a refresh token."""
        pairs = [self.pair, *self._model.jar, self._model.cookie]
        return next((pair.access for pair in pairs if pair.refresh == refresh), "")

    def pause(self) -> None:
        """Called by the request: stop until the model goes on."""
        self._stopped.release()
        self._go.acquire()
        if self.is_crashed:
            raise Crash

    def step(self) -> None:
        self._go.release()
        assert self._stopped.acquire(timeout=10)

    def crash(self) -> None:
        self.is_crashed = True
        if not self.is_over:
            self.step()
        self._thread.join(10)

    def _run(self) -> None:
        self._model.local.actor = self
        try:
            self.pause()
            self.result = self._model.renewal().current(self.pair, is_dead=self.is_dead)
        except (Unauthorized, RenewalUnavailable, Crash) as error:
            self.result = error
        finally:
            self.is_over = True
            self._stopped.release()


class Stepwise(MemoryStore):
    """A store before each of whose steps the request stops. Signs of life come from the model's clock instead."""

    def __init__(self, model: Model) -> None:
        super().__init__(clock=model.clock, keep_seconds=1e9)
        self._model = model

    def look(self, key: str) -> Entry:
        self._model.pause()
        return super().look(key)

    def claim(self, key: str, owner: str, **options: Any) -> Entry:
        self._model.pause()
        entry = super().claim(key, owner, **options)
        if entry.owner == owner:
            self._model.local.actor.owner, self._model.local.actor.key = owner, key
        return entry

    def extend(self, key: str, owner: str, *, seconds: float) -> bool:
        return True

    def heartbeat(self, key: str, owner: str) -> bool:
        return super().extend(key, owner, seconds=LEASE)

    def sending(self, key: str, owner: str, *, seconds: float) -> bool:
        self._model.pause()
        return super().sending(key, owner, seconds=seconds)

    def release(self, key: str, owner: str, **options: Any) -> bool:
        self._model.pause()
        return super().release(key, owner, **options)

    def refuse(self, key: str, owner: str, **options: Any) -> bool:
        self._model.pause()
        return super().refuse(key, owner, **options)

    def finish(self, key: str, **options: Any) -> Entry:
        self._model.pause()
        actor = self._model.local.actor
        actor.sent = ""
        return super().finish(key, **options)


class Model(RuleBasedStateMachine):
    """One person, many requests."""

    rotates = True

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000.0
        self.local = threading.local()
        self.server = TokenServer(clock=self.clock, rotates=self.rotates, access_seconds=ACCESS)
        self.store = Stepwise(self)
        self.actors: list[Actor] = []
        self.unknown: Counter[str] = Counter()
        self.lost: set[str] = set()
        self.revoked = False
        self.broken = False

    def clock(self) -> float:
        return self.now

    def pause(self) -> None:
        actor = getattr(self.local, "actor", None)
        if actor is not None:
            actor.pause()

    def renewal(self) -> Renewal:
        return Renewal(
            store=self.store, redeem=self.redeem, sealing_secrets=SECRETS, clock=self.clock, ticks=self.clock,
            sleep=lambda _: self.pause(), start=lambda run: run(), lease_seconds=LEASE, wait_seconds=25,
        )  # fmt: skip

    def redeem(self, refresh: str) -> Any:
        actor = self.local.actor
        actor.sent = refresh
        self.pause()
        if self.rotates and self.server.redemptions[refresh]:
            access = actor.holds(refresh)
            is_over = access in self.server.dead_access or (span(access)[1] or 0) <= self.now
            self.broken |= not is_over
        live = set(self.server.live)
        outcome = self.server.redeem(refresh)
        issued = self.server.live - live
        actor.got = next(iter(issued), "")
        self.pause()
        if isinstance(outcome, Unavailable):
            if not outcome.is_undone:
                self.unknown[refresh] += 1
            actor.sent = ""
        return outcome

    @initialize(may_be_revoked=st.sampled_from([False, False, False, True]))
    def sign_in(self, may_be_revoked: bool) -> None:
        self.may_be_revoked = may_be_revoked
        self.cookie = self.server.sign_in()
        self.jar = [self.cookie]

    @rule(
        count=st.integers(1, 4),
        old=st.sampled_from([False, False, True]),
        dead=st.sampled_from([False, False, False, True]),
        ahead=st.sampled_from([55, 40, 25, 10, 0, -20, None]),
        pick=st.integers(0, 9),
        schedule=SCHEDULES,
        killed=st.sampled_from([None, None, 0, 5, 10, 15]),
    )
    def begin(
        self,
        count: int,
        old: bool,
        dead: bool,
        ahead: float | None,
        pick: int,
        schedule: list[int],
        killed: int | None,
    ) -> None:
        """Requests at once, with the browser's cookie or with an old one that is still under way.

        :param ahead: seconds before the token's end at which they come; ``None``: now, whether or not it is due.
        :param schedule: the order of their first steps. :param killed: after so many of these one of them is killed.
        """
        pair = self.jar[pick % len(self.jar)] if old else self.cookie
        if ahead is not None:
            self.time_passes(max(0.0, (span(self.cookie.access)[1] or 0) - ahead - self.now))
        if dead:
            self.server.dead_access.add(pair.access)
        if dead or not self.renewal().is_fresh(pair, self.now):
            running = sum(not actor.is_over for actor in self.actors)
            self.actors += [Actor(self, pair, dead) for _ in range(min(count, 5 - running))]
        if any(not actor.is_over for actor in self.actors):
            self.go_on(schedule[:killed])
        if killed is not None and any(not actor.is_over for actor in self.actors):
            self.kill(pick, True)
        if any(not actor.is_over for actor in self.actors):
            self.go_on(schedule[len(schedule[:killed]) :])

    @precondition(lambda self: any(not actor.is_over for actor in self.actors))
    @rule(schedule=SCHEDULES)
    def go_on(self, schedule: list[int]) -> None:
        """The requests that run take steps, in any order."""
        running = [actor for actor in self.actors if not actor.is_over]
        for number in schedule:
            actor = running[number % len(running)]
            if not actor.is_over:
                actor.step()
                self.check_end(actor)

    def check_end(self, actor: Actor) -> None:
        """Never signed out while a live pair exists that anybody could know of."""
        if actor.is_over and isinstance(actor.result, Unauthorized):
            assert self.revoked or not self.server.live - self.lost, "signed out, and a live pair exists"

    @precondition(lambda self: any(not actor.is_over for actor in self.actors))
    @rule(pick=st.integers(0, 9), really=st.sampled_from([False, False, True]))
    def kill(self, pick: int, really: bool) -> None:
        """SIGKILL: at any point, with or without a lease, before or behind the commit."""
        running = [actor for actor in self.actors if not actor.is_over]
        actor = running[pick % len(running)]
        if really:
            self.forget(actor)
            actor.crash()

    def forget(self, actor: Actor) -> None:
        """What was sent and not recorded is the documented case."""
        if actor.sent:
            self.unknown[actor.sent] += 1
            if actor.got:
                self.lost.add(actor.got)
        actor.owner = ""

    @rule(seconds=st.sampled_from([0.5, 3, 11, 60]))
    def time_passes(self, seconds: float) -> None:
        """Those who live show that they do, as often as the lease wants."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + LEASE / 3)
            for actor in self.actors:
                if actor.owner and not actor.is_over:
                    self.store.heartbeat(actor.key, actor.owner)

    @rule(really=st.sampled_from([False, False, False, True]))
    def everybody_is_stalled(self, really: bool) -> None:
        """A host that sleeps through all leases: whatever was sent by then is of unknown outcome."""
        if not really:
            return
        self.now += LEASE + 1
        for actor in self.actors:
            if actor.sent and not actor.is_over:
                self.unknown[actor.sent] += 1
                if actor.got:
                    self.lost.add(actor.got)

    @rule(failing=st.sampled_from([None, None, None, None, Unavailable(True, 2), Unavailable(False, 2)]))
    def the_endpoint_changes(self, failing: Unavailable | None) -> None:
        self.server.failing = failing

    @precondition(lambda self: self.may_be_revoked and not self.revoked)
    @rule()
    def an_admin_ends_the_session(self) -> None:
        self.revoked = True
        self.server.live.clear()

    @precondition(lambda self: any(isinstance(actor.result, TokenPair) for actor in self.actors))
    @rule(pick=st.integers(0, 9))
    def an_answer_arrives(self, pick: int) -> None:
        """Late or not: its cookies are decided when it begins, and never older than what the browser has."""
        done = [actor for actor in self.actors if isinstance(actor.result, TokenPair)]
        actor = done[pick % len(done)]
        self.actors.remove(actor)
        assert isinstance(actor.result, TokenPair)
        if actor.result is not actor.pair:
            brought = self.renewal().newest(actor.result)
            assert brought.generation >= self.cookie.generation, "an older cookie over a newer one"
            self.cookie = brought
            self.jar.append(brought)

    @invariant()
    def one_redemption(self) -> None:
        """Never two redemptions of one token, but for outcomes that nobody recorded, and then with no other way left."""
        assert not self.broken, "repeated while the old access token lives"
        if self.rotates:
            for token, count in self.server.redemptions.items():
                assert count <= 1 + self.unknown[token], "redeemed twice"

    def teardown(self) -> None:
        for actor in self.actors:
            if not actor.is_over:
                actor.crash()


class ModelWithoutRotation(Model):
    """The same with a server that keeps its refresh tokens: nobody is ever signed out by a second redemption."""

    rotates = False


_SETTINGS = settings(
    max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
TestModel = Model.TestCase
TestModel.settings = _SETTINGS
TestModelWithoutRotation = ModelWithoutRotation.TestCase
TestModelWithoutRotation.settings = settings(_SETTINGS, max_examples=50)
