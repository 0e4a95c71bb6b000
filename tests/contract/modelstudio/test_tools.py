"""Tasks of the tool models: what their answers have of their own, and how large the images are."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.kit.modelstudio_server import SERVICES, Client, Json, running_server

INPUTS = Path(__file__).resolve().parents[3] / "examples/inputs"
CUT, STYLE, TRYON = "wanx-background-generation-v2", "wanx-style-repaint-v1", "aitryon"
PATHS = {
    CUT: "background-generation/generation/",
    STYLE: "image-generation/generation",
    TRYON: "image2image/image-synthesis",
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with running_server({"task_seconds": 0.3}) as served:
        for name in ("vase", "person", "shirt", "trousers"):
            served.host.files[f"{name}.png"] = (INPUTS / f"{name}.png").read_bytes()
        yield served


def asked(client: Client, model: str, given: Json, **parameters: object) -> requests.Response:
    filled = {
        name: f"{client.images}/{value}" if name.endswith("_url") else value
        for name, value in given.items()
    }
    body = {"model": model, "input": filled, "parameters": parameters}
    return client.post(body, SERVICES + PATHS[model])


def done(client: Client, model: str, given: Json, **parameters: object) -> Json:
    answer = asked(client, model, given, **parameters)
    assert answer.status_code == 200, answer.text
    return client.wait(answer.json()["output"]["task_id"])


def size_of(address: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(requests.get(address, timeout=20).content)).size


def test_a_background_comes_out_as_large_as_the_object(client: Client) -> None:
    told = done(client, CUT, {"base_image_url": "vase.png", "ref_prompt": "a beach"}, n=2)
    assert told["usage"] == {"image_count": 2}
    assert [size_of(result["url"]) for result in told["output"]["results"]] == [(640, 800)] * 2
    assert told["output"]["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 2, "FAILED": 0}


def test_an_object_without_transparency_fails_in_the_words_of_the_page(client: Client) -> None:
    told = done(client, CUT, {"base_image_url": "person.png", "ref_prompt": "a beach"})
    assert told["output"]["code"] == "BadRequest.UnsupportedFileFormat"
    assert told["output"]["message"].startswith("Base image require RGBA format, but is RGB")


def test_success_of_a_style_tells_an_error_code_of_nought(client: Client) -> None:
    output = done(client, STYLE, {"image_url": "person.png", "style_index": 3})["output"]
    told = {name: output[name] for name in ("error_code", "error_message", "style_index")}
    assert told == {"error_code": 0, "error_message": "Success", "style_index": 3}
    assert "start_time" in output
    assert size_of(output["results"][0]["url"]) == (1536, 2731)


@pytest.mark.parametrize(
    ("resolution", "size"), [(-1, (576, 1024)), (1024, (576, 1024)), (1280, (720, 1280))]
)
def test_a_try_on_has_one_address_and_the_size_asked_for(
    client: Client, resolution: int, size: tuple[int, int]
) -> None:
    given = {"person_image_url": "person.png", "top_garment_url": "shirt.png"}
    output = done(client, TRYON, given, resolution=resolution)["output"]
    assert "results" not in output
    assert size_of(output["image_url"]) == size


def test_a_try_on_tells_the_phases_of_its_work() -> None:
    order = ["PENDING", "PRE-PROCESSING", "RUNNING", "POST-PROCESSING"]
    with running_server({"faults": [{"at": "task", "action": "hang"}]}) as served:
        for name in ("person", "trousers"):
            served.host.files[f"{name}.png"] = (INPUTS / f"{name}.png").read_bytes()
        given = {"person_image_url": "person.png", "bottom_garment_url": "trousers.png"}
        task = asked(served, TRYON, given).json()["output"]["task_id"]
        seen: list[str] = []
        end = time.monotonic() + 20
        while seen[-1:] != order[-1:] and time.monotonic() < end:
            status = served.get(f"/api/v1/tasks/{task}").json()["output"]["task_status"]
            seen += [status] if seen[-1:] != [status] else []
    assert seen == [status for status in order if status in seen]
    assert seen[-1] == "POST-PROCESSING"


def test_nothing_to_wear_is_refused(client: Client) -> None:
    answer = asked(client, TRYON, {"person_image_url": "person.png"})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidGarment")
