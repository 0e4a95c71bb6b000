"""Whether the account's limits hold: many instances submit, pollers hand over, die and freeze.

Everything is counted at the service, where create calls arrive and tasks run.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from shared.catalogue.models import Limits
from shared.storage import layout
from tests.bench.kills import Kills
from tests.bench.results import Line, Measure
from tests.bench.seeds import SEEDS, with_seeds
from tests.bench.windows import in_window, most_at_once, over
from tests.bench.world import CalmWorld, calm_world

JOBS = 3_200
"""Of all seeds together, in each way."""
SECONDS = 180.0
"""In which all job files are uploaded."""
FEW = Limits(submissions=2, per_seconds=1, concurrent=5, queue_ahead=1)
MANY = Limits(submissions=2, per_seconds=1, concurrent=20, queue_ahead=1)
MINUTE = Limits(submissions=120, per_seconds=60, concurrent=150, queue_ahead=1)
"""Tasks take about five seconds: with the first the slots bind, with the others the rate."""
INSTANCE = re.compile(r"[a-z]+-\d+\.\d+")


@dataclass(frozen=True)
class Way:
    """`killed`: whether pollers are; `alone`: whether the platform starts one poller at a time."""

    name: str
    limits: Limits
    killed: bool = False
    alone: bool = True


WAYS = (
    Way("slots bind", FEW),
    Way("rate binds", MANY),
    Way("rate binds with kills", MANY, killed=True, alone=False),
    Way("120 a minute with kills", MINUTE, killed=True, alone=False),
)


@dataclass(frozen=True)
class Seen:
    """Of one seed. `over`: create calls beyond the rate; `bunch`: the most in any window; `flying`:
    the most tasks at once; `twice`: tasks made for jobs that had one; `submits`: most instances of
    `submit` at once; `pollers`: those that sent create calls; `faults`: kills and freezes;
    `unclear`: jobs that a person has to look at, because a poller died while it sent them."""

    calls: int
    over: int
    bunch: int
    flying: int
    twice: int
    submits: int
    pollers: int
    faults: int
    unclear: int


def measures(brief: bool = False) -> list[Measure]:
    """The most that arrived in any window, and the most that were in flight."""
    jobs = 60 if brief else JOBS // len(SEEDS)
    seen = with_seeds({way: partial(_run, way, jobs) for way in WAYS}, brief)
    lines, beyond, calls = list[Line](), 0, 0
    for way, many in seen.items():
        lines += _lines(way, many)
        allowed = way.limits.lanes + way.limits.queue_ahead
        beyond += sum(one.over + max(0, one.flying - allowed) + one.twice for one in many)
        calls += sum(one.calls for one in many)
    result = f"{beyond} over in {calls:,} create calls"
    return [Measure("limits", "0 over", beyond == 0, lines, result)]


def _lines(way: Way, seen: Sequence[Seen]) -> list[Line]:
    calls = sum(one.calls for one in seen)
    limits = way.limits
    allowed = limits.lanes + limits.queue_ahead
    changes = sum(one.pollers - 1 for one in seen)
    figures = [
        ("create calls over the rate", sum(one.over for one in seen), f"of {calls}"),
        (
            "most submissions in a window",
            max(one.bunch for one in seen),
            f"of {limits.submissions}",
        ),
        ("most tasks in flight", max(one.flying for one in seen), f"of {allowed}"),
        ("tasks made twice", sum(one.twice for one in seen), "tasks"),
        ("pollers that followed another one", changes, "pollers"),
        ("instances of `submit` at once", max(one.submits for one in seen), "instances"),
    ]
    if way.killed:
        figures += [
            ("kills and freezes", sum(one.faults for one in seen), "pollers"),
            ("jobs left to a person", sum(one.unclear for one in seen), "jobs"),
        ]
    return [Line(f"{name}, {way.name}", value, unit, ours=True) for name, value, unit in figures]


def _run(way: Way, jobs: int, seed: int) -> Seen:
    rng, submits = random.Random(seed), list[int]()
    with calm_world(_seconds, way.limits, learn=False, seed=seed) as world:
        world.cloud.reserved = way.alone
        chaos = Kills(world.kernel, rng)
        if way.killed:
            world.network.chaos = world.cloud.chaos = chaos
        for number in range(jobs):
            world.put_jobs(1, first=number, at=SECONDS * rng.random())
        world.bucket.watchers.append(lambda *_: submits.append(world.cloud.running["submit"]))
        world.run(lambda: len(world.done) == jobs)
        return _seen(world, way.limits, max(submits), chaos)


def _seen(world: CalmWorld, limits: Limits, submits: int, chaos: Kills) -> Seen:
    calls, tasks = sorted(one.at for one in world.studio.log), world.tasks
    callers = {found[0] for one in world.studio.log if (found := INSTANCE.match(one.caller))}
    return Seen(
        calls=len(calls),
        over=over(calls, limits.submissions, limits.per_seconds),
        bunch=max(in_window(calls, at, limits.per_seconds) for at in calls),
        flying=most_at_once([(task.created, task.end) for task in tasks]),
        twice=len(tasks) - len({task.prompt for task in tasks}),
        submits=submits,
        pollers=max(1, sum(name.startswith("poll") for name in callers)),
        faults=sum(chaos.counts.values()),
        unclear=sum(
            b"NEEDS_ATTENTION" in world.bucket.objects[layout.result(job)].body
            for job in world.done
        ),
    )


def _seconds(rng: random.Random) -> float:
    return 4.0 + 2.0 * rng.random()
