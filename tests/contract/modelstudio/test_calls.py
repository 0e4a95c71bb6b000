"""Synchronous calls: one request holds the connection until its images are made."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests
from PIL import Image

from tests.kit.modelstudio_server import (
    CALL,
    SERVICES,
    Client,
    Json,
    await_true,
    messages,
    running_server,
)

EDITOR = "qwen-image-edit-plus"
MAKER = "qwen-image-2.0"
EXTENDER = "z-image-turbo"
BOTH_WAYS = "wan2.7-image"
SMALL = "512*512"


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    with running_server() as served:
        yield served


@pytest.fixture()
def client(server: Client) -> Iterator[Client]:
    yield server
    server.set(faults=None, task_seconds=0.05, jitter=None, moderated_words=None)
    server.set(limits={BOTH_WAYS: {"submissions_per_second": None, "concurrent_tasks": 20}})


def refused(answer: requests.Response, status: int, code: str, message: str = "") -> None:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert message in body["message"]
    assert set(body) == {"code", "message", "request_id"}


def addresses(answer: requests.Response) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    choices = answer.json()["output"]["choices"]
    return [
        [c["image"] for c in choice["message"]["content"] if "image" in c] for choice in choices
    ]


def fetched(address: str) -> Image.Image:
    return Image.open(io.BytesIO(requests.get(address, timeout=20).content))


def billed(client: Client, model: str) -> tuple[int, float]:
    """Images and CNY of the model so far."""
    stats = client.stats(model)
    return stats["images"], stats["billed"]


def test_a_call_answers_with_its_images_and_no_task(client: Client) -> None:
    answer = client.call(MAKER, n=2, size=SMALL)
    body = answer.json()
    assert set(body) == {"output", "usage", "request_id"}
    assert set(body["output"]) == {"choices"}
    assert body["usage"] == {"image_count": 2, "width": 512, "height": 512}
    assert [len(content) for content in addresses(answer)] == [2]
    assert fetched(addresses(answer)[0][1]).size == (512, 512)
    assert client.get("/api/v1/tasks", model_name=MAKER).json()["total"] == 0


def test_an_asynchronous_call_of_a_synchronous_path_is_refused(client: Client) -> None:
    answer = client.post({"model": MAKER, "input": messages("a cat")}, CALL)
    refused(answer, 403, "AccessDenied", "current user api does not support asynchronous calls")


def test_a_model_without_a_synchronous_path_is_refused_there(client: Client) -> None:
    refused(client.call("wanx2.1-imageedit"), 400, "InvalidParameter", "url error")


def test_a_model_may_take_another_form_where_it_is_called(client: Client) -> None:
    called = client.call("qwen-image-plus", size="1664*928", negative_prompt="blurry")
    assert called.json()["usage"] == {"image_count": 1, "width": 1664, "height": 928}
    assert [len(content) for content in addresses(called)] == [1]
    body = {"model": "qwen-image-plus", "input": {"prompt": "a cat"}}
    made = client.post(body, SERVICES + "text2image/image-synthesis")
    assert made.json()["output"]["task_status"] == "PENDING"


def test_a_text_beside_the_images_where_the_prompt_is_rewritten(client: Client) -> None:
    [choice] = client.call(EXTENDER, prompt_extend=True, size=SMALL).json()["output"]["choices"]
    image, text = choice["message"]["content"]
    assert set(image) == {"image"}
    assert text["text"].startswith("a cat, ")
    assert choice["message"]["reasoning_content"]


@pytest.mark.parametrize(
    ("parameters", "price"),
    [({}, 0.10), ({"prompt_extend": False}, 0.10), ({"prompt_extend": True}, 0.20)],
)
def test_the_price_follows_a_parameter(client: Client, parameters: Json, price: float) -> None:
    before = billed(client, EXTENDER)[1]
    client.call(EXTENDER, size=SMALL, **parameters)
    assert round(billed(client, EXTENDER)[1] - before, 6) == price


@pytest.mark.parametrize(
    ("model", "size", "images", "price"),
    [
        ("qwen-image-3.0-pro", "1500*1500", 0, 0.25),
        ("qwen-image-3.0-pro", "1500*1501", 0, 0.50),
        ("qwen-image-3.0-pro", SMALL, 2, 0.25 + 2 * 0.02),
        ("qwen-image-3.0", "1600*1600", 1, 0.18 + 0.02),
    ],
)
def test_the_price_follows_the_area_and_the_input(
    client: Client, model: str, size: str, images: int, price: float
) -> None:
    before = billed(client, model)[1]
    answer = client.call(model, *[f"{client.images}/base.png"] * images, size=size)
    assert round(billed(client, model)[1] - before, 6) == round(price, 6)
    usage = answer.json()["usage"]
    wide, high = map(int, size.split("*"))
    tier = "qima_output_1k" if wide * high <= 2_250_000 else "qima_output_2k"
    assert usage == {
        "output_width": wide,
        "output_height": high,
        "output_image_count": 1,
        "output_image_type": tier,
        "input_image_count": images,
        "input_image_type": "qima_input_1k",
    }


def test_what_stops_the_work_is_the_answer_and_costs_nothing(client: Client) -> None:
    before = billed(client, EDITOR)
    client.set(moderated_words={"input": ["forbidden"], "output": ["naughty"]})
    base = f"{client.images}/base.png"
    refused(client.call(EDITOR, base, n=7), 400, "InvalidParameter", "Range of n should be [1, 6]")
    refused(client.call(EDITOR, f"{client.images}/no.png"), 400, "InvalidParameter", "Failed to do")
    refused(client.call(EDITOR, f"{client.images}/page.png"), 400, "InvalidParameter", "corrupted")
    refused(client.call(EDITOR, base, text="forbidden"), 400, "DataInspectionFailed", "Input data")
    refused(client.call(EDITOR, base, text="naughty"), 400, "DataInspectionFailed", "Output data")
    assert billed(client, EDITOR) == before


def test_an_image_that_failed_is_missing_from_the_answer_and_the_bill(client: Client) -> None:
    images, money = billed(client, MAKER)
    client.set(faults=[{"at": "image", "image": 1, "error": "internal_algorithm"}])
    answer = client.call(MAKER, n=3, size=SMALL)
    assert [len(content) for content in addresses(answer)] == [2]
    assert answer.json()["usage"]["image_count"] == 2
    assert billed(client, MAKER) == (images + 2, round(money + 0.4, 6))


def test_a_client_that_goes_away_pays_all_the_same(client: Client) -> None:
    images, _ = billed(client, MAKER)
    client.set(task_seconds=0.5, jitter=0)
    body = {"model": MAKER, "input": messages("a cat"), "parameters": {"size": SMALL}}
    with pytest.raises(requests.ReadTimeout):
        client.http.post(client.url + CALL, json=body, timeout=0.1)
    assert billed(client, MAKER)[0] == images
    await_true(lambda: {} if billed(client, MAKER)[0] == images + 1 else None)
    assert client.stats(MAKER)["in_flight"] == 0


@pytest.mark.parametrize(
    ("fault", "works"),
    [
        ({"action": "cut_before"}, False),
        ({"action": "cut_after"}, True),
        ({"action": "hang", "seconds": 0}, False),
    ],
)
def test_a_lost_answer_tells_nothing_about_the_work(
    client: Client, fault: Json, works: bool
) -> None:
    images, _ = billed(client, MAKER)
    client.set(faults=[{"at": "create", "model": MAKER, "times": 1, **fault}])
    with pytest.raises(requests.ConnectionError):
        client.call(MAKER, size=SMALL)
    assert billed(client, MAKER)[0] == images + works


@pytest.mark.parametrize(
    ("fault", "status", "works"),
    [
        ({"error": "throttling_rate"}, 429, False),
        ({"error": "internal"}, 500, False),
        ({"error": "model_unavailable", "action": "answer_after"}, 503, True),
        ({"status": 504, "body": "<html>504</html>", "action": "answer_after"}, 504, True),
    ],
)
def test_an_error_may_come_before_the_work_or_after_it(
    client: Client, fault: Json, status: int, works: bool
) -> None:
    images, _ = billed(client, MAKER)
    client.set(faults=[{"at": "create", "model": MAKER, "times": 1, **fault}])
    assert client.call(MAKER, size=SMALL).status_code == status
    assert billed(client, MAKER)[0] == images + works


def test_half_an_answer_is_no_json(client: Client) -> None:
    client.set(faults=[{"at": "create", "action": "truncate", "times": 1}])
    answer = client.call(MAKER, size=SMALL)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()


def test_calls_beyond_the_concurrency_are_refused_and_tasks_wait(client: Client) -> None:
    client.set(
        limits={
            BOTH_WAYS: {
                "concurrent_calls": 1,
                "concurrent_tasks": 1,
                "submissions_per_second": None,
            }
        }
    )
    client.set(faults=[{"at": "task", "model": BOTH_WAYS, "action": "hang", "times": 1}])
    first = threading.Thread(target=lambda: _quietly(client), daemon=True)
    first.start()
    await_true(lambda: {} if client.stats(BOTH_WAYS)["in_flight"] else None)
    refused(client.call(BOTH_WAYS, size="768*768"), 429, "Throttling")
    path = "/api/v1/services/aigc/image-generation/generation"
    body = {"model": BOTH_WAYS, "input": messages("a cat"), "parameters": {"size": "768*768"}}
    task = client.wait(client.post(body, path).json()["output"]["task_id"])
    assert task["output"]["task_status"] == "SUCCEEDED"
    assert task["output"]["finished"] is True


def test_a_call_without_end_is_given_up_after_three_hours(client: Client) -> None:
    client.set(faults=[{"at": "task", "model": EXTENDER, "action": "hang", "times": 1}])
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.call, EXTENDER)
        await_true(lambda: {} if client.stats(EXTENDER)["in_flight"] else None)
        client.advance(3 * 3600)
        assert client.stats(EXTENDER)["in_flight"] == 0
        refused(call.result(20), 500, "InternalError.Timeout")


def _quietly(client: Client) -> None:
    body = {"model": BOTH_WAYS, "input": messages("a cat")}
    with suppress(requests.RequestException):  # it was never meant to answer
        client.http.post(client.url + CALL, json=body, timeout=0.5)


def test_a_limit_by_the_minute_is_not_one_by_the_second() -> None:
    model = "qwen-image-edit-max"
    with running_server({"task_seconds": 0, "limits": {}}) as fresh:
        base = f"{fresh.images}/base.png"
        assert [fresh.call(model, base, size=SMALL).status_code for _ in range(3)] == [
            200,
            200,
            429,
        ]
        told = fresh.get("/_admin/stats").json()["models"][model]
        assert told["calls_made"] == 2
        assert told["calls_by_status"] == {"SUCCEEDED": 2}
        assert told["tasks_made"] == 0
        assert told["creates_refused"] == {"Throttling.RateQuota": 1}


MESSAGE = messages("a cat")["messages"][0]
WRONG_MESSAGES: list[tuple[Json, str]] = [
    ({}, "Field required: input.messages"),
    ({"prompt": "a cat"}, "Field required: input.messages"),
    ({"messages": []}, "only one message"),
    ({"messages": [MESSAGE, MESSAGE]}, "only one message"),
    ({"messages": "a cat"}, "only one message"),
    ({"messages": [{**MESSAGE, "role": "system"}]}, "input.messages.0.role"),
    ({"messages": [{"role": "user", "content": "a cat"}]}, "input.messages.0.content"),
    ({"messages": [{"role": "user", "content": [{"video": "x"}]}]}, "input.messages.0.content"),
    ({"messages": [{"role": "user", "content": []}]}, "lack of image or text"),
    ({"messages": [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]}, "only one text"),
]


@pytest.mark.parametrize(("given", "message"), WRONG_MESSAGES)
def test_messages_of_another_form_are_refused(client: Client, given: Json, message: str) -> None:
    answer = client.post({"model": MAKER, "input": given}, CALL, **{"X-DashScope-Async": ""})
    refused(answer, 400, "InvalidParameter", message)


def test_an_editor_wants_an_image(client: Client) -> None:
    refused(client.call(EDITOR), 400, "InvalidParameter", "lack of image or text")
