"""Tasks of the newer models: paths, forms of results, sizes, and the limits an account can read."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import requests
from PIL import Image

from local.modelstudio.rules import load_models
from tests.kit.modelstudio_server import SERVICES, Client, Json, messages, picture, running_server

EDITOR = "wanx2.1-imageedit"
SETS = "wan2.7-image"
FUNCTIONS = (
    "stylization_all",
    "stylization_local",
    "description_edit",
    "description_edit_with_mask",
    "remove_watermark",
    "expand",
    "super_resolution",
    "colorization",
    "doodle",
    "control_cartoon_feature",
)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with running_server({"task_seconds": 0}) as served:
        served.host.files["large.png"] = picture((640, 512))
        yield served


def done(client: Client, model: str, path: str, given: Json, **parameters: object) -> Json:
    """The answer once a task has succeeded."""
    body = {"model": model, "input": given, "parameters": parameters}
    answer = client.post(body, SERVICES + path)
    assert answer.status_code == 200, answer.text
    told = client.wait(answer.json()["output"]["task_id"])
    assert told["output"]["task_status"] == "SUCCEEDED", told
    return told


def size_of(address: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(requests.get(address, timeout=20).content)).size


def edited(client: Client, function: str, **parameters: object) -> tuple[int, int]:
    given = {"function": function, "prompt": "a red ball"}
    given["base_image_url"] = given["mask_image_url"] = f"{client.images}/large.png"
    told = done(client, EDITOR, "image2image/image-synthesis", given, **parameters)
    assert told["usage"] == {"image_count": 1}
    [result] = told["output"]["results"]
    assert set(result) == {"url"}
    return size_of(result["url"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_of_the_editor_makes_a_picture_of_the_same_size(
    client: Client, function: str
) -> None:
    assert edited(client, function) == (640, 512)


def test_the_editor_expands_and_enlarges(client: Client) -> None:
    assert edited(client, "expand", left_scale=1.5, bottom_scale=2) == (960, 1024)
    assert edited(client, "super_resolution", upscale_factor=2) == (1280, 1024)


def test_words_alone_make_a_picture_and_tell_how_they_were_rewritten(client: Client) -> None:
    given = {"prompt": "a house"}
    told = done(client, "wan2.5-t2i-preview", "text2image/image-synthesis", given, n=1)
    [result] = told["output"]["results"]
    assert result["orig_prompt"] == "a house"
    assert result["actual_prompt"].startswith("a house, ")
    assert size_of(result["url"]) == (1280, 1280)


def contents(told: Json) -> list[list[Json]]:
    return [choice["message"]["content"] for choice in told["output"]["choices"]]


GENERATION = "image-generation/generation"


def test_images_of_a_set_share_a_choice_and_others_have_one_each(client: Client) -> None:
    told = done(client, SETS, GENERATION, messages("a tree"), n=2, size="1K")
    assert [len(content) for content in contents(told)] == [1, 1]
    told = done(
        client, SETS, GENERATION, messages("a tree"), n=3, enable_sequential=True, size="1K"
    )
    assert [len(content) for content in contents(told)] == [2]  # n is the most a set may hold
    assert told["usage"]["image_count"] == 2
    assert told["output"]["finished"] is True
    assert contents(told)[0][0]["type"] == "image"


@pytest.mark.parametrize(
    ("model", "parameters", "images", "size"),
    [
        (SETS, {"size": "1K"}, 0, (1024, 1024)),
        (SETS, {}, 0, (2048, 2048)),
        (SETS, {"size": "1K"}, 1, (1152, 912)),
        ("wan2.7-image-pro", {"size": "4K"}, 0, (4096, 4096)),
        ("qwen-image-3.0", {}, 0, (2048, 2048)),
        ("qwen-image-3.0", {"size": "800*600"}, 1, (800, 600)),
    ],
)
def test_a_size_is_a_level_in_the_shape_of_the_image_or_what_is_asked(
    client: Client, model: str, parameters: Json, images: int, size: tuple[int, int]
) -> None:
    given = messages("a tree", *[f"{client.images}/large.png"] * images)
    told = done(client, model, GENERATION, given, n=1, **parameters)
    assert size_of(contents(told)[0][0]["image"]) == size
    assert told["usage"].get("size") in (None, f"{size[0]}*{size[1]}")
    assert told["usage"].get("output_width") in (None, size[0])


@pytest.mark.parametrize(
    ("model", "images", "size"),
    [
        ("qwen-image-2.0", 0, (2048, 2048)),
        ("qwen-image-2.0", 1, (1152, 912)),
        ("qwen-image-edit", 1, (1152, 912)),
        ("z-image-turbo", 0, (1024, 1536)),
    ],
)
def test_a_size_left_out_is_the_documented_one(
    client: Client, model: str, images: int, size: tuple[int, int]
) -> None:
    answer = client.call(model, *[f"{client.images}/large.png"] * images)
    assert size_of(contents(answer.json())[0][0]["image"]) == size


def test_sides_are_cut_to_multiples_of_16(client: Client) -> None:
    usage = client.call("qwen-image-2.0", size="530*1000").json()["usage"]
    assert (usage["width"], usage["height"]) == (528, 992)


@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        ({"x_scale": 1.5}, (960, 512)),
        ({"top_offset": 100, "right_offset": 60}, (700, 612)),
        ({"output_ratio": "1:1", "x_scale": 3.0}, (640, 640)),
        ({"angle": 90}, (512, 640)),
    ],
)
def test_out_painting_grows_the_picture(
    client: Client, parameters: Json, size: tuple[int, int]
) -> None:
    given = {"image_url": f"{client.images}/large.png"}
    told = done(client, "image-out-painting", "image2image/out-painting", given, **parameters)
    assert size_of(told["output"]["output_image_url"]) == size
    assert "results" not in told["output"]


def test_out_painting_refuses_what_grows_beyond_its_bounds(client: Client) -> None:
    given = {"image_url": f"{client.images}/large.png"}
    path = SERVICES + "image2image/out-painting"
    body: Json = {"model": "image-out-painting", "input": given}
    assert client.post(body, path).json()["code"] == "BadRequest.EmptyParameters"
    made = client.post({**body, "parameters": {"top_offset": 1536}}, path)
    told = client.wait(made.json()["output"]["task_id"])["output"]
    assert (told["task_status"], told["code"]) == ("FAILED", "InvalidParameter")
    assert "top_offset and bottom_offset must be below 1536" in told["message"]


def test_a_path_of_tasks_refuses_a_call_and_a_model_of_another_path(client: Client) -> None:
    body = {"model": SETS, "input": messages("a tree")}
    answer = client.post(body, SERVICES + GENERATION, **{"X-DashScope-Async": ""})
    assert answer.json()["message"] == "current user api does not support synchronous calls."
    answer = client.post(body, SERVICES + "image2image/image-synthesis")
    assert answer.json()["message"] == "url error, please check url!"
    answer = client.post({**body, "model": "qwen-image-2.0"}, SERVICES + GENERATION)
    assert answer.json()["message"] == "url error, please check url!"


def test_the_list_names_the_key_of_the_path(client: Client) -> None:
    done(client, SETS, GENERATION, messages("a tree"), n=1, size="1K")
    [row, *_] = client.get("/api/v1/tasks", model_name=SETS).json()["data"]
    assert row["user_api_unique_key"] == f"apikey:v1:aigc:image-generation:generation:{SETS}"


def quotas(client: Client, **query: object) -> Json:
    answer = client.get("/api/v1/models/limits", **query)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"request_id", "output"}
    return dict(answer.json()["output"])


def test_the_limits_of_the_account_can_be_read(client: Client) -> None:
    told = quotas(client, model="qwen-image-edit-max")
    assert (told["total"], told["page_no"], told["page_size"]) == (1, 1, 20)
    [quota] = told["quotas"]
    assert set(quota) == {"model", "workspace_id", "model_limit", "workspace_limit"}
    assert quota["workspace_limit"] is None
    assert quota["model_limit"] == {
        "request_limit": 2,
        "request_limit_period": 60,
        "usage_limit": None,
        "usage_limit_field": None,
        "usage_limit_period": None,
        "async_user_queue_limit": None,
        "async_user_concurrency_limit": None,
    }
    [quota] = quotas(client, name=SETS)["quotas"]
    assert quota["model_limit"]["async_user_concurrency_limit"] == 5
    assert quotas(client, model="nothing")["quotas"] == []


def test_the_limits_come_in_pages(client: Client) -> None:
    total = len(load_models())
    pages = [quotas(client, page_no=k, page_size=7)["quotas"] for k in range(1, total // 7 + 3)]
    assert [len(page) for page in pages] == [*[7] * (total // 7), total % 7, 0]
    assert len({quota["model"] for page in pages for quota in page}) == total
    assert client.get("/api/v1/models/limits", page_size=0).status_code == 400
