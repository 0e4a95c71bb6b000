"""Creating tasks over the service's wire: what is taken, what is refused, and in whose words."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shared.api.dashscope import DashScopeError
from shared.api.dashscope.body import read_request
from shared.catalogue.model_file import load_catalogue
from shared.storage import layout
from tests.kit.dashscope import (
    BEARER,
    BODY,
    CREATE,
    JSON,
    changed,
    create,
    created,
    poll,
    query,
    send,
    status,
)
from tests.kit.hooks import fail, once
from tests.kit.jobfile import checked
from tests.kit.world import MODEL, World, store_of


@pytest.fixture()
def world() -> World:
    return World()


def test_a_create_becomes_a_queued_job_with_an_id_of_its_own(world: World) -> None:
    reply = create(world)
    assert reply.status == 200
    assert set(reply.body) == {"output", "request_id"}
    output = reply.body["output"]
    assert output["task_status"] == "PENDING"
    assert uuid.UUID(output["task_id"]).version == 4
    assert uuid.UUID(reply.body["request_id"]) != uuid.UUID(output["task_id"])
    assert world.markers() == [output["task_id"]]
    assert world.bucket.holds(layout.WAKE)


def with_seed(seed: object) -> dict[str, Any]:
    given = {"prompt": "a tree", "images": ["https://a.example.com/b.png"]}
    body = {"model": "wan2.5-i2i-preview", "input": given, "parameters": {"seed": seed}}
    return read_request(body, load_catalogue(), resolves=False)


def test_the_java_sample_of_the_documents_is_taken() -> None:
    spec = checked(with_seed("12345")).spec
    assert spec is not None
    assert spec.parameters["seed"] == 12345


@pytest.mark.parametrize("seed", ["12x", "", "-1", 1.5, True, ["1"]])
def test_a_seed_that_is_no_number_is_refused_at_once(seed: object) -> None:
    with pytest.raises(DashScopeError, match="seed"):
        with_seed(seed)


def test_the_service_gets_the_request_as_it_was_sent(world: World) -> None:
    created(world, changed(parameters__size="1280*720", input__prompt="一只狗"))
    poll(world)
    (post,) = world.studio.posts
    assert post.body["input"] == {**BODY["input"], "prompt": "一只狗"}
    assert post.body["parameters"] == {"size": "1280*720", "n": 1}


def test_two_equal_creates_are_two_tasks_as_at_the_service(world: World) -> None:
    assert created(world) != created(world)
    assert len(world.markers()) == 2


@pytest.mark.parametrize("path", [CREATE, CREATE + "/", CREATE.replace("image2", "text2")])
def test_every_path_the_sdk_posts_to(world: World, path: str) -> None:
    assert create(world, path=path).status == 200


@pytest.mark.parametrize(
    "body",
    [
        changed(parameters=None),
        changed(parameters={}),
        changed(parameters__n=None, parameters__style=None),
        changed(input__negative_prompt=""),
        changed(input__negative_prompt=None, input__images=[]),
        changed(resources=None),
    ],
    ids=["no parameters", "empty parameters", "null", "empty text", "unknown null", "top level"],
)
def test_what_the_sdk_leaves_empty_counts_as_absent(world: World, body: dict[str, Any]) -> None:
    job = created(world, body)
    poll(world)
    assert status(world, job) == "SUCCEEDED"
    assert set(world.studio.posts[0].body["input"]) == set(BODY["input"])


def refused(world: World, reply: Any) -> tuple[int, str]:
    """A refusal leaves no job behind."""
    assert world.bucket.keys() == []
    assert uuid.UUID(reply.body["request_id"])
    refusal: tuple[int, str] = reply.refusal
    return refusal


def test_without_a_token_or_with_a_wrong_one(world: World) -> None:
    none = create(world, Authorization="")
    assert refused(world, none) == (401, "InvalidApiKey")
    assert none.body["message"] == "No API-key provided."
    wrong = create(world, Authorization="Bearer sk-wrong")
    assert refused(world, wrong) == (401, "InvalidApiKey")
    assert wrong.body["message"] == "Invalid API-key provided."


def test_without_the_async_header(world: World) -> None:
    reply = create(world, X_DashScope_Async="")
    assert refused(world, reply) == (403, "AccessDenied")
    assert reply.body["message"] == "current user api does not support synchronous calls."


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"\xff{}", b'{"model": "brush", "model": "brush"}', b"[" * 9999],
)
def test_a_body_that_is_no_json_object(world: World, body: bytes) -> None:
    reply = create(world, body)
    assert refused(world, reply) == (400, "InvalidParameter")
    assert reply.body["message"].startswith("Required body invalid, please check the request body")


def test_a_body_of_another_media_type(world: World) -> None:
    assert refused(world, create(world, Content_Type="text/plain")) == (400, "InvalidParameter")


def test_a_body_that_is_too_large(world: World) -> None:
    app = world.app(job_file_bytes=50)
    reply = send(app, "POST", CREATE, b"x" * 51, BEARER | JSON)
    assert refused(world, reply) == (400, "BadRequest.TooLarge")


def test_a_path_that_no_model_has(world: World) -> None:
    reply = create(world, path=CREATE.replace("image2image", "text2speech"))
    assert refused(world, reply) == (400, "InvalidParameter")
    assert reply.body["message"].startswith("url error")


def test_an_unknown_model(world: World) -> None:
    reply = create(world, changed(model="brsh"))
    assert refused(world, reply) == (400, "InvalidParameter")
    assert reply.body["message"].startswith("Model not exist.")
    assert MODEL in reply.body["message"]


@pytest.mark.parametrize(
    ("places", "names"),
    [
        ({"model": None}, "model"),
        ({"model": 5}, "model"),
        ({"input": None}, "input"),
        ({"input": ["prompt"]}, "input"),
        ({"parameters": [1]}, "parameters"),
        ({"input__prompt": ""}, "prompt"),
        ({"input__prompt": "  ", "input__mask_image_url": None}, "prompt, mask_image_url"),
        ({"input__base_image_url": ["https://a/b.png"]}, "base_image_url"),
        ({"parameters__n": "two"}, "n"),
        ({"parameters__n": True}, "n"),
        ({"parameters__mask_color": [[0, 0, "0"]]}, "mask_color"),
    ],
)
def test_fields_that_are_missing_or_of_another_type(
    world: World, places: dict[str, Any], names: str
) -> None:
    reply = create(world, changed(**places))
    assert refused(world, reply) == (400, "InvalidParameter")
    assert reply.body["message"].startswith(f"Required parameter({names}) missing or invalid")


@pytest.mark.parametrize(
    ("places", "pointer"),
    [
        ({"parameters__n": 5}, "/parameters/n"),
        ({"parameters__size": "10*10"}, "/parameters/size"),
        ({"parameters__style": "none"}, "/parameters/style"),
        ({"input__base_image_url": "https://a.invalid/图.png"}, "/input/base_image_url"),
        ({"input__base_image_url": "oss:///state/wake/poll"}, "/input/base_image_url"),
        ({"input__base_image_url": "oss:///inputs/none.png"}, "/input/base_image_url"),
    ],
)
def test_what_the_service_finds_in_the_task_is_a_failed_task_that_costs_nothing(
    world: World, places: dict[str, Any], pointer: str
) -> None:
    job = created(world, changed(**places))
    poll(world)
    output = query(world, job)["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "InvalidParameter")
    assert pointer in output["message"]
    assert world.states(job) == ["REJECTED"]
    assert world.studio.posts == []


def test_every_violation_is_in_the_message(world: World) -> None:
    job = created(world, changed(parameters__n=5, parameters__size="10*10"))
    message = query(world, job)["output"]["message"]
    assert "/parameters/n" in message
    assert "/parameters/size" in message


def test_a_store_in_trouble_is_a_503_in_the_shape_of_the_service(world: World) -> None:
    app = world.app()
    store_of(app).before.append(once("create", "records", fail))
    reply = send(app, "GET", "/api/v1/tasks/x")
    assert reply.status == 200
    store_of(app).before.append(once("read", "records", fail))
    assert send(app, "GET", "/api/v1/tasks/x").refusal == (503, "ServiceUnavailable")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1", (404, "NotFound")),
        ("GET", "/api/v1/services/aigc/text-generation/generation", (405, "MethodNotAllowed")),
        ("DELETE", "/api/v1/tasks/x", (405, "MethodNotAllowed")),
        ("GET", CREATE, (405, "MethodNotAllowed")),
    ],
)
def test_unknown_paths_and_methods(
    world: World, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert send(world, method, path).refusal == expected


def test_paths_outside_keep_their_own_kind_of_error(world: World) -> None:
    reply = send(world, "GET", "/nowhere")
    assert reply.headers["content-type"] == "application/problem+json"
    assert "request_id" not in reply.body


def test_fields_that_no_document_names_are_ignored_as_the_service_does(world: World) -> None:
    job = created(world, changed(parameters__strength=1, input__hurry=True))
    poll(world)
    assert world.state(job) == "SUCCEEDED"
    (post,) = world.studio.posts
    assert "strength" not in post.body["parameters"]
    assert "hurry" not in post.body["input"]


def test_what_is_empty_within_an_object_counts_as_absent() -> None:
    terms = [{"src": "a", "tgt": "b", "note": None}]
    ext: dict[str, Any] = {
        "domainHint": None,
        "sensitives": [],
        "config": {},
        "terminologies": terms,
    }
    given = {"image_url": "https://a.example.com/b.png", "source_lang": "zh", "target_lang": "en"}
    body = {"model": "qwen-mt-image", "input": {**given, "ext": ext}}
    sent = read_request(body, load_catalogue(), resolves=False)
    assert sent["input"] == {**given, "ext": {"terminologies": [{"src": "a", "tgt": "b"}]}}
    assert checked(sent).spec is not None


def test_an_object_of_nothing_but_empty_fields_is_absent() -> None:
    given = {"base_image_url": "https://a.example.com/b.png", "ref_prompt": "a table"}
    edge: dict[str, Any] = {
        "foreground_edge": None,
        "background_edge": [],
        "background_edge_prompt": [],
    }
    body = {
        "model": "wanx-background-generation-v2",
        "input": {**given, "reference_edge": edge},
    }
    assert read_request(body, load_catalogue(), resolves=False)["input"] == given


def test_an_older_name_within_an_object_is_not_dropped_without_a_word() -> None:
    given = {"image_url": "https://a.example.com/b.png", "source_lang": "zh", "target_lang": "en"}
    ext = {"config": {"skipImgSegment": True}}
    body = {"model": "qwen-mt-image", "input": {**given, "ext": ext}}
    sent = read_request(body, load_catalogue(), resolves=False)
    assert "imageSegment" in checked(sent).violations[0].message


def test_an_id_of_another_region_leads_to_the_name_here() -> None:
    body = {"model": "wan2.1-t2i-plus", "input": {"prompt": "a cat"}}
    with pytest.raises(DashScopeError, match=r"did you mean wanx2\.1-t2i-plus\?"):
        read_request(body, load_catalogue(), resolves=False)
