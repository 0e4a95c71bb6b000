"""What one deployment does for a job: the real handlers on the simulated clock, every request and
every invocation noted. The simulation of a day is built from these figures."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from unittest.mock import patch

from shared.catalogue.models import Limits
from tests.bench.results import sample
from tests.bench.world import OSS_VERBS, CalmWorld, CountingStory, job_file, quick

SPREAD = 0.2
LEARNING = 8
WRITES = frozenset({"create", "put", "list"})
"""Billed as PUT-class requests (OSS request fee page); deletes are free, reads GET-class."""
READS = frozenset({"read"})


@dataclass(frozen=True)
class Span:
    """One invocation, by the simulation's clock."""

    function: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


class Watching(CountingStory):
    """Notes when invocations begin and end, and how many keys each list names."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.spans: list[Span] = []
        self.open: dict[str, float] = {}
        self.listed: Counter[str] = Counter()

    def tell(self, who: str, what: str, fault: str = "") -> None:
        super().tell(who, what, fault)
        if what.startswith("starts"):
            self.open[who] = self.now()
        elif what.startswith("ends") and who in self.open:
            self.spans.append(Span(who.partition("-")[0], self.open.pop(who), self.now()))

    def forget(self) -> None:
        """Begin again; what runs now is counted from now on."""
        self.requests.clear()
        self.spans.clear()
        self.open = dict.fromkeys(self.open, self.now())
        self.listed.clear()

    def finish(self) -> None:
        """End what still runs."""
        for who in list(self.open):
            self.tell(who, "ends")


@dataclass(frozen=True)
class Account:
    """What a model allows one account, and how long its tasks take (seconds, evenly ± 20 %).

    The catalogue's model that takes several tasks at once tells in its answers when a task began
    and ended (wan2.5 API reference), and those that take one do not; so it is here.
    """

    limits: Limits
    seconds: float


@dataclass(frozen=True)
class Profile:
    """What `jobs` jobs took. Seconds are simulated.

    `writes`, `reads` are billed requests to OSS (PUT class with lists, and GET class), a job;
    `deletes` are not billed. `submit_operations` (a job) and `poll_operations` (in all) count a
    list as as many operations as it names keys, as OSS's rate limit does (page on random prefixes).
    `rate`: jobs a second between the first and the last fifth; `queries`: questions to the service
    a job; `delay`: from a task's end to its image in the bucket.
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
    delay_median: float
    delay_p95: float
    queries: float


def busy(account: Account, jobs: int, pace: float | None = None) -> Profile:
    """Jobs that all lie there at once, or come every `pace` seconds."""
    with _watched(account) as (world, story):
        for index in range(jobs):
            world.put_jobs(1, first=index, at=0.0 if pace is None else index * pace)
        began = world.kernel.now
        world.run(lambda: len(world.done) == jobs + LEARNING)
        return _profile(world, story, jobs, world.kernel.now - began)


def one_file(jobs: int) -> float:
    """Seconds that `submit` takes for a file of so many jobs, while all slots are taken."""
    with _watched(Account(Limits(2, 1, 1, 1), 300.0)) as (world, story):
        world.put_jobs(3)
        world.run(lambda: sum(span.function == "submit" for span in story.spans) == 3)
        story.forget()
        lines = [job_file(f"many-{number:05d}").decode() for number in range(jobs)]
        world.bucket.write("jobs/many.jsonl", "\n".join(lines).encode())
        world.run(lambda: any(span.function == "submit" for span in story.spans))
        return next(span.seconds for span in story.spans if span.function == "submit")


def idle(minutes: int) -> Profile:
    """A deployment to which nothing comes."""
    account = Account(Limits(submissions=2, per_seconds=1, concurrent=1, queue_ahead=1), 27.0)
    with _watched(account) as (world, story):
        until = world.kernel.now + 60.0 * minutes
        world.run(lambda: world.kernel.now >= until)
        return _profile(world, story, 0, 60.0 * minutes)


@contextmanager
def _watched(account: Account) -> Iterator[tuple[CalmWorld, Watching]]:
    with quick():
        world = CalmWorld(lambda rng: _drawn(account.seconds, rng), limits=account.limits)
        world.studio.tells_times = account.limits.concurrent > 1
        story = Watching(lambda: world.kernel.now)
        world.story = world.network.story = story
        keys = world.bucket.keys

        def counted(prefix: str, after: str = "", most: int = 1_000_000) -> list[str]:
            found = keys(prefix, after, most)
            function = world.kernel.here().name.partition("-")[0]
            story.listed[function] += max(0, min(len(found), most - 1) - 1)
            return found

        world.put_jobs(LEARNING, first=90_000)
        world.run_out()
        world.stored.clear()
        story.forget()
        with patch.object(world.bucket, "keys", counted):
            yield world, story
        world.close()


def _drawn(seconds: float, rng: random.Random) -> float:
    return seconds * (1 - SPREAD + 2 * SPREAD * rng.random())


def _profile(world: CalmWorld, story: Watching, jobs: int, elapsed: float) -> Profile:
    story.finish()
    calls = Counter((one.function, one.verb) for one in story.requests if one.verb in OSS_VERBS)
    submits = [span.seconds for span in story.spans if span.function == "submit"]
    polls = [span.seconds for span in story.spans if span.function == "poll"]
    tasks = [task.end - task.start for task in world.studio.tasks.values()][LEARNING:]
    delays = sample(world.delays() or [0.0])
    share = max(1, jobs)
    return Profile(
        jobs=jobs,
        elapsed=elapsed,
        rate=_steady([world.done[name] for name in list(world.done)[LEARNING:]]),
        task_seconds=sum(tasks) / share,
        submit_seconds=median(submits) if submits else 0.0,
        submit_operations=(_count(calls, "submit") + story.listed["submit"]) / share,
        poll_seconds=sum(polls),
        poll_runs=len(polls),
        poll_operations=_count(calls, "poll") + story.listed["poll"],
        writes=_sum(calls, WRITES) / share,
        reads=_sum(calls, READS) / share,
        deletes=_sum(calls, frozenset({"delete"})) / share,
        delay_median=delays.quantile(0.5),
        delay_p95=delays.quantile(0.95),
        queries=sum(one.verb == "GET" and "tasks/" in one.target for one in story.requests) / share,
    )


def _steady(done: list[float]) -> float:
    """Jobs a second, without the first and the last fifth."""
    ends = sorted(done)
    first, last = len(ends) // 5, len(ends) - 1 - len(ends) // 5
    return (last - first) / (ends[last] - ends[first]) if last > first else 0.0


def _count(calls: Counter[tuple[str, str]], function: str) -> float:
    return float(sum(count for (name, _), count in calls.items() if name == function))


def _sum(calls: Counter[tuple[str, str]], verbs: frozenset[str]) -> float:
    return float(sum(count for (_, verb), count in calls.items() if verb in verbs))
