"""ImageSynthesis shows its caller the same from the model service and from our `api`."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from PIL import Image

from tests.conformance.dashscope.calls import CASES, Pictures, created, ended, frozen, told
from tests.conformance.dashscope.images import ImageHost
from tests.conformance.dashscope.sdk import (
    AioImageSynthesis,
    ImageSynthesis,
    attempt,
    on_both,
    point_at,
    shown,
)
from tests.conformance.laptop import Laptop

NOWHERE = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def pictures(images: ImageHost, tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return Pictures(images, tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def faulty(laptop: Laptop) -> Iterator[Laptop]:
    """The laptop cloud, without faults again afterwards."""
    yield laptop
    laptop.settings(faults=[])


@pytest.fixture(scope="module")
def creates(laptop: Laptop, pictures: Pictures) -> dict[str, list[Any]]:
    """Of every case the answers to create. All at first, so that no test waits for its own."""
    calls = {name: pictures.resolved(case["call"]) for name, case in CASES["tasks"].items()}
    sides = on_both(laptop.sides, lambda: {name: created(call) for name, call in calls.items()})
    return {name: [side[name] for side in sides] for name in calls}


@pytest.mark.parametrize("name", CASES["tasks"])
def test_call_is_shown_alike(name: str, laptop: Laptop, creates: dict[str, list[Any]]) -> None:
    _compare(CASES["tasks"][name], laptop, creates[name])


@pytest.mark.parametrize("name", CASES["faults"])
def test_fault_is_shown_alike(name: str, faulty: Laptop, pictures: Pictures) -> None:
    case = CASES["faults"][name]
    faulty.settings(faults=case["faults"])
    call = pictures.resolved(case["call"])
    _compare(case, faulty, on_both(faulty.sides, lambda: created(call)))


def _compare(case: dict[str, Any], laptop: Laptop, creates: list[Any]) -> None:
    answers = []
    for side, answer in zip(laptop.sides, creates, strict=True):
        point_at(side)
        answers.append(ended(answer))

    service, api = (shown(answer) for answer in answers)
    assert told(service, case["expect"]) == frozen(case["expect"]), f"it said: {service.message}"
    assert api == replace(service, **frozen(case.get("api", {}))), f"api said: {api.message}"
    if "api" not in case:
        assert shown(creates[1]) == shown(creates[0]), "the answers to create differ"
        assert _downloaded(answers[1]) == _downloaded(answers[0])
    _compare_messages(case, service.message, api.message)


def _compare_messages(case: dict[str, Any], service: str, api: str) -> None:
    if "api_says" in case:
        assert case["api_says"] in api
        assert api != service, "no difference any more: take `api_says` out of cases.yaml"
    else:
        assert api == service


def _downloaded(answer: Any) -> list[tuple[str | None, tuple[int, int]]]:
    """Format and size of every image at its address."""
    if isinstance(answer, Exception) or not answer.output:
        return []
    found = []
    for result in answer.output.results:
        if result.url:
            got = requests.get(result.url, timeout=30)
            assert got.status_code == 200, f"{result.url} answers {got.status_code}"
            with Image.open(io.BytesIO(got.content)) as picture:
                found.append((picture.format, picture.size))
    return found


def test_call_waits_for_the_images(laptop: Laptop, pictures: Pictures) -> None:
    call = pictures.resolved(CASES["models"]["sketch"])
    service, api = (
        shown(one) for one in on_both(laptop.sides, lambda: ImageSynthesis.call(**call))
    )

    assert service.task_status == "SUCCEEDED"
    assert api == service


def test_call_raises_when_create_is_refused(laptop: Laptop, pictures: Pictures) -> None:
    call = {**pictures.resolved(CASES["models"]["editing"]), "api_key": "sk-wrong"}
    service, api = on_both(laptop.sides, lambda: attempt(lambda: ImageSynthesis.call(**call)))

    assert type(service).__name__ == "InvalidTask"
    assert shown(api) == shown(service)
    assert shown(api).message == shown(service).message


def test_asyncio_client(laptop: Laptop, pictures: Pictures) -> None:
    call = pictures.resolved(CASES["models"]["editing"])
    service, api = on_both(laptop.sides, lambda: shown(asyncio.run(AioImageSynthesis.call(**call))))
    assert service.task_status == "SUCCEEDED"
    assert api == service


def test_fetch_before_and_after(faulty: Laptop, pictures: Pictures) -> None:
    faulty.settings(faults=[{"at": "task", "action": "delay", "seconds": 1.5}])
    call = pictures.resolved(CASES["models"]["editing"])

    def twice() -> Any:
        task = created(call)
        early = shown(ImageSynthesis.fetch(task))
        ImageSynthesis.wait(task)
        return early, shown(ImageSynthesis.fetch(task.output.task_id))

    service, api = on_both(faulty.sides, twice)
    assert {service[0].task_status, api[0].task_status} <= {"PENDING", "RUNNING"}
    assert api[0].usage is service[0].usage is None
    assert api[0].results == service[0].results == ()
    assert service[1].task_status == "SUCCEEDED"
    assert api[1] == service[1]


@pytest.mark.parametrize("action", ["fetch", "wait", "cancel"])
def test_id_that_never_was(action: str, laptop: Laptop) -> None:
    ask = getattr(ImageSynthesis, action)
    service, api = (shown(one) for one in on_both(laptop.sides, lambda: ask(NOWHERE)))

    told = "UNKNOWN" if action != "cancel" else None
    assert (service.status_code, service.task_status) == (200 if told else 400, told)
    assert api == service
    assert api.message == service.message


@pytest.mark.parametrize("action", ["fetch", "wait", "cancel"])
def test_wrong_key(action: str, laptop: Laptop) -> None:
    ask = getattr(ImageSynthesis, action)
    service, api = (
        shown(one) for one in on_both(laptop.sides, lambda: ask(NOWHERE, api_key="sk-wrong"))
    )
    assert (service.status_code, service.code) == (401, "InvalidApiKey")
    assert api == service
    assert api.message == service.message


def test_cancel_of_what_is_over(laptop: Laptop, pictures: Pictures) -> None:
    call = pictures.resolved(CASES["models"]["editing"])

    def cancel_late() -> Any:
        done = ImageSynthesis.call(**call)
        return shown(ImageSynthesis.cancel(done))

    service, api = on_both(laptop.sides, cancel_late)
    assert (service.status_code, service.code) == (400, "UnsupportedOperation")
    assert api == service
    assert api.message == service.message
