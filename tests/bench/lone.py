"""A lone job, and a busy system, through real processes: how long until the image is stored."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.bench.laptop import Laptop, arrived, example, laptop, named
from tests.bench.results import REAL, Line, Measure, Sample, sample

ROOT = Path(__file__).resolve().parents[2]
SDK_PYTHON = ROOT / ".venv-dashscope/bin/python"
LONE = "inpainting"
BUSY = ("inpainting", "sketch", "edit")
LONE_SECONDS, BUSY_SECONDS = 3.0, 5.0
SPREAD = 0.2
ROUNDS, BUSY_JOBS = 20, 21
LEARNED = 8
TICK = 60.0
GOAL, BUSY_GOAL = 1.5, 1.0
SETTLE = 0.3
"""Seconds after the end of polling in which the function's last answer gets through."""

COLD, WARM, SDK = "cold instances", "warm instances", "dashscope SDK `call`, download, put"
TEXT = """{rounds} rounds on one laptop cloud, each with a job of the SDK, a job for which every
function has to be started (*cold*), and one right after (*warm*); nobody polls before a job, and
the timer is off: `submit` wakes `poll`. Tasks of {seconds:g} s ± 20 %; that they take as long was
known from {learned} others. The SDK asks 0, 1, 2, 4, 6 and 10 s after the task was made, and is a
program that has been started already. *Timer only* is calculated: a tick a minute finds a task that
ends at any moment 30 s late on average."""
SUBMIT_TEXT = """The same jobs: from the start of the upload of the job file until the service made
its task. *Cold*: the start of Python and of `submit` is in it. The SDK: from `call` until the task
was made; no file is uploaded."""
BUSY_TEXT = """{jobs} jobs in as many files at once, through the one slot each of {models} models;
tasks of {seconds:g} s ± 20 %, as was known from {learned} others. Beside it the simulated figure:
[From a finished task to its image in the bucket](#from-a-finished-task-to-its-image-in-the-bucket),
where the clock is simulated and one model is used."""
BUSY_BOUND = (
    "The latest are the first tasks, which `submit` sends while `poll` is at work already: `poll`"
    " sees them at its next look at the slots, at most 5 s later, and these tasks take 4 to 6 s."
)


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
    with laptop(seconds) as running, sdk(running) as program:
        learn(running, [LONE], seconds)
        seen = _rounds(running, program, rounds)
        running.settings(task_seconds=BUSY_SECONDS)
        learn(running, BUSY, BUSY_SECONDS)
        busy = _busy(running, jobs)
    return [_lone(seen, rounds, seconds), _submitted(seen), _many(busy, jobs)]


def learn(running: Laptop, names: Iterable[str], seconds: float) -> None:
    """Let the system know how long tasks take, evenly spread, as if it had run some."""
    ledger = running.app().ledger
    for name in names:
        state = ledger.model_states.get(example(name)["model"])
        state.durations.clear()
        for number in range(LEARNED):
            share = (number + 0.5) / LEARNED
            ledger.durations.learn(
                example(name)["model"], seconds * (1 - SPREAD + 2 * SPREAD * share)
            )


def _rounds(running: Laptop, program: Sdk, rounds: int) -> dict[str, Seen]:
    document, began, images = example(LONE), {}, {}
    ways = {SDK: "sdk", COLD: "cold", WARM: "warm"}
    for number in range(rounds):
        # The runtime, and with it all instances, is started anew while the SDK waits for its task.
        starting = threading.Thread(target=running.cloud.restart, args=("runtime",))
        starting.start()
        job = f"{ways[SDK]}-{number}"
        began[job], images[job] = program.job(running, named(document, job))
        starting.join()
        for way in (COLD, WARM):
            job = f"{ways[way]}-{number}"
            began[job] = running.drop(named(document, job))
            running.wait_for_result(job)
            running.wait_for_rest()
            time.sleep(SETTLE)
            images[job] = running.image(job)
    tasks, seen = running.tasks(), {way: Seen() for way in ways}
    for way, stem in ways.items():
        for job in (f"{stem}-{number}" for number in range(rounds)):
            seen[way].add(tasks[job], began[job], images[job])
    return seen


def _busy(running: Laptop, jobs: int) -> Sample:
    """Seconds from each task's end to its image, for as many jobs at once."""
    documents = [example(name) for name in BUSY]
    names = [f"busy-{number}" for number in range(jobs)]
    for number, name in enumerate(names):
        running.drop(named(documents[number % len(documents)], name))
    for name in names:
        running.wait_for_result(name)
    tasks = running.tasks()
    return sample([arrived(running.image(name)) - float(tasks[name]["ended"]) for name in names])


