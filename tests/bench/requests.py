"""What a job costs in requests to OSS, one by one.

Busy: through one slot, and jobs keep coming (`CalmWorld.keep_coming`), or all come at once. Lone:
one job on a system at rest, until it is at rest again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import partial
from statistics import fmean

from tests.bench.results import Line, Measure
from tests.bench.seeds import seeded, with_seeds
from tests.bench.world import OSS_VERBS, CalmWorld, about, calm_world

TASK_SECONDS, LONG = 27.0, 75.0
JOBS, LONE_JOBS = 100, 3
MODELS = (3, 25)
"""Models in the catalogue: as many as the shipped one has, and many."""
GOAL = 20.0
LONE_GOALS = {TASK_SECONDS: 26.0, LONG: 28.0}
"""By the seconds of a task."""
BARE = {"the job file": 1, "an image, each": 1, "result.json": 1}
"""What remains where jobs may be lost, no limit is kept and nobody hears of anything."""

Counts = dict[str, float]


def measures(brief: bool = False) -> list[Measure]:
    """Jobs that follow each other and a job on a system at rest, with one image and four."""
    jobs, lone = (5, 1) if brief else (JOBS, LONE_JOBS)
    seen = with_seeds(
        {
            **{f"{many} models": partial(_busy, many, 1, jobs) for many in MODELS},
            **{f"{many} models, all at once": partial(_at_once, many, jobs) for many in MODELS},
            "3 models, four images": partial(_busy, 3, 4, jobs),
            **{f"{each:g} s": partial(_lone, each, 1, lone) for each in LONE_GOALS},
            "27 s, four images": partial(_lone, TASK_SECONDS, 4, lone),
        },
        brief,
    )
    busy = {name: counts for name, counts in seen.items() if "models" in name}
    alone = {name: counts for name, counts in seen.items() if name not in busy}
    return [_measure(busy), _lone_measure(alone), _by_kind(seen)]


def _measure(busy: Mapping[str, list[Counts]]) -> Measure:
    lines = [seeded(name, _sums(counts), "requests a job") for name, counts in busy.items()]
    least = float(sum(BARE.values()))
    lines += [
        Line("bare minimum, one image", least, "requests a job", note=", ".join(BARE)),
        Line("bare minimum, four images", least + 3, "requests a job"),
    ]
    found = {many: lines[index].value for index, many in enumerate(MODELS)}
    goal = f"≤ {GOAL:g} with {' and with '.join(map(str, MODELS))} models"
    result = ", ".join(f"{value:.3g}" for value in found.values())
    return Measure("requests", goal, max(found.values()) <= GOAL, lines, result)


def _lone_measure(alone: Mapping[str, list[Counts]]) -> Measure:
    lines = [seeded(name, _sums(counts), "requests a job") for name, counts in alone.items()]
    goals = [f"≤ {most:g} with {each:g} s" for each, most in LONE_GOALS.items()]
    pairs = list(zip(lines, LONE_GOALS.values(), strict=False))
    reached = all(one.value <= most for one, most in pairs)
    result = ", ".join(f"{one.value:.3g}" for one, _ in pairs)
    return Measure("requests-lone", ", ".join(goals), reached, lines, result)


def _by_kind(seen: Mapping[str, list[Counts]]) -> Measure:
    """Request by request, means over the seeds."""
    lines = list[Line]()
    for name, title in (("3 models", "busy"), (f"{TASK_SECONDS:g} s", "lone")):
        counts = seen[name]
        means = {kind: fmean(one.get(kind, 0.0) for one in counts) for kind in set().union(*counts)}
        verbs = defaultdict[str, float](float)
        for kind, count in means.items():
            verbs[kind.split(" ")[1]] += count
        split = [(f"{verb}, all", count) for verb, count in by_size(verbs)]
        lines += [
            Line(f"{kind}, {title}", round(count, 2), "a job", ours=True)
            for kind, count in [*split, *by_size(means)]
            if count >= 0.05
        ]
    return Measure("requests-by-kind", "none", None, lines, "see there")


def _sums(counts: list[Counts]) -> list[float]:
    return [sum(one.values()) for one in counts]


def _busy(models: int, n: int, jobs: int, seed: int) -> Counts:
    with calm_world(about(TASK_SECONDS), seed=seed, models=models) as world:
        world.run_busy(jobs, n=n)
        return _counted(world)


def _at_once(models: int, jobs: int, seed: int) -> Counts:
    with calm_world(about(TASK_SECONDS), seed=seed, models=models) as world:
        world.put_jobs(jobs)
        world.run(lambda: len(world.done) == jobs)
        return _counted(world)


def _lone(seconds: float, n: int, jobs: int, seed: int) -> Counts:
    """Some jobs, each on a system at rest and at another moment of the timer's minute."""
    found = defaultdict[str, float](float)
    with calm_world(about(seconds), seed=seed) as world:
        for number in range(jobs):
            begins = world.kernel.now + 60 * world.rng.random()
            world.run(lambda begins=begins: world.kernel.now >= begins)  # type: ignore[misc]
            world.from_zero()
            world.put_jobs(1, n=n, first=number)
            world.run_out()
            for kind, times in _counted(world).items():
                found[kind] += times
    return {kind: count / jobs for kind, count in found.items()}


def _counted(world: CalmWorld) -> Counts:
    """Requests a job by function, verb and kind of object."""
    found = Counter(
        f"{one.function} {one.verb} {kind_of(one.target)}"
        for one in world.story.requests
        if one.verb in OSS_VERBS
    )
    return {kind: count / len(world.done) for kind, count in found.items()}


def kind_of(key: str) -> str:
    """What an object is, from its key."""
    parts = key.split("/")
    if parts[0] == "results":
        return "result.json" if key.endswith("result.json") else "image"
    return "/".join(parts[:2]) if parts[0] == "state" else parts[0]


def by_size(counts: Mapping[str, float]) -> list[tuple[str, float]]:
    """The largest first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
