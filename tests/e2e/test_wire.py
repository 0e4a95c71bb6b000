"""Programs that speak the service's own wire, pointed at the laptop cloud's `/api/v1`."""

from __future__ import annotations

import io
import json
import time
import uuid
from typing import Any

import pytest
import requests
from PIL import Image

from tests.e2e.conftest import ROOT, Cloud
from tests.e2e.test_jobs import EDIT, FUSION, INPAINTING, SKETCH
from tests.kit.form_upload import form_fields

CREATE = "/api/v1/services/aigc/image2image/image-synthesis"
ASYNC = {"X-DashScope-Async": "enable"}
OVER = ("SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN")


class Wire:
    """What a client of the service does, one method a call."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.base = cloud.env["API_URL"]

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.cloud.env['API_TOKEN']}"}
        headers |= more.pop("headers", {})
        return requests.request(method, self.base + path, headers=headers, timeout=30, **more)

    def create(self, body: Any, path: str = CREATE, **headers: str) -> requests.Response:
        headers = ASYNC | {"Content-Type": "application/json; charset=utf-8"} | headers
        return self.send("POST", path, data=json.dumps(body).encode(), headers=headers)

    def created(self, body: Any, **headers: str) -> str:
        answer = self.create(body, **headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["output"]["task_status"] == "PENDING"
        return str(answer.json()["output"]["task_id"])

    def query(self, task: str) -> dict[str, Any]:
        answer = self.send("GET", f"/api/v1/tasks/{task}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        assert uuid.UUID(body["request_id"])
        return body

    def wait(self, task: str) -> dict[str, Any]:
        end = time.monotonic() + 60
        while (body := self.query(task))["output"]["task_status"] not in OVER:
            assert time.monotonic() < end, body
            time.sleep(0.05)
        return body

    def cancel(self, task: str) -> requests.Response:
        return self.send("POST", f"/api/v1/tasks/{task}/cancel")

    def upload(self, name: str, data: bytes) -> str:
        """A file as the SDK uploads it; returns its `oss://` address."""
        asked = {"action": "getPolicy", "model": INPAINTING["model"]}
        policy = self.send("GET", "/api/v1/uploads", params=asked).json()["data"]
        fields = form_fields(policy, name) | {"x-oss-content-type": "image/png"}
        posted = requests.post(
            policy["upload_host"], data=fields, files={"file": (name, data)}, timeout=30
        )
        assert posted.status_code == 200, posted.text
        return f"oss://{fields['key']}"


@pytest.fixture()
def wire(cloud: Cloud) -> Wire:
    return Wire(cloud)


@pytest.mark.parametrize("body", [INPAINTING, SKETCH, EDIT, FUSION], ids=lambda b: b["model"])
def test_a_task_of_each_model_ends_in_images_at_our_own_addresses(
    wire: Wire, body: dict[str, Any]
) -> None:
    wanted = body["parameters"]["n"]
    answer = wire.wait(wire.created(body))
    output = answer["output"]
    assert output["task_status"] == "SUCCEEDED"
    assert output["submit_time"] <= output["scheduled_time"] <= output["end_time"]
    assert output["task_metrics"] == {"TOTAL": wanted, "SUCCEEDED": wanted, "FAILED": 0}
    assert answer["usage"]["image_count"] == wanted == len(output["results"])
    for result in output["results"]:
        assert result["url"].startswith(wire.cloud.env["OSS_ENDPOINT"])
        picture = requests.get(result["url"], timeout=30)
        assert picture.headers["Content-Type"] == "image/png"
        assert Image.open(io.BytesIO(picture.content)).format == "PNG"


def test_the_rewritten_prompt_is_told_where_the_service_tells_it(wire: Wire) -> None:
    (result,) = wire.wait(wire.created(EDIT))["output"]["results"]
    assert result["orig_prompt"] == "make it sunset"
    assert result["actual_prompt"] != result["orig_prompt"]


def test_local_pictures_go_through_the_upload_whatever_their_names(wire: Wire) -> None:
    base = wire.upload("猫 一.jpg", (ROOT / "examples/inputs/cat.jpg").read_bytes())
    mask = wire.upload("mask.png", (ROOT / "examples/inputs/cat-mask.png").read_bytes())
    pictures = {"base_image_url": base, "mask_image_url": mask}
    body = {**INPAINTING, "input": {"prompt": "a cat 猫", "negative_prompt": "", **pictures}}
    resolve = {"X-DashScope-OssResourceResolve": "enable"}
    assert wire.wait(wire.created(body, **resolve))["output"]["task_status"] == "SUCCEEDED"
    failed = wire.wait(wire.created(body))["output"]
    assert failed["task_status"] == "FAILED"
    assert "X-DashScope-OssResourceResolve" in failed["message"]


def test_what_is_out_of_range_is_a_failed_task_that_never_reached_the_service(wire: Wire) -> None:
    before = wire.cloud.creates()
    output = wire.query(wire.created({**SKETCH, "parameters": {"n": 9}}))["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "InvalidParameter")
    assert "/parameters/n" in output["message"]
    assert wire.cloud.creates() == before


def test_what_waits_is_pending_and_can_be_canceled(wire: Wire) -> None:
    """The model runs one task at a time and lets one more wait, so most of these wait here."""
    before = wire.cloud.creates()
    tasks = [wire.created(SKETCH) for _ in range(5)]
    assert wire.query(tasks[-1])["output"]["task_status"] == "PENDING"
    answer = wire.cancel(tasks[-1])
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["request_id"]
    assert wire.query(tasks[-1])["output"]["task_status"] == "CANCELED"
    assert wire.cloud.manifest(tasks[-1])["state"] == "CANCELED"
    assert {wire.wait(task)["output"]["task_status"] for task in tasks[:-1]} == {"SUCCEEDED"}
    assert wire.cloud.creates() == before + 4
    again = wire.cancel(tasks[0])
    assert (again.status_code, again.json()["code"]) == (400, "UnsupportedOperation")


def test_jobs_are_listed_newest_first_wherever_they_came_from(wire: Wire) -> None:
    wire.cloud.drop("e2e-wire-listed.yaml", json.dumps(EDIT))
    dropped = wire.cloud.manifest("e2e-wire-listed")["job"]
    task = wire.created(EDIT)
    wire.wait(task)
    for path in ("/api/v1/tasks", "/api/v1/tasks/"):
        asked = {"model_name": EDIT["model"], "status": "SUCCEEDED", "page_size": "2"}
        listed = wire.send("GET", path, params=asked).json()
        assert [row["task_id"] for row in listed["data"]] == [task, dropped]
        assert listed["total"] >= 2
        assert {row["status"] for row in listed["data"]} == {"SUCCEEDED"}
    assert wire.query(dropped)["output"]["task_status"] == "SUCCEEDED"


def test_an_id_that_never_was_is_unknown(wire: Wire) -> None:
    missing = str(uuid.uuid4())
    assert wire.query(missing)["output"] == {"task_id": missing, "task_status": "UNKNOWN"}


def test_refusals_have_the_shape_of_the_service(wire: Wire) -> None:
    wrong = wire.create(EDIT, Authorization="Bearer sk-wrong")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "InvalidApiKey")
    waiting = wire.create(EDIT, **{"X-DashScope-Async": ""})
    assert (waiting.status_code, waiting.json()["code"]) == (403, "AccessDenied")
    lost = wire.send("GET", "/api/v1/nowhere")
    assert (lost.status_code, set(lost.json())) == (404, {"code", "message", "request_id"})
