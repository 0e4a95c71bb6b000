from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.kit.form_upload import form_fields
from tests.kit.modelstudio_server import (
    CREATE,
    EDIT,
    KEY,
    OTHER_KEY,
    PAINTING,
    SKETCH,
    Client,
    Json,
    picture,
    running_process,
    running_server,
    start,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    with running_server() as served:
        yield served


@pytest.fixture()
def client(server: Client) -> Client:
    server.set(input_timeout_seconds=None)
    return server


def refused(answer: requests.Response, status: int, code: str, message: str = "") -> None:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert body["message"].startswith(message)
    assert set(body) == {"code", "message", "request_id"}


@pytest.mark.parametrize("path", [CREATE, CREATE + "/"])
def test_create_answers_with_a_pending_task(client: Client, path: str) -> None:
    answer = client.post(client.body(SKETCH), path)
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"output", "request_id"}
    assert set(body["output"]) == {"task_id", "task_status"}
    assert body["output"]["task_status"] == "PENDING"


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON"])
def test_media_type_is_compared_without_charset(client: Client, media: str) -> None:
    assert client.post(client.body(SKETCH), **{"Content-Type": media}).status_code == 200


def test_every_accepted_key_sees_the_tasks_of_the_account(client: Client) -> None:
    task_id = client.make(client.body(SKETCH), Authorization=f"Bearer {OTHER_KEY}")
    assert client.wait(task_id)["output"]["task_status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("key", "message"),
    [("", "No API-key provided."), ("Bearer sk-wrong", "Invalid API-key provided.")],
)
def test_a_missing_or_wrong_key_is_refused_everywhere(
    client: Client, key: str, message: str
) -> None:
    refused(client.post(client.body(SKETCH), Authorization=key), 401, "InvalidApiKey", message)
    for path in ("/api/v1/tasks/x", "/api/v1/tasks", "/api/v1/uploads?action=getPolicy"):
        answer = requests.get(client.url + path, headers={"Authorization": key}, timeout=20)
        refused(answer, 401, "InvalidApiKey", message)


@pytest.mark.parametrize("value", ["", "disable"])
def test_create_without_the_async_header_is_refused(client: Client, value: str) -> None:
    answer = client.post(client.body(SKETCH), **{"X-DashScope-Async": value})
    refused(answer, 403, "AccessDenied", "current user api does not support synchronous calls")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b'{"model": "\xff"}', b"[" * 9999])
def test_a_body_that_is_no_json_object_is_refused(client: Client, body: bytes) -> None:
    refused(client.post(body), 400, "InvalidParameter", "Required body invalid")


def test_another_media_type_is_refused(client: Client) -> None:
    answer = client.post(client.body(SKETCH), **{"Content-Type": "text/plain"})
    refused(answer, 400, "InvalidParameter", "Required body invalid")


def test_an_unknown_or_missing_model_is_refused(client: Client) -> None:
    body = client.body(SKETCH)
    refused(client.post({**body, "model": "wanx-nothing"}), 400, "InvalidParameter", "Model not")
    del body["model"]
    refused(client.post(body), 400, "InvalidParameter", "Required parameter(model)")


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        (PAINTING, "prompt", None),
        (PAINTING, "prompt", "  "),
        (PAINTING, "base_image_url", None),
        (PAINTING, "mask_image_url", 7),
        (SKETCH, "sketch_image_url", ""),
        (EDIT, "images", []),
        (EDIT, "images", "http://host/one.png"),
        (EDIT, "negative_prompt", ["no"]),
    ],
)
def test_a_missing_or_mistyped_field_is_refused(
    client: Client, model: str, field: str, value: object
) -> None:
    body = client.body(model)
    body["input"][field] = value
    refused(client.post(body), 400, "InvalidParameter", f"Required parameter({field})")


@pytest.mark.parametrize("part", ["input", "parameters"])
def test_input_and_parameters_must_be_objects(client: Client, part: str) -> None:
    body = {**client.body(SKETCH), part: "text"}
    refused(client.post(body), 400, "InvalidParameter", f"Required parameter({part})")


def test_a_model_under_another_task_path_is_refused_unless_allowed(client: Client) -> None:
    path = CREATE.replace("image2image", "text2image")
    refused(client.post(client.body(SKETCH), path), 400, "InvalidParameter", "url error, please")
    client.set(strict_task_path=False)
    assert client.post(client.body(SKETCH), path).status_code == 200
    client.set(strict_task_path=None)
    refused(client.post(client.body(SKETCH), path), 400, "InvalidParameter", "url error, please")


def test_other_paths_and_methods_answer_in_json(client: Client) -> None:
    refused(client.get("/api/v1/nothing"), 404, "NotFound")
    refused(client.get(CREATE), 405, "MethodNotAllowed")


