"""What people use instead, in the same simulated cloud: the SDK's `call` in a loop, a fixed
interval, and one poll a minute.

The SDK's waiting schedule is the one of dashscope 2.0.2 (`wait`: asks at once, then after 1 s, and
doubles the pause at every third question up to 5 s), replayed over this project's client, because
the SDK itself sleeps in real time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import requests

from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import ModelStudio, TaskCreated
from tests.bench.world import MODEL, CalmWorld
from tests.simulation.kernel import InstanceClock
from tests.simulation.wire import SimSession

IMAGE, MANIFEST = {"Content-Type": "image/png"}, {"Content-Type": "application/json"}
PATH = "/services/aigc/image2image/image-synthesis"
Pauses = Callable[[], Iterator[float]]


def sdk_pauses() -> Iterator[float]:
    """Seconds between the questions of the SDK's `wait`."""
    pause, step = 1, 0
    while True:
        step += 1
        if pause < 5 and step % 3 == 0:
            pause = min(pause * 2, 5)
        yield float(pause)


def every(seconds: float) -> Pauses:
    """A fixed interval."""

    def pauses() -> Iterator[float]:
        while True:
            yield seconds

    return pauses


def loop(world: CalmWorld, jobs: int, threads: int = 1, pauses: Pauses = sdk_pauses) -> None:
    """`threads` programs that submit, wait, download and store, one job after the other.

    Where the service answers 429 they try again after one to three seconds, as a user would.
    """
    waiting = [f"job-{number:05d}" for number in reversed(range(jobs))]

    def work() -> None:
        clock = InstanceClock(world.kernel, 0.0)
        session = cast("requests.Session", SimSession(world.network, world.studio))
        key = FixedKey("sk-bench")
        service = ModelStudio("https://service.invalid/api/v1", key, session, clock=clock)
        while waiting:
            job = waiting.pop()
            body = {"model": MODEL, "input": {"prompt": job}, "parameters": {"n": 1}}
            while not isinstance(made := service.create(PATH, body), TaskCreated):
                clock.sleep(1.0 + 2.0 * world.rng.random())
            left = pauses()
            while (task := service.query(made.task_id)).status in ("PENDING", "RUNNING"):
                clock.sleep(next(left))
            answer: Any = task.answer
            image: Any = session.get(answer["output"]["results"][0]["url"])
            world.bucket.put_object(f"results/{job}/image-1.png", image.body, IMAGE)
            world.bucket.put_object(f"results/{job}/result.json", b"{}", MANIFEST)

    for number in range(threads):
        world.kernel.spawn(f"program-{number}", work, 1e9, _ended)


def _ended(_actor: object, failure: BaseException | None) -> None:
    if failure is not None:
        raise failure
