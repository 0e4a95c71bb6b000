"""The simulated cloud without faults: real handlers, simulated time, every request counted.

The same world as in tests/simulation; its faults are off and a plan replaces its people.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple, TypeVar, cast

import requests

from shared.app import App
from shared.catalogue.models import Limits
from shared.catalogue.rules import Rules
from shared.platform.settings import Settings
from shared.storage import layout
from shared.storage.oss import OssStore
from tests.simulation.bucket import SimBucket
from tests.simulation.chaos import Chaos
from tests.simulation.cloud import TICK, Cloud
from tests.simulation.kernel import InstanceClock, Kernel, current
from tests.simulation.network import Network
from tests.simulation.play import errors_once, policy_once
from tests.simulation.scenario import catalogue
from tests.simulation.story import Story
from tests.simulation.studio import SimStudio, SimTask
from tests.simulation.synchronous import Synchronous
from tests.simulation.threads import threaded
from tests.simulation.wire import SimSession

MODEL = "brush"
ONE_SLOT = Limits(submissions=2, per_seconds=1, concurrent=1, queue_ahead=1)
"""The account limits of the inpainting model; the service queues one more task."""
LONGEST = 30 * 86400.0
LEARNING = 8
"""Jobs from which the system learns how long tasks take."""
SPREAD = 0.2
WAITING, AT_FIRST = 5, 5.0
"""Of jobs that keep coming: how many wait at the least, beside as many as the account has slots,
and in how many seconds the first of them come."""

T = TypeVar("T")
Seconds = Callable[[random.Random], float]


def about(seconds: float) -> Seconds:
    """Task times of `seconds` ± 20 %, evenly spread."""
    return lambda rng: seconds * (1 - SPREAD + 2 * SPREAD * rng.random())


OSS_VERBS = frozenset({"read", "head", "list", "create", "put", "delete"})
STORE_SITES = frozenset({"read", "write", "delete"})
VERBS = OSS_VERBS | {"GET", "POST"}


class Counted(NamedTuple):
    """One request: by which function, which of `VERBS`, and on what."""

    function: str
    verb: str
    target: str


class CountingStory(Story):
    """Notes every request, and nothing else."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.now = now
        self.requests: list[Counted] = []

    def tell(self, who: str, what: str, fault: str = "") -> None:
        verb, _, target = what.partition(" ")
        if verb in VERBS:
            self.requests.append(Counted(who.partition("-")[0], verb, target))


class PacedStudio(SimStudio):
    """An account whose tasks all succeed and take `seconds`. `asked`: when queries arrived."""

    seconds: Seconds

    def __init__(self, kernel: Kernel, rng: random.Random, limits: dict[str, Limits]) -> None:
        super().__init__(kernel, rng, limits)
        self.asked: list[float] = []

    def duration(self) -> float:
        return self.seconds(self._rng)

    def show(self, task_id: str) -> dict[str, Any]:
        self.asked.append(self.kernel.now)
        return super().show(task_id)