FAILURES: list[tuple[str, Json, Json, str, str]] = [
    (PAINTING, {}, {"size": "768*768"}, "InvalidParameter",
     "The size is not match the allowed size ['1024*1024', '720*1280', '1280*720']"),
    (SKETCH, {}, {"size": "1024*1024"}, "InvalidParameter",
     "The size is not match the allowed size ['768*768']"),
    (PAINTING, {}, {"n": 5}, "InvalidParameter", "Range of n should be [1, 4]"),
    (PAINTING, {}, {"n": True}, "InvalidParameter", "the parameters must conform"),
    (PAINTING, {}, {"style": "anime"}, "InvalidParameter", "The style is invalid."),
    (PAINTING, {}, {"mask_color": [[0, 0, 256]]}, "InvalidParameter", "the parameters must"),
    (SKETCH, {}, {"sketch_weight": 11}, "InvalidParameter", "Range of sketch_weight"),
    (SKETCH, {}, {"sketch_extraction": "yes"}, "InvalidParameter", "the parameters must"),
    (EDIT, {}, {"size": "767*768"}, "InvalidParameter", "the parameters must conform"),
    (EDIT, {}, {"size": "1281*1280"}, "InvalidParameter", "the parameters must conform"),
    (EDIT, {}, {"size": "2001*500"}, "InvalidParameter", "the parameters must conform"),
    (EDIT, {}, {"size": "big"}, "InvalidParameter", "the parameters must conform"),
    (EDIT, {}, {"seed": 2147483648}, "InvalidParameter", "Range of seed"),
    (EDIT, {"images": ["{}/base.png"] * 4}, {}, "InvalidParameter", "the parameters must"),
    (PAINTING, {"base_image_url": "{}/none.png"}, {}, "InvalidParameter", "download image failed"),
    (PAINTING, {"base_image_url": "http://127.0.0.1:9/a.png"}, {},
     "InvalidURL.ConnectionRefused", "Connection to 127.0.0.1:9 refused"),
    (PAINTING, {"base_image_url": "{}/stuck.png"}, {}, "InvalidURL.Timeout", "Download 127.0.0.1"),
    (PAINTING, {"base_image_url": "ftp://host/a.png"}, {}, "InvalidURL", "Invalid URL"),
    (PAINTING, {"base_image_url": "http://host/图.png"}, {}, "InvalidURL", "Invalid URL"),
    (PAINTING, {"base_image_url": "oss://key/a.png"}, {}, "InvalidURL", "Invalid URL"),
    (PAINTING, {"base_image_url": "data:image/png;base64,AAAA"}, {}, "InvalidURL", "The request"),
    (PAINTING, {"mask_image_url": "{}/small-mask.png"}, {}, "InvalidParameter",
     "the parameters must conform to the specification: the resolution of mask_image_url"),
    (PAINTING, {"base_image_url": "{}/256.png"}, {}, "InvalidParameter", "the size of input image"),
    (PAINTING, {"base_image_url": "{}/page.png"}, {}, "InvalidParameter", "image format error"),
    (PAINTING, {"base_image_url": "{}/broken.png"}, {}, "InvalidParameter", "read image error."),
    (PAINTING, {"base_image_url": "{}/photo.gif"}, {}, "InvalidParameter", "image format error"),
    (PAINTING, {"base_image_url": "{}/huge.png"}, {}, "InvalidFile.Size",
     "Invalid file size. The video/audio/image file size must be less than 10MB."),
    (SKETCH, {"sketch_image_url": "{}/none.png"}, {}, "InvalidURL", "The request URL is invalid"),
    (SKETCH, {"sketch_image_url": "{}/2049.png"}, {}, "InvalidFile.Resolution", "The image res"),
    (EDIT, {"images": ["{}/tiny.png"]}, {}, "InvalidParameter", "the size of input image"),
    (EDIT, {"images": ["{}/base.png", "{}/alpha.png"]}, {}, "InvalidParameter", "image format"),
    (EDIT, {"images": ["{}/see-through.png"]}, {}, "InvalidParameter", "image format error"),
    (EDIT, {"images": ["data:image/png;base64,!"]}, {}, "InvalidParameter", "image format error"),
    (EDIT, {"images": ["data:image/png;base64," + "A" * 10485760]}, {}, "InvalidParameter",
     "Exceeded limit on max bytes per data-uri item : 10485760"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "given", "parameters", "code", "message"), FAILURES)
def test_what_the_task_finds_wrong_arrives_as_http_200(
    client: Client, model: str, given: Json, parameters: Json, code: str, message: str
) -> None:
    if "Timeout" in code:
        client.set(input_timeout_seconds=0.3)
    body = client.body(model, **parameters)
    for name, value in given.items():
        one = isinstance(value, str)
        filled = [text.replace("{}", client.images) for text in ([value] if one else value)]
        body["input"][name] = filled[0] if one else filled
    output = client.done(body)["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", code), output
    assert output["message"].startswith(message)
    assert output["task_metrics"]["FAILED"] == output["task_metrics"]["TOTAL"]
    assert "results" not in output