def _lone(seen: Mapping[str, Seen], rounds: int, seconds: float) -> Measure:
    stored = {way: sample(one.stored) for way, one in seen.items()}
    lines = [stored[way].line(f"wanx functions, {way}", "s", ours=True) for way in (WARM, COLD)]
    worst = max(stored[way].quantile(0.95) for way in (WARM, COLD))
    return Measure(
        id="lone",
        title="A lone job: from its finished task to its image in the bucket",
        clock=REAL,
        goal=f"p95 ≤ {GOAL:g} s",
        reached=worst <= GOAL,
        lines=(*lines, stored[SDK].line(SDK, "s"), timer_only()),
        text=TEXT.format(rounds=rounds, seconds=seconds, learned=LEARNED),
    )


def _submitted(seen: Mapping[str, Seen]) -> Measure:
    lines = [
        sample(one.submitted).line(name if way == SDK else f"wanx functions, {way}", "s", ours=ours)
        for way, name, ours in ((WARM, "", True), (COLD, "", True), (SDK, "dashscope SDK", False))
        for one in (seen[way],)
    ]
    return Measure(
        id="lone_submitted",
        title="A lone job: from its upload to its task",
        clock=REAL,
        goal="none",
        reached=None,
        lines=tuple(lines),
        text=SUBMIT_TEXT,
    )


def _many(delays: Sample, jobs: int) -> Measure:
    reached = delays.quantile(0.95) <= BUSY_GOAL
    return Measure(
        id="busy_processes",
        title="Busy, through real processes: from a finished task to its image",
        clock=REAL,
        goal=f"p95 ≤ {BUSY_GOAL:g} s",
        reached=reached,
        lines=(delays.line("wanx functions", "s", ours=True),),
        text=BUSY_TEXT.format(jobs=jobs, models=len(BUSY), seconds=BUSY_SECONDS, learned=LEARNED),
        bound="" if reached else BUSY_BOUND,
    )


def timer_only() -> Line:
    """What a tick a minute would mean: delays spread evenly over the minute."""
    low, high = 0.05 * TICK, 0.95 * TICK
    return Line("timer only, a poll a minute", TICK / 2, "s", low, high, note="calculated")


@dataclass
class Sdk:
    """The SDK's program, running."""

    process: subprocess.Popen[str]
    folder: Path

    def job(self, running: Laptop, document: dict[str, Any]) -> tuple[float, Path]:
        """Run a job as a person would, and store its image with oss2.

        Returns when it began and the image's file in the bucket. Raises RuntimeError if the program
        ends instead.
        """
        name = document["job"]["id"]
        file, key = self.folder / name, f"by-sdk/{name}.png"
        call = call_of(document, lambda key: str(running.bucket.sign_url("GET", key, 3600)))
        answer = self.ask({"call": call, "file": str(file)})
        running.bucket.put_object(key, file.read_bytes())
        return float(answer["began"]), running.path(key)

    def ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """One line there, one line back."""
        stdin, stdout = _pipes(self.process)
        stdin.write(json.dumps(question) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError("the SDK's program ended; what it wrote stands above")
        answer: Mapping[str, Any] = json.loads(line)
        return answer


def call_of(document: Mapping[str, Any], url: Any) -> dict[str, Any]:
    """The SDK's arguments for a job; `url` makes an address of an object's key."""
    prompt, images = document["input"]["prompt"], dict(document["input"])
    del images["prompt"]
    extra = {name: url(value.removeprefix("oss:///")) for name, value in images.items()}
    parameters = document["parameters"]
    own = {"model": document["model"], "prompt": prompt, "task": "image2image"}
    return {**own, "n": parameters["n"], "size": parameters["size"], "extra_input": extra}


@contextmanager
def sdk(running: Laptop) -> Iterator[Sdk]:
    """The SDK's program in its own environment, pointed at the laptop's service.

    Raises RuntimeError if that environment has not been made.
    """
    if not SDK_PYTHON.exists():
        raise RuntimeError(
            "the dashscope SDK is not installed; make .venv-dashscope/.ready does that"
        )
    env = running.cloud.env
    names = ("DASHSCOPE_HTTP_BASE_URL", "DASHSCOPE_API_KEY")
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [str(SDK_PYTHON), "-m", "tests.bench.sdk_program"],
            cwd=ROOT,
            env={name: env[name] for name in names},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            if _pipes(process)[1].readline() != "ready\n":
                raise RuntimeError("the SDK's program did not start; what it wrote stands above")
            yield Sdk(process, Path(folder))
        finally:
            process.terminate()


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None and process.stdout is not None
    return process.stdin, process.stdout
