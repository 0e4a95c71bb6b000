"""One run of the world: everything follows from the seed."""

from __future__ import annotations

import logging
import math
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, cast
from unittest.mock import patch

import requests
from greenlet import getcurrent  # type: ignore[import-untyped]

from shared.app import App
from shared.catalogue.errors import load_errors
from shared.catalogue.retry_policy import load_retry_policy
from shared.catalogue.rules import Rules
from shared.jobfile import check, parse
from shared.jobs import intake
from shared.ledger.record import QUEUED
from shared.platform.settings import Settings
from shared.storage import layout
from shared.storage.oss import OssStore
from tests.simulation.bucket import SimBucket
from tests.simulation.callers import Callers, tokens
from tests.simulation.chaos import Chaos
from tests.simulation.cloud import TICK, Cloud
from tests.simulation.ending import Ending
from tests.simulation.invariants import API_KEY, Invariants
from tests.simulation.judges import Facts, judges
from tests.simulation.judges.hand_over import HandOver
from tests.simulation.judges.wakes import Wakes
from tests.simulation.judges.webhooks import Telling
from tests.simulation.kernel import START, InstanceClock, Kernel
from tests.simulation.log_state import log_state_restored
from tests.simulation.network import Network
from tests.simulation.people import People
from tests.simulation.receivers import SETTINGS, Receivers
from tests.simulation.scenario import Scenario, catalogue, scenario
from tests.simulation.story import Story
from tests.simulation.strangers import Strangers
from tests.simulation.studio import SimStudio
from tests.simulation.threads import threaded
from tests.simulation.upgrade import Upgrade
from tests.simulation.wire import SimSession
from tests.simulation.worlds import LOSSY, RELIABLE, account_of, world_of

MOST_TIME = 3 * 3600.0
"""Seconds from the end of the storm until everything must have come to rest."""
QUIET_TICKS = 3
LAST_DEATHS = 310.0
"""Seconds after which everybody who was frozen in the storm has ended, or was killed."""

errors_once = lru_cache(maxsize=1)(load_errors)
policy_once = lru_cache(maxsize=1)(load_retry_policy)


@dataclass(frozen=True)
class Outcome:
    """`broken`: the invariant that does not hold, if any; `calls`: requests of all instances."""

    seed: int
    broken: str | None
    faults: dict[str, int]
    calls: int
    seconds: float
    story: Story


