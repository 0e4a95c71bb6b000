"""Calls of synchronous models through real processes: pollers are killed, end, and make room."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections import Counter, defaultdict
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import SYNC, Model
from shared.ledger.record import FINAL, NEEDS_ATTENTION, SUCCEEDED
from shared.storage import layout
from tests.integration.deployments import ROOT, Deployments, build, deployments
from tests.integration.test_upgrade import is_busy, poller

KILLS, OPEN, JOBS = 3, 4, 8
"""More calls are open than there are models: a killed poller may leave for each model a slot that
it claimed ahead, which takes up room for 30 s."""
SENDING = 5.0
"""Seconds for which an invocation sends that is to end while calls are open."""
HELD, SHORT = 1000.0, 0.2
"""Seconds a call takes. A held one is open until `let_go`."""
SILENT = 12.0
"""Seconds that calls stay open at least: an epoch may be silent for 3 + 1 + 5 s (`TIMES`)."""
TIMES = {"LEASE_SECONDS": "3", "CREATE_TIMEOUT": "1", "CALL_TIMEOUT": "140"}
SENDS = "now + time_left(context, MARGIN)"
"""How functions/poll/index.py says until when it sends."""
RARE = 60.0
"""A model with a limit for so many seconds would make a test wait."""

pytestmark = pytest.mark.timeout(150)


def models() -> list[Model]:
    """Synchronous models that need a prompt alone and draw small images too."""
    called = (one for one in load_catalogue().models() if one.mode == SYNC)
    plain = (one for one in called if one.input_schema["required"] == ["prompt"])
    small = (one for one in plain if "enum" not in one.parameters_schema["properties"]["size"])
    return [one for one in small if one.limits.per_seconds < RARE]


def stack(folder: Path, most: int = 16) -> Path:
    """s.yaml with short times, and a poll that keeps so many calls open at most."""
    document = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))
    document["template"]["function"]["environmentVariables"] |= TIMES
    poll = document["resources"]["poll"]["props"]
    poll["environmentVariables"]["MAX_OPEN_CALLS"] = str(most)
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    return path


def soon_over(folder: Path) -> Path:
    """Packages with a poll that sends for seconds, where s.yaml's time-out gives it minutes."""
    packages = build(folder, "1" * 64)
    handler = packages / "poll" / "index.py"
    text = handler.read_text("utf-8")
    assert SENDS in text
    handler.unlink()
    handler.write_text(text.replace(SENDS, f"now + {SENDING}"), "utf-8")
    return packages


def drop(world: Deployments, job: str, model: Model) -> None:
    world.jobs[job] = f"the picture of {job}"
    body: dict[str, Any] = {"model": model.name, "input": {"prompt": world.jobs[job]}}
    body |= {"parameters": {"size": "512*512"}, "job": {"id": job}}
    world.bucket.put_object(f"jobs/{job}.yaml", yaml.safe_dump(body))


def calls(world: Deployments, status: str = "") -> dict[str, list[dict[str, Any]]]:
    """The calls that the service was asked for, those of this status alone, by job."""
    job_of, found = {prompt: job for job, prompt in world.jobs.items()}, defaultdict(list)
    for one in world.studio("/_admin/tasks")["tasks"]:
        if one["is_call"] and status in ("", one["status"]):
            content = one["body"]["input"]["messages"][0]["content"]
            found[job_of[content[0]["text"]]].append(one)
    return dict(found)


def check(world: Deployments) -> Counter[str]:
    """All jobs are over, none was called twice, and what succeeded has its image; how many ended
    in which state."""
    world.until("end of all jobs", partial(are_over, world))
    world.until("last answer of the service", lambda: not calls(world, "RUNNING"))
    called, states = calls(world), world.states()
    assert {job: len(own) for job, own in called.items()} == dict.fromkeys(called, 1)
    for job, state in states.items():
        manifest = world.until(f"result of {job}", partial(result, world, job)) or {}
        if state == SUCCEEDED:
            (image,) = manifest["images"]
            assert called[job][0]["good"] == 1
            body = world.bucket.get_object(image["key"]).read()
            assert hashlib.sha256(body).hexdigest() == image["sha256"]
        else:
            assert (state, manifest["error"]["code"]) == (NEEDS_ATTENTION, "CallLost")
    books = world.studio("/_admin/stats")["models"].values()
    assert sum(one["calls_made"] for one in books) == len(called)
    assert sum(one["images"] for one in books) <= len(called)
    return Counter(states.values())


