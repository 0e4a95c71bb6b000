"""What a job costs in requests to OSS, one by one."""

from __future__ import annotations

import random

from tests.bench.results import COUNTED, Line, Measure
from tests.bench.world import MODEL, CalmWorld, kinds, quick

TASK_SECONDS = 27.0
JOBS = 50
LEARNING = 8
GOAL = 14.0
BARE = {
    "the job file": 1,
    "an image, each": 1,
    "result.json": 1,
}
"""What cannot be left out even where nothing may be lost, no limit kept and nobody told."""

TEXT = """Tasks of {seconds:g} s ± 20 %; the input images lie elsewhere (each image in the bucket
adds one read of its first 64 KiB). *Busy*: {jobs} jobs follow each other through one slot, and what
the poller does for all of them is shared out. *Lone*: one job on a system that was at rest. Answers
404 and 409 are counted although OSS does not bill them. A busy job with one image, request by
request:
{listed}"""
BOUND = (
    "A job that loses nothing when an instance dies needs eight objects that are created (its first"
    " record, its places in the list of jobs and in the queue, slot, ticket, the intent before the"
    " POST, the task's id after it, its end), image and result.json, two deletes (marker and slot)"
    " and three lists (who is next, twice; how many slots are taken): 15 before anything is read."
    " What is above that is read once a job, or shared: the heartbeat, and looks at slots and"
    " queues, which let a job that comes meanwhile start within two seconds."
)


def measures(brief: bool = False) -> list[Measure]:
    """Busy and lone, one image and four."""
    jobs = 10 if brief else JOBS
    with quick():
        busy = {n: _busy(jobs, n) for n in (1, 4)}
        lone = {n: _lone(n) for n in (1, 4)}
    lines = [
        line
        for what, found in (("busy", busy), ("lone", lone))
        for n, counts in found.items()
        for line in _lines(f"{what}, n={n}", counts)
    ]
    least = sum(BARE.values())
    lines.append(Line("bare minimum, n=1", float(least), "a job", note=", ".join(BARE)))
    lines.append(Line("bare minimum, n=4", float(least + 3), "a job"))
    total = sum(busy[1].values())
    text = TEXT.format(seconds=TASK_SECONDS, jobs=jobs, listed=_listed(busy[1]))
    return [
        Measure(
            id="requests",
            title="Requests to OSS, a job",
            clock=COUNTED,
            goal=f"≤ {GOAL:g} for one image",
            reached=total <= GOAL,
            lines=tuple(lines),
            text=text,
            bound="" if total <= GOAL else BOUND,
        )
    ]


def _lines(name: str, counts: dict[str, float]) -> list[Line]:
    verbs: dict[str, float] = {}
    for kind, count in counts.items():
        verb = kind.split(" ")[1]
        verbs[verb] = verbs.get(verb, 0.0) + count
    split = ", ".join(f"{verb} {count:.1f}" for verb, count in by_size(verbs))
    total = sum(counts.values())
    return [Line(name, round(total, 1), "a job", ours=True, note=split)]


def _listed(counts: dict[str, float]) -> str:
    rows = [f"{count:.2f} {kind}" for kind, count in by_size(counts) if count >= 0.05]
    mark = "<!-- not run: measured counts -->"
    return f"\n\n{mark}\n\n" + "\n".join(f"    {row}" for row in rows)


def _busy(jobs: int, n: int) -> dict[str, float]:
    """Requests a job, of jobs that follow each other."""
    world = _world()
    world.put_jobs(jobs, n=n)
    world.run(lambda: len(world.done) == jobs + LEARNING)
    return _shared_out(world, jobs)


def _lone(n: int) -> dict[str, float]:
    world = _world()
    world.put_jobs(1, n=n)
    world.run(lambda: len(world.done) == 1 + LEARNING)
    world.run_out()
    return _shared_out(world, 1)


def _world() -> CalmWorld:
    def seconds(rng: random.Random) -> float:
        return TASK_SECONDS * (0.8 + 0.4 * rng.random())

    world = CalmWorld(seconds)
    world.put_jobs(LEARNING, first=90_000)
    world.run_out()
    world.story.requests.clear()
    return world


def _shared_out(world: CalmWorld, jobs: int) -> dict[str, float]:
    found = kinds(world.story.requests)
    world.close()
    return {kind.replace(MODEL, "MODEL"): count / jobs for kind, count in found.items()}


def by_size(counts: dict[str, float]) -> list[tuple[str, float]]:
    """The largest first."""
    return sorted(counts.items(), key=lambda pair: -pair[1])
