"""The simulated cloud without trouble: real handlers, simulated time, every request counted.

The same world as in tests/simulation, with its faults off and its people replaced by a plan.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import requests

from shared.app import App
from shared.catalogue.models import Limits
from shared.platform.settings import Settings
from shared.storage import layout
from shared.storage.oss import OssStore
from tests.simulation.bucket import SimBucket
from tests.simulation.chaos import Chaos
from tests.simulation.cloud import TICK, Cloud
from tests.simulation.kernel import InstanceClock, Kernel
from tests.simulation.network import Network
from tests.simulation.play import checking_once, errors_once
from tests.simulation.scenario import catalogue
from tests.simulation.story import Story
from tests.simulation.studio import SimStudio
from tests.simulation.wire import SimSession

MODEL = "brush"
ONE_SLOT = Limits(submissions=2, per_seconds=1, concurrent=1, queue_ahead=1)
"""The account limits of the inpainting model, with one task waiting at the service's door."""
LONGEST = 30 * 86400.0

Seconds = Callable[[random.Random], float]


@dataclass(frozen=True)
class Counted:
    """One request: when, by which function, what (`read`, `list`, `create`, `put`, `delete`, `GET`,
    `POST`) and on what."""

    at: float
    function: str
    verb: str
    target: str


class CountingStory(Story):
    """Notes every request instead of telling it."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.now = now
        self.requests: list[Counted] = []

    def tell(self, who: str, what: str, fault: str = "") -> None:
        verb, _, target = what.partition(" ")
        if verb in VERBS:
            self.requests.append(Counted(self.now(), who.partition("-")[0], verb, target))


VERBS = frozenset({"read", "list", "create", "put", "delete", "GET", "POST"})
OSS_VERBS = frozenset({"read", "list", "create", "put", "delete"})


class PacedStudio(SimStudio):
    """An account whose tasks all succeed, and take as long as is said."""

    seconds: Seconds

    def duration(self) -> float:
        return self.seconds(self._rng)


class CalmWorld:
    """A bucket, an account, and the functions. `queues`: the service queues what is over the limit;
    otherwise it answers 429."""

    def __init__(
        self, seconds: Seconds, *, limits: Limits = ONE_SLOT, queues: bool = True, seed: int = 1
    ) -> None:
        rng = random.Random(seed)
        self.kernel = Kernel(random.Random(seed + 1))
        self.story = CountingStory(lambda: self.kernel.now)
        chaos = Chaos(random.Random(seed + 2), lambda: self.kernel.now)
        chaos.calm = True
        self.network = _Calm(self.kernel, chaos, self.story, rng)
        self.bucket = SimBucket(self.network, 0.2)
        named = {MODEL: limits}
        self.studio = PacedStudio(self.kernel, random.Random(seed + 3), named)
        self.studio.seconds, self.studio.queues = seconds, queues
        self.studio.flaws, self.studio.tells_times = 0.0, False
        self.catalogue = catalogue(named)
        self.cloud = Cloud(self.network, self.bucket, random.Random(seed + 4), self._service)
        self.cloud.one_poller = True
        self.rng = random.Random(seed + 5)
        self.stored: dict[str, float] = {}
        self.done: dict[str, float] = {}
        self.bucket.watchers.append(self._written)

    def put_jobs(self, number: int, *, n: int = 1, first: int = 0, at: float = 0.0) -> None:
        """Upload that many job files, one job each, `at` seconds from now."""
        for index in range(first, first + number):
            name = f"job-{index:05d}"
            key, body = f"jobs/{name}.json", job_file(name, n)
            self.kernel.after(at, lambda key=key, body=body: self.bucket.write(key, body))  # type: ignore[misc]

    def run(self, until: Callable[[], bool]) -> None:
        """Let time pass until something holds. Raises RuntimeError if an invariant breaks."""
        self.kernel.after(random.Random(5).random() * TICK, self._tick)
        end = self.kernel.now + LONGEST
        while not until() and not self.network.broken and self.kernel.now < end:
            self.kernel.step()
        if self.network.broken or not until():
            raise RuntimeError(self.network.broken or "it never came to its end")

    def run_out(self) -> None:
        """Until nothing is in the bucket's queue or slots and no function runs."""
        self.run(lambda: self._idle())

    def close(self) -> None:
        self.kernel.close()

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
        return App(SETTINGS, store, session, clock, rng, self.catalogue, errors_once())

    def _tick(self) -> None:
        self.cloud.tick()
        self.kernel.after(TICK, self._tick)

    def _written(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if after is None or not key.startswith(layout.RESULTS):
            return
        job = key.split("/")[1]
        (self.done if key.endswith("result.json") else self.stored)[job] = self.kernel.now


class _Calm(Network):
    """Without the bound on calls that keeps a simulated run from looping for ever."""

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


@contextmanager
def quick() -> Iterator[None]:
    """Each document is checked once for all worlds: checking takes no simulated time."""
    with checking_once():
        yield


def kinds(found: list[Counted]) -> Counter[str]:
    """Requests to OSS by function, verb and kind of object."""
    return Counter(
        f"{one.function} {one.verb} {kind_of(one.target)}" for one in found if one.verb in OSS_VERBS
    )


def kind_of(key: str) -> str:
    """What an object is, from its key."""
    parts = key.split("/")
    if parts[0] == "results":
        return "result.json" if key.endswith("result.json") else "image"
    return "/".join(parts[:2]) if parts[0] == "state" else parts[0]
