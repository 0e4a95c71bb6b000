"""The SDK's uploads: a policy, a form, an `oss://` address."""

from __future__ import annotations

import base64
import io
import json
import re
import uuid
from dataclasses import replace
from typing import Any

import pytest
import requests
from PIL import Image

from tests.kit.dashscope import BEARER, Reply, changed, created, poll, query, send
from tests.kit.form_upload import form_fields
from tests.kit.world import MODEL, World, model

POLICY = f"/api/v1/uploads?action=getPolicy&model={MODEL}"
FORM = "/api/v1/uploads/form"
RESOLVE = {"X_DashScope_OssResourceResolve": "enable"}


def png(side: int = 300, colour: str = "white") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(made, "PNG")
    return made.getvalue()


PICTURE = png()


@pytest.fixture()
def world() -> World:
    return World()


def policy(world: World) -> dict[str, Any]:
    reply = send(world, "GET", POLICY)
    assert reply.status == 200, reply.body
    data: dict[str, Any] = reply.body["data"]
    return data


def post(
    world: World, given: dict[str, Any], name: str, data: bytes = PICTURE, **changes: str
) -> Reply:
    """The form as the SDK sends it, built by the library that it uses."""
    fields = form_fields(given, name) | {"x-oss-content-type": "image/png"} | changes
    request = requests.Request(
        "POST", given["upload_host"], data=fields, files={"file": (name, data)}
    ).prepare()
    assert isinstance(request.body, bytes)
    return send(world, "POST", FORM, request.body, dict(request.headers))


def stored(world: World) -> list[str]:
    return [key for key in world.bucket.keys("") if not key.startswith("state/")]


def test_a_policy_has_the_fields_the_sdk_reads(world: World) -> None:
    given = policy(world)
    assert given["upload_host"] == f"https://fn.example.com{FORM}"
    folder = given["upload_dir"]
    assert re.fullmatch(r"uploads/[0-9a-f-]{36}", folder)
    assert uuid.UUID(folder.partition("/")[2]).version == 4
    assert given["x_oss_forbid_overwrite"] == "true"
    assert given["expire_in_seconds"] > 0
    assert {"oss_access_key_id", "x_oss_object_acl", "max_file_size_mb"} <= set(given)
    assert policy(world)["upload_dir"] != folder


def test_a_policy_for_an_unknown_model_or_action(world: World) -> None:
    unknown = send(world, "GET", POLICY.replace(MODEL, "nope"))
    assert unknown.refusal == (400, "InvalidParameter")
    other = send(world, "GET", POLICY.replace("getPolicy", "putPolicy"))
    assert other.refusal == (400, "InvalidParameter")
    assert send(world, "GET", POLICY, headers={}).refusal == (401, "InvalidApiKey")


@pytest.mark.parametrize("name", ["cat.png", "图 a.png", "it's 100%?&#+.png", "a..png"])
def test_an_uploaded_file_is_an_object_of_the_bucket_and_an_input(world: World, name: str) -> None:
    given = policy(world)
    assert post(world, given, name).status == 200
    key = f"{given['upload_dir']}/{name}"
    assert stored(world) == [key]
    assert world.bucket.peek(key) == PICTURE
    assert world.bucket.objects[key].content_type == "image/png"
    created(world, changed(input__base_image_url=f"oss://{key}"), **RESOLVE)
    poll(world)
    (sent,) = world.studio.posts
    assert sent.body["input"]["base_image_url"] == f"https://bucket.invalid/{key}?expires=21600"


def test_an_uploaded_file_is_held_against_the_model_s_rules(world: World) -> None:
    given = policy(world)
    post(world, given, "small.png", png(100))
    address = f"oss://{given['upload_dir']}/small.png"
    job = created(world, changed(input__base_image_url=address), **RESOLVE)
    assert "100x100" in query(world, job)["output"]["message"]


def test_without_the_header_an_upload_is_no_input(world: World) -> None:
    given = policy(world)
    post(world, given, "cat.png")
    job = created(world, changed(input__base_image_url=f"oss://{given['upload_dir']}/cat.png"))
    output = query(world, job)["output"]
    assert output["task_status"] == "FAILED"
    assert "X-DashScope-OssResourceResolve" in output["message"]