class World:
    """Everything outside the functions, and all their instances."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.seed = seed
        self.special = world_of(seed)
        self.kernel = Kernel(_branch(rng))
        self.story = Story(self._now)
        self.chaos = Chaos(_branch(rng), self._now)
        self.network = Network(self.kernel, self.chaos, self.story, _branch(rng))
        self.plan: Scenario = scenario(_branch(rng), self.special.crowd)
        self.special.synchronous.plan(self.plan, seed)
        self.special.webhooks.plan(self.plan)
        self.bucket = SimBucket(self.network, rng.uniform(-0.4, 0.4))
        self.studio = SimStudio(self.kernel, _branch(rng), self.plan.limits)
        self.invariants = Invariants(self.network, self.bucket, self.plan.limits)
        self.invariants.is_over = self.studio.is_over
        self.studio.given_up = self.invariants.given_up
        self.studio.complain = self.network.violate
        self.studio.watch = self._arrived
        called = self.special.synchronous.models
        self.catalogue = catalogue(self.plan.limits, self.special.price, called)
        self.settings = replace(_settings(rng), call_timeout=self.special.synchronous.timeout)
        self.receivers = Receivers(self.network, self.special.webhooks.weather)
        if self.special.webhooks.on:
            those = tokens(self.special.webhooks.default)
            self.settings = replace(self.settings, webhooks=SETTINGS, tokens=those)
        self.cloud = Cloud(self.network, self.bucket, _branch(rng), self._service)
        self.cloud.ended = self.invariants.ended
        self.storm = rng.uniform(10.0, 300.0)
        self._quiet = 0
        self._calmed, self._caught = math.inf, 0.0
        self.people = People(self.plan, self.bucket, self.cloud, _branch(rng))
        self._make_special()

    def _make_special(self) -> None:
        """What only this seed's world has."""
        special, rng = self.special, random.Random(f"special {self.seed}")
        special.settle(self.studio, account_of(self.seed, special, self.plan.limits))
        self.chaos.list_faults, self.chaos.bad_lists = special.list_faults, special.bad_lists
        self.bucket.page = special.keys
        self.cloud.away, self.cloud.everybody = special.away, special.everybody
        self.chaos.lose_answers(*special.deaf)
        self.cloud.retries = special.retries
        self.cloud.timeouts["poll"] = special.synchronous.poll
        self.chaos.calm = special.fair
        if special.net == RELIABLE:
            self.chaos.lose_nothing()
        if special.net == LOSSY:
            self.cloud.deaf_to = self._unheard()
        resumed_at = math.inf
        if special.net and self.studio.account.troubles:
            names = ("~key", *self.plan.limits)
            resumed_at = self.studio.account.end() + 20 * rng.random()
            self.kernel.after(resumed_at - START, partial(self.people.resume, names))
        self.facts = self._facts()
        self.facts.resumed_at = resumed_at
        self.facts.outages = self.chaos.has_outages
        self.invariants.judges = judges(self.facts)
        if special.net:
            self.facts.polled_since = self.cloud.polled_since
            self.invariants.judges.append(Wakes(self.facts))
        if special.webhooks.on:
            self.invariants.judges.append(Telling(self.facts, self.receivers))
        if special.upgrade.moments:
            self._deploy(special.upgrade)
        self.callers = Callers(self.plan, self.cloud, self.invariants, rng, special.callers)
        if special.foreign:
            until = START + self.storm + 600.0
            strangers = Strangers(self.facts, self.plan.limits, rng, until)
            self.invariants.judges.append(strangers)

    def _unheard(self) -> frozenset[str]:
        """Files whose event never comes: written once, and before the safety net is spread."""
        rng = random.Random(f"unheard {self.seed}")
        times = Counter(upload.key for upload in self.plan.uploads)
        once = [one.key for one in self.plan.uploads if times[one.key] == 1 and one.at < self.storm]
        share = rng.choice((0.0, 0.3, 0.7))
        return frozenset(key for key in once if rng.random() < share)

    def _deploy(self, upgrade: Upgrade) -> None:
        """Somebody looks at the page whenever it was deployed."""
        self.cloud.upgrade = upgrade
        judge = HandOver(self.facts, upgrade, self.cloud.polling)
        self.invariants.judges.append(judge)
        self.cloud.poll_returned = judge.returned
        looks = partial(self.cloud.errand, "page", App.say_code)
        for at in upgrade.moments["api"]:
            self.kernel.after(at - START + 1.0, looks)

    def _facts(self) -> Facts:
        return Facts(
            self.invariants.jobs,
            self.studio,
            self.bucket,
            self.network.violate,
            self._held,
            dict.fromkeys(self.plan.limits, self.special.price),
            self.plan.clashes,
            self.special.away,
            START if self.special.fair and not self.special.away[1] else math.inf,
        )

    def run(self) -> Outcome:
        """Until all is at rest, or an invariant is broken."""
        self.kernel.after(random.Random(self.seed).random() * TICK, self._tick)
        self.kernel.after(self.storm, self._calm)
        with self.cloud.hears_log():
            while self._quiet < QUIET_TICKS and not self.network.broken:
                self.kernel.step()
        if not self.network.broken:
            self._ending().check()
        broken = self.network.broken
        self.kernel.close()
        passed = self.kernel.now - START
        faults = dict(self.chaos.counts)
        return Outcome(self.seed, broken, faults, self.network.calls, passed, self.story)

    def _ending(self) -> Ending:
        prompts, away = self.plan.prompts, self.special.away
        return Ending(
            self.invariants, self.bucket, self.studio, prompts, away, bool(self.special.net)
        )

    def _arrived(self, _prompt: str) -> None:
        self.invariants.submitted(self.studio.log[-1], self.studio.requests)

    def _held(self) -> float:
        """Seconds for which the actor that acts now was frozen so far."""
        actor = self.kernel.actors.get(getcurrent())
        return actor.held if actor is not None else 0.0

    def _service(self, clock: InstanceClock, rng: random.Random) -> App:
        session = cast("requests.Session", SimSession(self.network, self.studio))
        store = OssStore(self.bucket, self.bucket, clock, rng)
        rules = Rules(self.catalogue, errors_once(), policy_once(), self.settings.model_region)
        workers = threaded(self.kernel)
        calls = self.cloud if self.special.net else None
        app = App(self.settings, store, session, clock, rng, rules, workers, calls)
        app.receivers = cast("requests.Session", self.receivers)
        return app

    def _tick(self) -> None:
        """Once a minute: is all at rest? The timer fires in any case."""
        left = self.bucket.keys(layout.QUEUE, layout.DEPLOYED) + self.bucket.keys(layout.SLOTS)
        left += self.bucket.keys(layout.OUTBOX)
        if left and self.cloud.satisfied and not self.cloud.pending:
            what = f"{', '.join(left)} waits for the timer"
            self.network.violate("no wake-up is lost", what)
        if self.facts.quiet_since < math.inf:  # a frost may begin with the last call of the storm
            self.facts.quiet_since = max(self.facts.quiet_since, self.network.thaws)
        for judge in self.invariants.judges:
            judge.ticked()
        self._quiet = self._quiet + 1 if self._at_rest(left) else 0
        if self.kernel.now > self._patience() + MOST_TIME:
            self.network.violate("everything comes to rest", ", ".join(left) or "events go on")
        self._timer()
        self.kernel.after(TICK, self._tick)

    def _timer(self) -> None:
        """Every minute; as a safety net once, when nobody can be killed any more."""
        net = self.special.net
        if not net:
            self.cloud.tick()
        elif net == LOSSY and self._caught == 0.0 and self.kernel.now > self._back() + LAST_DEATHS:
            self._caught = self.facts.quiet_since = self.kernel.now
            self.cloud.tick(only=True)

    def _patience(self) -> float:
        """When everything that troubles this world is over."""
        passed = max(
            self.storm, self.special.patience(self.people.last_help), self.callers.last_act()
        )
        return max(START + passed, self.studio.account.end())

    def _at_rest(self, left: list[str]) -> bool:
        if self.kernel.now - START <= max(self.plan.last_act(), self.callers.last_act()):
            return False
        if left or not self.chaos.calm or self.cloud.pending:
            return False
        if self.special.net == LOSSY and self._caught == 0.0:
            return False
        return not self.people.help() and not self._reminders()

    def _reminders(self) -> list[str]:
        """Reminders that somebody has to see to; those of jobs that are over wait for the timer."""
        keys, net = self.bucket.keys(layout.EXPIRY), self.special.net
        jobs = self.invariants.jobs
        return [key for key in keys if not net or jobs[layout.job_of_reminder(key)].state == QUEUED]

    def _calm(self) -> None:
        self.story.tell("storm", "is over")
        self.chaos.calm = True
        self._calmed = self.kernel.now
        if self.special.net != LOSSY:
            self.facts.quiet_since = min(self.facts.quiet_since, self._back())

    def _back(self) -> float:
        """When the storm is over and everybody is back."""
        return max(self._calmed, self.special.away[1], self.network.thaws)

    def _now(self) -> float:
        return self.kernel.now


