"""How long `wanx repair` takes with a million jobs, where each request to OSS takes 30 ms.

The command's own code runs with its threads, over oss2 and real connections, against a server that
answers after 30 ms. Everything it does is done once a job or once a thousand keys, so that the time
of a million jobs is that of the jobs measured times their share. Encryption (HTTPS) is not in it.

Two things bound it, and both are shown: round trips, and the processor, of which a Python process
uses one core. Client and server share the machine with whatever else runs there, which makes both
slower than 30 ms and a core of its own would; so the fastest of some turns counts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import requests

from shared.app import App, for_invocation
from shared.instance import Instance
from shared.jobs.rebuild import AT_ONCE
from shared.jobs.rebuilt import Rebuilt
from shared.platform.concurrency import in_threads
from shared.storage import layout
from tests.bench.laptop import server
from tests.bench.populate import BUCKET
from tests.bench.requests import by_size
from tests.bench.results import Line, Measure

JOBS = 1_000_000
MEASURED, TURNS = 1_000, 2
QUEUED = 0.05
"""The share of jobs that wait."""
REQUEST_SECONDS = 0.03
GOAL_MINUTES = 60
BEYOND = "the manifests are lost as well"
"""The goal is about the indexes; this is shown beside them."""
STATE = tuple((prefix, "") for prefix in (layout.JOBS, layout.QUEUE, layout.EXPIRY, layout.TASKS))
LOSSES: Mapping[str, Sequence[tuple[str, str]]] = {
    "nothing is missing": (),
    "the job index is lost": ((layout.JOBS, ""),),
    "all of state/ but the records is lost": STATE,
    BEYOND: (*STATE, (layout.RESULTS, "result.json")),
}
"""Prefixes and ends of the keys that are gone."""


@dataclass(frozen=True)
class Took:
    """A rebuild of `jobs` jobs: seconds, seconds of this process's CPU, requests by kind."""

    jobs: int
    seconds: float
    cpu: float
    requests: Mapping[str, int]

    def minutes(self, seconds: float) -> float:
        """Of a million jobs, if these took so many seconds."""
        return seconds / self.jobs * JOBS / 60

    @property
    def trips(self) -> float:
        """Seconds in which so many requests are answered if enough are always under way."""
        return sum(self.requests.values()) * REQUEST_SECONDS / AT_ONCE


def measures(brief: bool = False) -> list[Measure]:
    """One line for each loss with the time, one with the requests."""
    number, turns = (200, 1) if brief else (MEASURED, TURNS)
    queued = int(QUEUED * number)
    options = {
        "--seconds": str(REQUEST_SECONDS),
        "--finished": str(number - queued),
        "--queued": str(queued),
    }
    words = [word for pair in options.items() for word in pair]
    with server("tests.bench.distant", *words) as address:
        found = {
            name: [_took(address, number, lost) for _ in range(turns)]
            for name, lost in LOSSES.items()
        }
    return [compared(found)]


def _took(address: str, number: int, lost: Sequence[tuple[str, str]]) -> Took:
    """Raises RuntimeError if the rebuild did not find what was lost."""
    for prefix, end in lost:
        query = {"prefix": prefix, "end": end}
        requests.delete(f"{address}/_objects", params=query, timeout=60).raise_for_status()
    app = _app(address)
    requests.get(f"{address}/_counts", timeout=60)
    began, cpu = time.perf_counter(), time.process_time()
    done = app.rebuild.run(from_start=True)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    if done.jobs != number or done.damaged or bool(lost) != (done != Rebuilt(jobs=number)):
        raise RuntimeError(f"after the loss of {lost} a rebuild of {number} jobs said {done}")
    counts = requests.get(f"{address}/_counts", timeout=60).json()
    return Took(number, took, cpu, counts)


def _app(address: str) -> App:
    """The system as the command line opens it, with connections of its own."""
    env = {
        "OSS_ENDPOINT": address,
        "OSS_BUCKET": BUCKET,
        "OSS_ACCESS_KEY_ID": "bench",
        "OSS_ACCESS_KEY_SECRET": "bench",
        "DASHSCOPE_API_KEY": "sk-bench",
    }
    return for_invocation(env, instance=Instance(in_threads))


def compared(found: Mapping[str, Sequence[Took]]) -> Measure:
    """The measure of rebuilds by what was lost."""
    fastest = {name: min(turns, key=lambda one: one.seconds) for name, turns in found.items()}
    lines = [_time(name, took, len(found[name])) for name, took in fastest.items()]
    for name, took in fastest.items():
        a_job = round(sum(took.requests.values()) / took.jobs, 2)
        lines.append(
            Line(
                f"{name}: requests",
                a_job,
                "a job",
                ours=True,
                note=_kinds(took.requests, took.jobs),
            )
        )
    judged = [took for name, took in fastest.items() if name != BEYOND]
    reached = all(took.minutes(took.seconds) < GOAL_MINUTES for took in judged)
    goal = (
        f"< {GOAL_MINUTES} min for {JOBS:,} jobs whose indexes are lost,"
        f" {1000 * REQUEST_SECONDS:.0f} ms a request"
    )
    slowest = max(took.minutes(took.seconds) for took in judged)
    return Measure("rebuild", goal, reached, lines, f"{slowest:.3g} min at worst")


def _time(name: str, took: Took, turns: int) -> Line:
    trips, cpu = took.minutes(took.trips), took.minutes(took.cpu)
    note = f"round trips {trips:.1f} min, {AT_ONCE} at once; processor {cpu:.1f} min"
    value = round(took.minutes(took.seconds), 1)
    return Line(f"{name}: time", value, "min", n=turns, ours=True, note=note)


def _kinds(counts: Mapping[str, int], jobs: int) -> str:
    verbs = Counter[str]()
    for kind, number in counts.items():
        verbs[kind.split(" ")[0]] += number
    return ", ".join(f"{verb} {number / jobs:.2f}" for verb, number in by_size(verbs))
