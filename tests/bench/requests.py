"""What a job costs in requests to OSS, one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from tests.bench.results import Line, Measure
from tests.bench.world import OSS_VERBS, about, calm_world
from tests.simulation.play import checking_once

TASK_SECONDS = 27.0
JOBS = 50
GOAL = 14.0
BARE = {"the job file": 1, "an image, each": 1, "result.json": 1}
"""What remains where jobs may be lost, no limit is kept and nobody hears of anything."""


def measures(brief: bool = False) -> list[Measure]:
    """Jobs that follow each other and a job on a system at rest, with one image and four."""
    jobs = 5 if brief else JOBS
    with checking_once():
        busy = {n: _requests(jobs, n) for n in (1, 4)}
        lone = {n: _requests(1, n, run_out=True) for n in (1, 4)}
    lines = [_line(f"busy, n={n}", counts) for n, counts in busy.items()]
    lines += [_line(f"lone, n={n}", counts) for n, counts in lone.items()]
    least = float(sum(BARE.values()))
    lines += [
        Line("bare minimum, n=1", least, "a job", note=", ".join(BARE)),
        Line("bare minimum, n=4", least + 3, "a job"),
    ]
    lines += [
        Line(f"busy, n=1: {kind}", round(count, 2), "a job", ours=True)
        for kind, count in by_size(busy[1])
        if count >= 0.05
    ]
    reached = sum(busy[1].values()) <= GOAL
    return [Measure("requests", f"≤ {GOAL:g} for one image", reached, lines)]


def _line(name: str, counts: dict[str, float]) -> Line:
    verbs = defaultdict[str, float](float)
    for kind, count in counts.items():
        verbs[kind.split(" ")[1]] += count
    split = ", ".join(f"{verb} {count:.1f}" for verb, count in by_size(verbs))
    return Line(name, round(sum(counts.values()), 1), "a job", ours=True, note=split)


def _requests(jobs: int, n: int, run_out: bool = False) -> dict[str, float]:
    """Requests a job by function, verb and kind of object; `run_out`: until all is at rest."""
    with calm_world(about(TASK_SECONDS)) as world:
        world.put_jobs(jobs, n=n)
        world.run(lambda: len(world.done) == jobs)
        if run_out:
            world.run_out()
        found = Counter(
            f"{one.function} {one.verb} {kind_of(one.target)}"
            for one in world.story.requests
            if one.verb in OSS_VERBS
        )
    return {kind: count / jobs for kind, count in found.items()}


def kind_of(key: str) -> str:
    """What an object is, from its key."""
    parts = key.split("/")
    if parts[0] == "results":
        return "result.json" if key.endswith("result.json") else "image"
    return "/".join(parts[:2]) if parts[0] == "state" else parts[0]


def by_size(counts: Mapping[str, float]) -> list[tuple[str, float]]:
    """The largest first."""
    return sorted(counts.items(), key=lambda pair: -pair[1])