def _branch(rng: random.Random) -> random.Random:
    return random.Random(rng.getrandbits(64))


def _settings(rng: random.Random) -> Settings:
    return Settings(
        oss_endpoint="https://store.invalid",
        oss_public_endpoint="https://store.invalid",
        oss_bucket=SimBucket.bucket_name,
        oss_region="cn-beijing",
        base_url="https://service.invalid/api/v1",
        api_key=API_KEY,
        create_timeout=rng.choice((5.0, 20.0)),
        unknown_grace=rng.choice((60.0, 120.0)),
        tokens=tokens(),
    )


@contextmanager
def checking_once() -> Iterator[None]:
    """Check each document once for all runs: the same document is always judged the same."""
    parsed: dict[tuple[bytes, str], Any] = {}
    checked: dict[int, Any] = {}

    def parse_once(body: bytes, name: str) -> Any:
        if (body, name) not in parsed:
            parsed[body, name] = parse(body, name)
        return parsed[body, name]

    def check_once(document: Any, *rest: Any) -> Any:
        if id(document) not in checked:
            checked[id(document)] = (check(document, *rest), document)
        return checked[id(document)][0]

    with (
        patch.object(intake, "parse", parse_once),
        patch.object(intake, "check", check_once),
        log_state_restored(),
    ):
        logging.disable(logging.WARNING)
        yield


def play(seed: int) -> Outcome:
    """Run one seed; within `checking_once` it is fast."""
    return World(seed).run()