class CalmWorld:
    """A bucket, an account, and the functions.

    `queues`: the service queues what is over the limit; otherwise it answers 429. `tick`: seconds
    between two of the timer; `calls_itself`: that is a safety net. `stored` and
    `done`: when each job's image and manifest came into the bucket.
    """

    def __init__(
        self,
        seconds: Seconds,
        limits: Limits,
        queues: bool,
        seed: int = 0,
        models: int = 3,
        called: float | None = None,
    ) -> None:
        chance = random.Random(seed)
        self.limits = limits
        self.kernel = Kernel(_branch(chance))
        self.story = CountingStory(lambda: self.kernel.now)
        chaos = Chaos(_branch(chance), lambda: self.kernel.now)
        chaos.calm = True
        self.network = _Calm(self.kernel, chaos, self.story, _branch(chance))
        self.bucket = SimBucket(self.network, 0.2)
        named = {MODEL: limits} | {f"other-{number}": ONE_SLOT for number in range(1, models)}
        self.studio = PacedStudio(self.kernel, _branch(chance), named)
        self.studio.seconds, self.studio.queues = seconds, queues
        self.studio.flaws, self.studio.tells_times = 0.0, False
        if called is not None:
            self.studio.synchronous = Synchronous(frozenset({MODEL}), limits, called)
        self.catalogue = catalogue(named, synchronous=self.studio.synchronous.models)
        self.cloud = Cloud(self.network, self.bucket, _branch(chance), self._service)
        self.cloud.reserved = True
        self.rng = _branch(chance)
        self._ticking = False
        self.tick = TICK
        self.calls_itself = False
        self.stored: dict[str, float] = {}
        self.done: dict[str, float] = {}
        self._earlier: frozenset[str] = frozenset()
        self._coming: Iterator[int] = iter(())
        self._images = 1
        self.bucket.watchers.append(self._written)

    def put_jobs(self, number: int, *, n: int = 1, first: int = 0, at: float = 0.0) -> None:
        """Upload that many job files, one job each, `at` seconds from now."""
        for index in range(first, first + number):
            name = f"job-{index:05d}"
            key, body = f"jobs/{name}.json", job_file(name, n)
            self.kernel.after(at, lambda key=key, body=body: self.bucket.write(key, body))  # type: ignore[misc]

    def keep_coming(self, *, n: int = 1) -> None:
        """Jobs come without end, and some always wait, as in a system that people use all day.

        Those that the account takes at once, as many again and `WAITING` come in the first
        `AT_FIRST` seconds; for each job that ends another one comes, within one task's time.
        """
        self._coming, self._images = count(), n
        takes = self.limits.lanes + self.limits.queue_ahead
        for _ in range(takes + self.limits.lanes + WAITING):
            self._put_next(AT_FIRST)

    def run_busy(self, jobs: int, *, n: int = 1, before: int = 10) -> None:
        """Let jobs keep coming until `jobs` are done, counting after `before` others are."""
        self.keep_coming(n=n)
        self.run(lambda: len(self.done) >= before)
        self.from_zero()
        self.run(lambda: len(self.done) >= jobs)

    def learn(self) -> None:
        """Run some jobs, so that the system knows how long tasks take; then count from zero."""
        self.put_jobs(LEARNING, first=90_000)
        self.run_out()
        self.from_zero()

    def from_zero(self) -> None:
        """Count from here on."""
        self._earlier = frozenset(self.studio.tasks)
        self.stored.clear()
        self.done.clear()
        self.story.requests.clear()
        self.studio.asked.clear()
        self.studio.log.clear()

    @property
    def tasks(self) -> list[SimTask]:
        """The tasks made since the counting began, in the order of their creation."""
        made = self.studio.tasks.items()
        return [task for name, task in made if name not in self._earlier]

    @property
    def queries(self) -> int:
        """Calls of `GET /tasks/ID`."""
        return sum(one.verb == "GET" and "tasks/" in one.target for one in self.story.requests)

    def run(self, until: Callable[[], bool]) -> None:
        """Let time pass until something holds. Raises RuntimeError if an invariant breaks."""
        if not self._ticking:
            self.kernel.after(self.rng.random() * TICK, self._tick)
            self._ticking = True
        end = self.kernel.now + LONGEST
        with self.cloud.hears_log():
            while not until() and not self.network.broken and self.kernel.now < end:
                self.kernel.step()
        if self.network.broken or not until():
            raise RuntimeError(self.network.broken or f"not done after {LONGEST:.0f} s")

    def run_out(self) -> None:
        """Until nothing is in the bucket's queue or slots and no function runs."""
        self.run(lambda: self._idle())

    def delays(self) -> list[float]:
        """For each image, the seconds from its task's end until it lay in the bucket."""
        ends = {task.prompt: task.end for task in self.studio.tasks.values()}
        return [at - ends[job] for job, at in self.stored.items()]

    def _idle(self) -> bool:
        left = self.bucket.keys(layout.QUEUE) or self.bucket.keys(layout.SLOTS)
        return not left and not self.cloud.pending and bool(self.done)

    def _service(self, clock: InstanceClock, rng: random.Random) -> App:
        session = cast("requests.Session", SimSession(self.network, self.studio))
        store = OssStore(self.bucket, self.bucket, clock, rng)
        rules = Rules(self.catalogue, errors_once(), policy_once(), SETTINGS.model_region)
        calls = self.cloud if self.calls_itself else None
        return App(SETTINGS, store, session, clock, rng, rules, threaded(self.kernel), calls)

    def _tick(self) -> None:
        self.cloud.tick()
        self.kernel.after(self.tick, self._tick)

    def _written(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if after is None or not key.startswith(layout.RESULTS):
            return
        job = key.split("/")[1]
        if not key.endswith("result.json"):
            self.stored[job] = self.kernel.now
        elif job not in self.done:
            self.done[job] = self.kernel.now
            self._put_next(self.studio.seconds(self.rng))

    def _put_next(self, within: float) -> None:
        if (number := next(self._coming, None)) is not None:
            self.put_jobs(1, n=self._images, first=number, at=within * self.rng.random())


@contextmanager
def calm_world(
    seconds: Seconds,
    limits: Limits = ONE_SLOT,
    queues: bool = True,
    learn: bool = True,
    seed: int = 0,
    models: int = 3,
    called: float | None = None,
) -> Iterator[CalmWorld]:
    """A world whose system has learned how long tasks take; all actors end with the block.

    `models`: how many the catalogue has; only one of them is used.
    `called`: that one is synchronous, and a call takes so many seconds, up to half more or less.
    """
    world = CalmWorld(seconds, limits, queues, seed, models, called)
    if learn:
        world.learn()
    yield world
    world.kernel.close()


def _branch(chance: random.Random) -> random.Random:
    return random.Random(chance.getrandbits(64))


class _Calm(Network):
    """Without the bound on calls that keeps a simulated run from looping for ever.

    `create_leg`: seconds one way of a create call, where they are the same each time.
    """

    create_leg: float | None = None

    def __init__(
        self, kernel: Kernel, chaos: Chaos, story: CountingStory, rng: random.Random
    ) -> None:
        super().__init__(kernel, chaos, story, rng)
        self._creating: set[object] = set()

    def call(self, what: str, site: str, effect: Callable[[str], T], most: float = 9.0) -> T:
        if site in STORE_SITES and what.partition(" ")[0] not in OSS_VERBS:
            self.violate("every request to OSS is counted", what)
        if site != "create" or self.create_leg is None:
            return super().call(what, site, effect, most)
        self._creating.add(current())
        try:
            return super().call(what, site, effect, most)
        finally:
            self._creating.discard(current())

    def _latency(self) -> float:
        leg = self.create_leg
        return super()._latency() if leg is None or current() not in self._creating else leg

    def _count(self) -> None:
        self.calls += 1


SETTINGS = Settings(
    oss_endpoint="https://store.invalid",
    oss_public_endpoint="https://store.invalid",
    oss_bucket=SimBucket.bucket_name,
    oss_region="cn-beijing",
    base_url="https://service.invalid/api/v1",
    api_key="sk-bench",
)


def job_file(name: str, n: int = 1) -> bytes:
    """A job whose prompt is its name."""
    document = {
        "model": MODEL,
        "input": {
            "prompt": name,
            "base_image_url": "https://pictures.invalid/base.png",
            "mask_image_url": "https://pictures.invalid/mask.png",
        },
        "parameters": {"n": n},
        "job": {"id": name},
    }
    return json.dumps(document).encode()
