"""Synchronous calls: shown alike by the service and by `api`, and what `api` does beyond."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dashscope  # type: ignore[import-not-found]
import pytest
import requests
from dashscope import MultiModalConversation
from dashscope.aigc.image_generation import ImageGeneration  # type: ignore[import-not-found]

from tests.conformance.dashscope.images import ImageHost
from tests.conformance.dashscope.sdk import normal, on_both, point_at
from tests.conformance.laptop import Laptop

QUICK = "z-image-turbo"
CALL = "services/aigc/multimodal-generation/generation"
TASK = "services/aigc/image-generation/generation"


@pytest.fixture
def slow(laptop: Laptop) -> Iterator[Laptop]:
    """The laptop cloud whose images take four seconds."""
    laptop.settings(faults=[{"at": "task", "action": "delay", "seconds": 4.0}])
    yield laptop
    laptop.settings(faults=[])


@pytest.fixture
def faulty(laptop: Laptop) -> Iterator[Laptop]:
    """The laptop cloud, without faults again afterwards."""
    yield laptop
    laptop.settings(faults=[])


def said(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def call(model: str, *parts: dict[str, Any], **more: Any) -> Any:
    return MultiModalConversation.call(model=model, messages=said(*parts), **more)


def made_of(laptop: Laptop, text: str) -> list[Any]:
    """What the service was asked to draw of a text."""
    return [one for one in laptop.admin("tasks")["tasks"] if text in one["texts_used"].values()]


def test_a_time_out_names_the_job_and_the_same_call_fetches_it(slow: Laptop) -> None:
    point_at(slow.sides[1])
    text = {"text": "a lighthouse that takes its time"}
    late = call(QUICK, text, headers={"X-DashScope-Wait-Timeout": "1"})
    assert (late.status_code, late.code) == (408, "RequestTimeOut")
    job = late.message.partition("The job ")[2].partition(" ")[0]
    base, bearer = dashscope.base_http_api_url, {"Authorization": f"Bearer {dashscope.api_key}"}
    named = requests.get(f"{base}/tasks/{job}", headers=bearer, timeout=30).json()["output"]
    assert named["task_status"] in ("PENDING", "RUNNING")

    again = call(QUICK, text)
    assert again.status_code == 200, again.message
    assert job in again.output.choices[0].message.content[0]["image"]
    assert len(made_of(slow, text["text"])) == 1
    url = f"{base.removesuffix('/api/v1')}/jobs/{job}"
    assert requests.get(url, headers=bearer, timeout=30).json()["state"] == "SUCCEEDED"


def test_a_key_makes_a_repeated_call_safe(laptop: Laptop) -> None:
    point_at(laptop.sides[1])
    text, headers = {"text": "a lighthouse for a key"}, {"Idempotency-Key": "only-once"}
    first, second = (call(QUICK, text, headers=dict(headers)) for _ in range(2))
    images = [one.output.choices[0].message.content[0]["image"] for one in (first, second)]
    assert len({image.partition("?")[0] for image in images}) == 1
    assert len(made_of(laptop, text["text"])) == 1


REFUSED: dict[str, dict[str, Any]] = {
    "a model that is not known": {"model": "qwen-image-0"},
    "too many images": {"n": 7},
    "a size that is too small": {"size": "100*100"},
    "two texts": {"parts": [{"text": "a"}, {"text": "b"}]},
    "no text": {"parts": [{"image": "https://127.0.0.1:1/a.png"}]},
    "a wrong key": {"api_key": "sk-wrong"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_shown_alike_and_draws_nothing(name: str, laptop: Laptop) -> None:
    asked = {"model": "qwen-image-2.0", "parts": [{"text": name}], **REFUSED[name]}
    model, parts = asked.pop("model"), asked.pop("parts")
    point_at(laptop.sides[1])
    api = call(model, *parts, **asked)
    assert made_of(laptop, name) == []
    assert api.output is None
    assert api.message
    point_at(laptop.sides[0])
    service = call(model, *parts, **asked)
    assert service.status_code in (400, 401)
    assert (api.status_code, api.code) == (service.status_code, service.code)


@pytest.mark.parametrize(("path", "headers"), [(CALL, {"X-DashScope-Async": "enable"}), (TASK, {})])
def test_a_path_answers_in_one_way_alone(
    path: str, headers: dict[str, str], laptop: Laptop
) -> None:
    body = {"model": "qwen-image-3.0", "input": {"messages": said({"text": "a fox"})}}

    def ask() -> tuple[int, str]:
        base, key = dashscope.base_http_api_url, f"Bearer {dashscope.api_key}"
        sent = headers | {"Authorization": key}
        reply = requests.post(f"{base}/{path}", json=body, headers=sent, timeout=30)
        return reply.status_code, reply.json()["code"]

    service, api = on_both(laptop.sides, ask)
    assert service == (403, "AccessDenied")
    assert api == service


def test_a_refused_prompt_is_an_error_in_the_service_s_words(faulty: Laptop) -> None:
    faulty.settings(faults=[{"at": "task", "error": "data_inspection_input"}])
    service, api = on_both(faulty.sides, lambda: call(QUICK, {"text": "refused"}))
    assert (service.status_code, service.code) == (400, "DataInspectionFailed")
    assert (api.status_code, api.code) == (service.status_code, service.code)
    assert normal(api.message) == normal(service.message)


def test_a_synchronous_model_as_a_task(laptop: Laptop, images: ImageHost) -> None:
    """The service has no such path; a program with many images is better off with tasks."""
    point_at(laptop.sides[1])
    parts = {"image": images.url("alarm-clock.webp")}, {"text": "in the style of a woodcut"}
    created = ImageGeneration.async_call(model="qwen-image-edit-plus", messages=said(*parts), n=2)
    assert created.output.task_status == "PENDING", created.message
    done = ImageGeneration.wait(created)
    assert done.output.task_status == "SUCCEEDED", done.output
    contents = done.output.choices[0].message.content
    assert [part["type"] for part in contents] == ["image", "image"]