@pytest.mark.parametrize(
    ("model", "name"), [(PAINTING, "257.png"), (SKETCH, "256.png"), (SKETCH, "2048.png")]
)
def test_images_at_the_edge_of_the_bounds_are_taken(client: Client, model: str, name: str) -> None:
    body = client.body(model)
    for field in body["input"]:
        if field.endswith("_url"):
            body["input"][field] = f"{client.images}/{name}"
    assert client.done(body)["output"]["task_status"] == "SUCCEEDED"


def test_inline_images_and_a_seed_as_text_are_taken(client: Client) -> None:
    body = client.body(EDIT, seed="12345", size="768*768")
    data = base64.b64encode(picture(form="JPEG")).decode()
    body["input"]["images"] = [f"data:image/jpeg;base64,{data}"]
    assert client.done(body)["output"]["task_status"] == "SUCCEEDED"
    seen = client.get("/_admin/tasks").json()["tasks"][-1]
    assert seen["body"]["input"]["images"] == [f"data:image/jpeg;base64,({len(data)} characters)"]


def test_a_long_prompt_is_cut_without_a_word(client: Client) -> None:
    body = client.body(SKETCH)
    body["input"]["prompt"] = "猫" * 80
    assert client.done(body)["output"]["task_status"] == "SUCCEEDED"
    seen = client.get("/_admin/tasks").json()["tasks"][-1]
    assert seen["texts_used"]["prompt"] == "猫" * 75
    assert seen["body"]["input"]["prompt"] == "猫" * 80


def upload(client: Client, **changes: str) -> tuple[requests.Response, str]:
    query = {"action": "getPolicy", "model": SKETCH}
    policy = client.get("/api/v1/uploads", **query).json()["data"]
    form = form_fields(policy, "sketch.png") | changes
    files = {"file": ("sketch.png", picture(), "image/png")}
    return requests.post(policy["upload_host"], data=form, files=files, timeout=20), form["key"]


def test_a_temporary_upload_is_read_with_the_header_alone(client: Client) -> None:
    answer, key = upload(client)
    assert answer.status_code == 200
    body = client.body(SKETCH)
    body["input"]["sketch_image_url"] = "oss://" + key
    resolve = {"X-DashScope-OssResourceResolve": "enable"}
    assert client.done(body, **resolve)["output"]["task_status"] == "SUCCEEDED"
    assert client.done(body)["output"]["code"] == "InvalidURL"
    other = client.body(PAINTING)
    other["input"]["base_image_url"] = other["input"]["mask_image_url"] = "oss://" + key
    assert client.done(other, **resolve)["output"]["message"] == "download image failed"


def test_an_upload_under_a_forged_policy_is_refused(client: Client) -> None:
    assert upload(client, Signature="0" * 64)[0].status_code == 403
    assert upload(client, key="elsewhere/sketch.png")[0].status_code == 403


def test_the_front_door_says_what_stands_here(client: Client) -> None:
    text = requests.get(client.url, timeout=20).text
    assert "stand-in" in text
    assert "classical methods" in text


def test_wrong_settings_are_named_and_change_nothing(client: Client) -> None:
    before = client.get("/_admin/settings").json()
    wrong: list[tuple[object, str]] = [
        ({"over_limit": "perhaps"}, "/over_limit"),
        ({"seed": 5, "no_such": 1}, "no_such"),
        ({"faults": [{"at": "create", "error": "none_such"}]}, "/faults/0/error"),
        ({"faults": [{"at": "image", "action": "hang"}]}, "/faults/0/action"),
        ({"task_seconds": -1}, "how long a task runs"),
        ([], "mapping"),
    ]
    for values, place in wrong:
        answer = client.http.post(client.url + "/_admin/settings", json=values, timeout=20)
        assert answer.status_code == 400
        assert place in answer.json()["error"]
    assert client.get("/_admin/settings").json() == before


@pytest.mark.parametrize(
    ("settings", "keys", "told"),
    [
        ("over_limit: perhaps", KEY, "/over_limit"),
        ("- a list", KEY, "expected a mapping"),
        ("{}", " , ", "DASHSCOPE_API_KEY is empty"),
    ],
)
def test_a_wrong_start_ends_with_one_plain_line(
    tmp_path: Path, settings: str, keys: str, told: str
) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(settings, encoding="utf-8")
    process = start(["--settings", str(path)], keys)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert told in output
    assert re.fullmatch(r"modelstudio: [^\n]+\n", output)


def test_the_server_stops_cleanly_when_told(tmp_path: Path) -> None:
    with running_process(tmp_path, {"task_seconds": 60}) as (client, process):
        client.wait(client.make(client.body(SKETCH)), "RUNNING")
        process.terminate()
        assert process.wait(10) == 0
