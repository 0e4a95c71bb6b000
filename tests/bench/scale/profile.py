"""What one deployment does for a job: real handlers, simulated time, every request counted.

The simulation of a day is built from these figures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from unittest.mock import patch

from shared.catalogue.models import Limits
from tests.bench.results import quantile
from tests.bench.world import (
    ONE_SLOT,
    OSS_VERBS,
    CalmWorld,
    CountingStory,
    about,
    calm_world,
    job_file,
)
from tests.simulation.cloud import TICK
from tests.simulation.play import checking_once


class Watching(CountingStory):
    """Notes how long invocations take, and how many keys each list names, by function."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.listed: Counter[str] = Counter()
        self._open: dict[str, float] = {}

    def tell(self, who: str, what: str, fault: str = "") -> None:
        super().tell(who, what, fault)
        if what.startswith("starts"):
            self._open[who] = self.now()
        elif what.startswith("ends") and who in self._open:
            took = self.now() - self._open.pop(who)
            self.seconds[who.partition("-")[0]].append(took)

    def forget(self) -> None:
        """Count from zero; of what runs now only the rest counts."""
        self.requests.clear()
        self.seconds.clear()
        self.listed.clear()
        self._open = dict.fromkeys(self._open, self.now())

    def finish(self) -> None:
        """Count what still runs as if it ended now."""
        for who in list(self._open):
            self.tell(who, "ends")


@dataclass(frozen=True)
class Account:
    """What a model allows one account, and how long its tasks take (seconds, evenly ± 20 %).

    As in the catalogue, a model that takes several tasks at once says in its answers when a task
    began and ended (wan2.5 API reference), and a model that takes one does not.
    """

    limits: Limits
    seconds: float


@dataclass(frozen=True)
class Profile:
    """What `jobs` jobs took. Seconds are simulated.

    `writes`, `reads` are billed requests to OSS (PUT class with lists, and GET class; OSS request
    fee page), a job; `deletes` are not billed. `submit_operations` (a job) and `poll_operations`
    (in all) count a list as many times as it names keys, as OSS's rate limit does (page on random
    prefixes). `rate`: jobs a second between the first and the last fifth; `queries`: task queries a
    job; `delay`: from a task's end to its image in the bucket.
    """

    jobs: int
    elapsed: float
    rate: float
    task_seconds: float
    submit_seconds: float
    submit_operations: float
    poll_seconds: float
    poll_runs: int
    poll_operations: float
    writes: float
    reads: float
    deletes: float
    delay_p95: float
    queries: float


def busy(account: Account, jobs: int, pace: float | None = None) -> Profile:
    """Jobs that all come at once, or one every `pace` seconds."""
    with _watched(account) as (world, story):
        for index in range(jobs):
            world.put_jobs(1, first=index, at=0.0 if pace is None else index * pace)
        began = world.kernel.now
        world.run(lambda: len(world.done) == jobs)
        return _profile(world, story, jobs, world.kernel.now - began)


def one_file(jobs: int) -> float:
    """Seconds that `submit` takes for a file of so many jobs, while all slots are taken."""
    with _watched(Account(ONE_SLOT, 300.0)) as (world, story):
        world.put_jobs(3)
        world.run(lambda: len(story.seconds["submit"]) == 3)
        story.forget()
        lines = [job_file(f"many-{number:05d}").decode() for number in range(jobs)]
        world.bucket.write("jobs/many.jsonl", "\n".join(lines).encode())
        world.run(lambda: bool(story.seconds["submit"]))
        return story.seconds["submit"][0]


def idle(minutes: int, tick: float = TICK) -> Profile:
    """A deployment to which nothing comes, and whose timer fires every `tick` seconds."""
    with _watched(Account(ONE_SLOT, 27.0)) as (world, story):
        world.tick, world.calls_itself = tick, tick > TICK
        until = world.kernel.now + 60.0 * minutes
        world.run(lambda: world.kernel.now >= until)
        return _profile(world, story, 0, 60.0 * minutes)


@contextmanager
def _watched(account: Account) -> Iterator[tuple[CalmWorld, Watching]]:
    with (
        checking_once(),
        calm_world(about(account.seconds), account.limits, learn=False) as world,
    ):
        world.studio.tells_times = account.limits.lanes > 1
        story = Watching(lambda: world.kernel.now)
        world.story = world.network.story = story
        keys = world.bucket.keys

        def counted(prefix: str, after: str = "", most: int = 1_000_000) -> list[str]:
            found = keys(prefix, after, most)
            function = world.kernel.here().name.partition("-")[0]
            story.listed[function] += max(0, min(len(found), most - 1) - 1)
            return found

        world.learn()
        story.forget()
        with patch.object(world.bucket, "keys", counted):
            yield world, story


def _profile(world: CalmWorld, story: Watching, jobs: int, elapsed: float) -> Profile:
    story.finish()
    to_oss = [one for one in story.requests if one.verb in OSS_VERBS]
    functions = Counter(one.function for one in to_oss) + story.listed
    verbs = Counter(one.verb for one in to_oss)
    delays, share = world.delays() or [0.0], max(1, jobs)
    return Profile(
        jobs=jobs,
        elapsed=elapsed,
        rate=_steady(sorted(world.done.values())),
        task_seconds=sum(task.end - task.start for task in world.tasks) / share,
        submit_seconds=median(story.seconds["submit"] or [0.0]),
        submit_operations=functions["submit"] / share,
        poll_seconds=sum(story.seconds["poll"]),
        poll_runs=len(story.seconds["poll"]),
        poll_operations=functions["poll"],
        writes=(verbs["create"] + verbs["put"] + verbs["list"]) / share,
        reads=verbs["read"] / share,
        deletes=verbs["delete"] / share,
        delay_p95=quantile(delays, 0.95),
        queries=world.queries / share,
    )


def _steady(ends: list[float]) -> float:
    """Jobs a second, without the first and the last fifth."""
    first, last = len(ends) // 5, len(ends) - 1 - len(ends) // 5
    return (last - first) / (ends[last] - ends[first]) if last > first else 0.0