def test_the_same_file_twice_is_one_and_another_of_its_name_is_refused(world: World) -> None:
    given = policy(world)
    assert post(world, given, "cat.png").status == 200
    assert post(world, given, "cat.png").status == 200
    assert post(world, given, "cat.png", png(colour="red")).refusal == (409, "FileAlreadyExists")
    assert world.bucket.peek(f"{given['upload_dir']}/cat.png") == PICTURE


def test_an_expired_policy(world: World) -> None:
    given = policy(world)
    world.timeline.wait(given["expire_in_seconds"] + 1)
    reply = post(world, given, "cat.png")
    assert reply.refusal == (403, "AccessDenied")
    assert reply.body["message"] == "Invalid according to Policy: Policy expired."
    assert stored(world) == []


def test_a_forged_policy(world: World) -> None:
    given = policy(world)
    terms = json.loads(base64.b64decode(given["policy"]))
    forged = base64.b64encode(json.dumps(terms | {"dir": "results"}).encode()).decode()
    reply = post(world, given, "x", policy=forged, key="results/x")
    assert reply.refusal == (403, "AccessDenied")
    assert post(world, given, "x", Signature="").refusal == (403, "AccessDenied")
    assert post(world, given, "x", policy="").refusal == (403, "AccessDenied")
    assert stored(world) == []


def test_another_deployment_s_policy_is_refused(world: World) -> None:
    other = world.app(api_key="sk-another")
    given = send(other, "GET", POLICY, headers=BEARER).body["data"]
    assert post(world, given, "cat.png").refusal == (403, "AccessDenied")


@pytest.mark.parametrize(
    "key",
    [
        "results/cat/image-1.png",
        "results/aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa/image-1.png",
        "{dir}/../../state/wake/poll",
        "{dir}/a/b.png",
        "{dir}/..",
        "{dir}/",
        "{dir}",
        "{dir}2/a.png",
        "{dir}/a\nb.png",
        "{dir}/a\\b.png",
        "{dir}/" + "图" * 100,
        "",
        "/{dir}/a.png",
    ],
)
def test_no_key_leaves_the_folder_of_its_policy(world: World, key: str) -> None:
    given = policy(world)
    reply = post(world, given, "a.png", key=key.replace("{dir}", given["upload_dir"]))
    assert reply.refusal == (403, "AccessDenied")
    assert stored(world) == []


def test_a_file_that_is_too_large(world: World) -> None:
    given = policy(world)
    reply = post(world, given, "big.png", bytes(11 * 1024 * 1024))
    assert reply.refusal == (400, "BadRequest.TooLarge")
    assert stored(world) == []


@pytest.mark.parametrize(("taken", "most"), [(20, 20), (5, 5), (100, 20)])
def test_a_policy_allows_what_its_model_takes(world: World, taken: int, most: int) -> None:
    rules = tuple(replace(rule, max_bytes=taken * 1024 * 1024) for rule in model().images)
    world.models = (replace(model(), images=rules),)
    given = policy(world)
    assert given["max_file_size_mb"] == most
    for more, status in ((0, 200), (1, 400)):
        data = bytes((most + more) * 1024 * 1024)
        assert post(world, given, f"{more}.png", data).status == status


def test_what_could_be_run_in_a_browser_is_stored_as_mere_bytes(world: World) -> None:
    given = policy(world)
    for name, body in (("page.png", b"<html>"), ("picture.svg", b"<svg/>")):
        assert post(world, given, name, body).status == 200
        key = f"{given['upload_dir']}/{name}"
        assert world.bucket.objects[key].content_type == "application/octet-stream"


MULTIPART = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        (MULTIPART, b""),
        (MULTIPART, b"--b\r\nContent-Disposition: form-data; name=key\r\n\r\nx\r\n--b--\r\n"),
        (MULTIPART, b"--b\r\nbroken"),
        (MULTIPART, b"--b\r\nContent-Disposition: \xff\r\n\r\nx\r\n--b--\r\n"),
        (MULTIPART, b"--b\r\nContent-Disposition: form-data; name=key\r\n\r\n" + b"x" * 99_999),
    ],
)
def test_a_form_that_is_none(world: World, kind: str, body: bytes) -> None:
    status, _code = send(world, "POST", FORM, body, {"Content-Type": kind}).refusal
    assert status == 400
    assert stored(world) == []
