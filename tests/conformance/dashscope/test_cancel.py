"""Cancelling behind a task that never ends: what waits can be cancelled, what runs cannot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.dashscope.calls import CASES, Pictures, created
from tests.conformance.dashscope.images import ImageHost
from tests.conformance.dashscope.sdk import (
    AioImageSynthesis,
    ImageSynthesis,
    on_both,
    point_at,
    shown,
)
from tests.conformance.laptop import Laptop

PATIENCE = 60.0


@pytest.fixture
def busy(own_laptop: Laptop, images: ImageHost, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A call whose model is busy: its only place at the service is taken for good."""
    call: dict[str, Any] = Pictures(images, tmp_path).resolved(CASES["models"]["painting"])
    hang = {"at": "task", "model": call["model"], "action": "hang", "times": 1}
    own_laptop.settings(faults=[hang])
    point_at(own_laptop.sides[0])
    assert created(call).status_code == 200
    yield call
    own_laptop.settings(faults=[])


def _aio_cancel(task: Any) -> Any:
    return asyncio.run(AioImageSynthesis.cancel(task))


def _until_taken(cancel: Callable[[], Any]) -> None:
    """For the moment in which a job is being sent it cannot be canceled."""
    end = time.monotonic() + PATIENCE
    while shown(cancel()).status_code != 200:
        assert time.monotonic() < end


# The two send different paths: the asynchronous one ends with a slash.
@pytest.mark.parametrize("cancels", [ImageSynthesis.cancel, _aio_cancel], ids=["sync", "aio"])
def test_cancel_of_what_waits(own_laptop: Laptop, busy: dict[str, Any], cancels: Any) -> None:
    def cancel() -> list[Any]:
        task = created(busy)
        before = shown(ImageSynthesis.fetch(task))
        answer = cancels(task)
        return [before, shown(answer), shown(ImageSynthesis.wait(task)), answer.output]

    service, api = on_both(own_laptop.sides, cancel)
    assert [one.task_status for one in service[:3]] == ["PENDING", None, "CANCELED"]
    assert service[1].status_code == 200
    assert api[0].task_status == "PENDING"
    assert api[1::2] == service[1::2]
    # Whether a cancelled task still counts its images no document shows: the service's server does.
    assert api[2] == replace(service[2], metrics=())


def test_cancel_twice(own_laptop: Laptop, busy: dict[str, Any]) -> None:
    def cancel() -> Any:
        task = created(busy)
        _until_taken(partial(ImageSynthesis.cancel, task))
        return shown(ImageSynthesis.cancel(task))

    service, api = on_both(own_laptop.sides, cancel)
    assert (service.status_code, service.code) == (400, "UnsupportedOperation")
    assert api == service
    assert api.message == service.message


def test_cancel_of_what_runs(own_laptop: Laptop, images: ImageHost, tmp_path: Path) -> None:
    call = Pictures(images, tmp_path).resolved(CASES["models"]["editing"])
    own_laptop.settings(faults=[{"at": "task", "action": "delay", "seconds": 600}])

    def cancel() -> Any:
        task = created(call)
        _await_status(task, "RUNNING")
        return shown(ImageSynthesis.cancel(task))

    service, api = on_both(own_laptop.sides, cancel)
    assert (service.status_code, service.code) == (400, "UnsupportedOperation")
    assert api == service
    assert api.message == service.message


def _await_status(task: Any, status: str) -> None:
    end = time.monotonic() + PATIENCE
    while ImageSynthesis.fetch(task).output.task_status != status:
        assert time.monotonic() < end, f"the task did not become {status}"
        time.sleep(0.1)
