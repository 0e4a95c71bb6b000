"""From the end of a task at the service to its image in the bucket, and the questions it took."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.peers import every, loop
from tests.bench.results import COUNTED, SIMULATED, Curve, Line, Measure, Plot, Sample, sample
from tests.bench.world import CalmWorld, quick

TASK_SECONDS = (5.0, 10.0, 27.0, 40.0, 75.0)
SHOWN = 27.0
SPREAD = 0.2
JOBS = 60
LEARNING = 8
GOAL = 1.0
MOST_QUESTIONS = 3.0

TEXT = """{jobs} jobs through one slot, tasks of {shown:g} s ± 20 % (evenly spread), after
{learning} others from which the system learned how long they take. A job's delay is the time from
the end of its task to the moment its image lies in the bucket; queries are calls of
`GET /tasks/ID`."""
BOUND = (
    "A short delay is bought with questions: tasks of 27 s ± 20 % end anywhere within 10.8 s, so"
    " whoever asks every 0.75 s from the earliest end on asks about 7 times, and three questions"
    " mean pauses of 3.6 s. Both goals at once are out of reach of asking. A question costs nothing"
    " at the service and a person waits for the picture: the delay was chosen."
)


@dataclass(frozen=True)
class Seen:
    """Delays in seconds, and queries a job."""

    delays: Sample
    queries: float


def measures(brief: bool = False) -> list[Measure]:
    """Ours and the others', at 27 s; ours over task times as a plot."""
    jobs = 10 if brief else JOBS
    with quick():
        seen = {name: _run(SHOWN, start, jobs) for name, start in WAYS.items()}
        ours = {seconds: _run(seconds, _ours, jobs) for seconds in TASK_SECONDS}
    text = TEXT.format(jobs=jobs, shown=SHOWN, learning=LEARNING)
    return [_delays(seen, ours, text), _queries(seen, text)]


def _delays(seen: dict[str, Seen], ours: dict[float, Seen], text: str) -> Measure:
    curves = tuple(
        Curve(
            f"p{share * 100:g}",
            TASK_SECONDS,
            tuple(one.delays.quantile(share) for one in ours.values()),
        )
        for share in (0.5, 0.95)
    )
    lines = [one.delays.line(name, "s", ours=name == OURS) for name, one in seen.items()]
    return Measure(
        id="latency",
        title="From a finished task to its image in the bucket",
        clock=SIMULATED,
        goal=f"p95 ≤ {GOAL:g} s",
        reached=seen[OURS].delays.quantile(0.95) <= GOAL,
        lines=tuple(lines),
        text=text,
        plot=Plot("seconds a task takes", "seconds until the image is stored", curves, log_x=True),
    )


def _queries(seen: dict[str, Seen], text: str) -> Measure:
    reached = seen[OURS].queries <= MOST_QUESTIONS
    lines = [
        Line(name, round(one.queries, 2), "queries a job", ours=name == OURS)
        for name, one in seen.items()
    ]
    return Measure(
        id="queries",
        title="Queries a job",
        clock=COUNTED,
        goal=f"≤ {MOST_QUESTIONS:g} at that p95",
        reached=reached,
        lines=tuple(lines),
        text=text,
        bound="" if reached else BOUND,
    )


Start = Callable[[CalmWorld, int], None]


def _run(seconds: float, start: Start, jobs: int) -> Seen:
    def drawn(rng: random.Random) -> float:
        return seconds * (1 - SPREAD + 2 * SPREAD * rng.random())

    world = CalmWorld(drawn)
    world.put_jobs(LEARNING, first=jobs)
    world.run_out()
    world.stored.clear()
    world.story.requests.clear()
    start(world, jobs)
    world.run(lambda: len(world.stored) == jobs)
    asked = sum(one.verb == "GET" and "tasks/" in one.target for one in world.story.requests)
    delays = sample(world.delays())
    world.close()
    return Seen(delays, asked / jobs)


def _ours(world: CalmWorld, jobs: int) -> None:
    world.put_jobs(jobs)


OURS = "wanx functions"
WAYS: dict[str, Start] = {
    OURS: _ours,
    "dashscope SDK wait, download, put": lambda world, jobs: loop(world, _names(jobs), 1),
    "a poll every 10 s": lambda world, jobs: loop(world, _names(jobs), 1, every(10.0)),
    "a poll a minute (timer only)": lambda world, jobs: loop(world, _names(jobs), 1, every(60.0)),
}


def _names(jobs: int) -> list[str]:
    return [f"job-{number:05d}" for number in range(jobs)]
