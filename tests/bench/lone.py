"""A lone job, and a busy system, through real processes: how long until the image is stored."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from shared.app import for_invocation
from tests.bench.coldstart import SDK_PYTHON
from tests.bench.laptop import Laptop, arrived, laptop
from tests.bench.populate import example
from tests.bench.results import OURS, ROOT, Line, Measure, line, quantile
from tests.bench.world import SPREAD

LONE = "inpainting"
BUSY = ("inpainting", "sketch", "edit")
LONE_SECONDS, BUSY_SECONDS = 3.0, 5.0
ROUNDS, BUSY_JOBS = 4, 21
LEARNED = 8
TICK = 60.0
GOAL, BUSY_GOAL = 1.5, 1.0
SETTLE = 0.3
"""Seconds after the end of polling in which the function's last answer gets through."""

COLD, WARM, SDK = WAYS = ("cold", "warm", "dashscope SDK `call`, download, put")


@dataclass
class Seen:
    """What was seen of one way: seconds from task end to image, and from upload to task."""

    stored: list[float] = field(default_factory=list)
    submitted: list[float] = field(default_factory=list)

    def add(self, task: Mapping[str, Any], began: float, image: Path) -> None:
        """One job: its task, when its upload began, and its image's file."""
        self.stored.append(arrived(image) - float(task["ended"]))
        self.submitted.append(float(task["created"]) - began)


def measures(brief: bool = False) -> list[Measure]:
    """Lone jobs beside the SDK's, then many at once."""
    rounds, jobs, seconds = (1, 3, 1.0) if brief else (ROUNDS, BUSY_JOBS, LONE_SECONDS)
    with laptop(seconds) as running:
        learn(running, [LONE], seconds)
        seen = _rounds(running, rounds)
        running.settings(task_seconds=BUSY_SECONDS)
        learn(running, BUSY, BUSY_SECONDS)
        busy = busy_delays(running, jobs, BUSY)
    return compared(seen, busy)


def compared(seen: Mapping[str, Seen], busy: Sequence[float]) -> list[Measure]:
    """The measures of what was seen of each way, and of the delays of a busy system."""
    ours = {way: f"{OURS}, {way} instances" for way in (WARM, COLD)}
    stored = [line(name, seen[way].stored, "s", ours=True) for way, name in ours.items()]
    submitted = [line(name, seen[way].submitted, "s", ours=True) for way, name in ours.items()]
    worst = max(quantile(seen[way].stored, 0.95) for way in ours)
    quick = quantile(busy, 0.95) <= BUSY_GOAL
    return [
        Measure(
            "lone",
            f"p95 ≤ {GOAL:g} s",
            worst <= GOAL,
            [*stored, line(SDK, seen[SDK].stored, "s"), timer_only()],
            f"p95 {worst:.3g} s",
        ),
        Measure(
            "lone_submitted",
            "none",
            None,
            [*submitted, line("dashscope SDK", seen[SDK].submitted, "s")],
        ),
        Measure(
            "busy_processes",
            f"p95 ≤ {BUSY_GOAL:g} s",
            quick,
            [line(OURS, busy, "s", ours=True)],
            f"p95 {quantile(busy, 0.95):.3g} s",
        ),
    ]


def timer_only() -> Line:
    """What a tick a minute would mean: delays spread evenly over the minute."""
    low, high = 0.05 * TICK, 0.95 * TICK
    return Line("timer only, a poll a minute", TICK / 2, "s", low, high, note="calculated")


def named(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The same job under an id of its own, which is its prompt too."""
    return {**document, "input": {**document["input"], "prompt": name}, "job": {"id": name}}


def learn(running: Laptop, names: Iterable[str], seconds: float) -> None:
    """Let the system know how long tasks take, evenly spread, as if it had run some."""
    ledger = for_invocation(running.env).ledger
    for name in names:
        model = example(name)["model"]
        ledger.model_states.get(model).durations.clear()
        for number in range(LEARNED):
            share = (number + 0.5) / LEARNED
            ledger.durations.learn(model, seconds * (1 - SPREAD + 2 * SPREAD * share))


def _rounds(running: Laptop, rounds: int) -> dict[str, Seen]:
    document, seen = example(LONE), {way: Seen() for way in (SDK, COLD, WARM)}
    jobs: list[tuple[str, str, float, Path]] = []
    for number in range(rounds):
        # The runtime restarts, and with it all instances, while the SDK waits for its task.
        starting = threading.Thread(target=running.cloud.restart, args=("runtime",))
        starting.start()
        job = f"sdk-{number}"
        jobs.append((SDK, job, *sdk_job(running, named(document, job))))
        starting.join()
        for way in (COLD, WARM):
            job = f"{way}-{number}"
            began = running.drop(named(document, job))
            running.wait_for_result(job)
            running.wait_for_rest()
            time.sleep(SETTLE)
            jobs.append((way, job, began, running.image(job)))
    tasks = running.tasks()
    for way, job, began, image in jobs:
        seen[way].add(tasks[job], began, image)
    return seen


def busy_delays(running: Laptop, jobs: int, examples: Sequence[str]) -> list[float]:
    """Seconds from each task's end to its image, for as many jobs at once."""
    documents = [example(name) for name in examples]
    names = [f"busy-{number}" for number in range(jobs)]
    for number, name in enumerate(names):
        running.drop(named(documents[number % len(documents)], name))
    for name in names:
        running.wait_for_result(name)
    tasks = running.tasks()
    return [arrived(running.image(name)) - float(tasks[name]["ended"]) for name in names]


def sdk_job(running: Laptop, document: Mapping[str, Any]) -> tuple[float, Path]:
    """Run a job as a person would: the SDK's `call`, download, put.

    Returns when it began and the image's file in the bucket. Raises RuntimeError if the SDK is not
    installed, CalledProcessError if its program fails.
    """
    if not SDK_PYTHON.exists():
        raise RuntimeError(
            "the dashscope SDK is not installed; `make .venv-dashscope/.ready` does that"
        )
    key = f"by-sdk/{document['job']['id']}.png"
    question = {
        "call": call_of(document, partial(running.signed, "GET")),
        "put": running.signed("PUT", key),
    }
    done = subprocess.run(
        [str(SDK_PYTHON), "-m", "tests.bench.sdk_program"],
        cwd=ROOT,
        env=running.env,
        input=json.dumps(question),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout), running.path(key)


def call_of(document: Mapping[str, Any], url: Callable[[str], str]) -> dict[str, Any]:
    """The SDK's arguments for a job; `url` makes an address of an object's key."""
    images = {**document["input"]}
    prompt = images.pop("prompt")
    extra = {name: url(value.removeprefix("oss:///")) for name, value in images.items()}
    parameters = document["parameters"]
    own = {"model": document["model"], "prompt": prompt, "task": "image2image"}
    return {**own, "n": parameters["n"], "size": parameters["size"], "extra_input": extra}