def are_over(world: Deployments) -> bool:
    states = world.states()
    return len(states) == len(world.jobs) and set(states.values()) <= FINAL


def result(world: Deployments, job: str) -> dict[str, Any] | None:
    return world.read(layout.result(job)) if world.keys(layout.result(job)) else None


def busy(world: Deployments) -> list[int]:
    """The processes of poll that are at work."""
    state = requests.get(world.environ["API_URL"] + "/_runtime/state", timeout=10).json()
    return [one["pid"] for one in state["functions"]["poll"]["instances"] if one["busy"]]


def test_no_job_is_called_twice_though_pollers_are_killed(tmp_path: Path) -> None:
    rng = random.Random(7)
    with deployments(tmp_path, task_seconds=1.5) as world:
        world.start(ROOT, ROOT / "functions", stack(tmp_path, most=OPEN))
        for number in range(KILLS):
            for cat in range(JOBS):  # enough for calls to be open, however slow the machine is
                drop(world, f"cat-{number}-{cat}", models()[cat % len(models())])
            world.until("open call", partial(calls, world, "RUNNING"))
            if number:  # the first kill surely loses a call, the others come when they come
                time.sleep(rng.uniform(0.0, 2.5))
            pids = world.until("poller", partial(busy, world))
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            world.until("end of the calls", lambda: not calls(world, "RUNNING"))
        ended = check(world)
        assert 1 <= ended[NEEDS_ATTENTION] <= KILLS * OPEN, "a kill loses what was open, no more"
        assert ended[SUCCEEDED] >= KILLS * (JOBS - OPEN)


def begin(world: Deployments) -> tuple[Model, str]:
    """Long calls are open; the model whose calls are short, and who holds the lease."""
    long, short = models()[:2]
    world.studio("/_admin/settings", jitter=0, task_seconds={long.name: HELD, short.name: SHORT})
    for number in range(3):
        drop(world, f"long-{number}", long)
    world.until("open calls", lambda: len(calls(world, "RUNNING")) == 3)
    return short, world.until("poller", partial(poller, world)) or ""


def let_go(world: Deployments) -> None:
    """The calls that are held are answered, once they are older than a silent epoch may be."""
    began = max(one["started"] for own in calls(world, "RUNNING").values() for one in own)
    world.until("age of the calls", lambda: time.time() - began > SILENT)
    world.studio("/_admin/settings", task_seconds=SHORT)


def check_hand_over(world: Deployments, short: Model, old: str) -> None:
    """Another poller calls while the old one waits, and nothing of either is lost."""
    world.until("successor", partial(poller, world, old))
    drop(world, "short", short)
    world.until("call meanwhile", lambda: world.states("short").get("short") == SUCCEEDED)
    assert len(calls(world, "RUNNING")) == 3
    let_go(world)
    assert check(world) == {SUCCEEDED: len(world.jobs)}
    world.until("end of the old poller", lambda: not world.keys(layout.CALLS))


def test_a_poller_at_its_deadline_waits_while_the_next_one_calls(tmp_path: Path) -> None:
    with deployments(tmp_path, task_seconds=SHORT) as world:
        world.start(ROOT, soon_over(tmp_path / "packages"), stack(tmp_path))
        check_hand_over(world, *begin(world))


def test_a_poller_of_old_code_waits_while_the_new_one_calls(tmp_path: Path) -> None:
    first, then = "1" * 64, "2" * 64
    with deployments(tmp_path, task_seconds=SHORT) as world:
        packages = build(tmp_path / "packages", first)
        world.start(ROOT, packages, stack(tmp_path))
        short, old = begin(world)
        world.until("pause of submit", lambda: not is_busy(world, "submit"))
        build(packages, then)
        drop(world, "news", short)
        world.until("word of other code", lambda: world.states("news"))
        check_hand_over(world, short, old)
