"""Requests in OpenAI's form become jobs, and their answers have OpenAI's form."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from shared.api.openai import view
from tests.kit.openai import (
    BEARER,
    ask,
    edit,
    form,
    generate,
    later,
    mask,
    png,
    world_of,
)
from tests.kit.world import World

PAINTER, TALKER, FUSER, EDITOR, REPAINTER = (
    "wan2.5-t2i-preview",
    "z-image-turbo",
    "wan2.5-i2i-preview",
    "wanx2.1-imageedit",
    "wanx-x-painting",
)


@pytest.fixture()
def world() -> World:
    return world_of(PAINTER, TALKER, FUSER, EDITOR, REPAINTER)


def sent(world: World) -> Any:
    """The body of the one request to the service."""
    (post,) = world.studio.posts
    return post.body


def test_an_image_is_made_and_answered_with_our_own_link(world: World) -> None:
    later(world)
    reply = generate(world, model=PAINTER, prompt="a cat", size="1280x1280")
    assert reply.urls == [f"https://bucket.invalid/results/{reply.job}/image-1.png?expires=604800"]
    assert isinstance(reply.body["created"], int)
    assert reply.body["usage"]["image_count"] == 1
    assert reply.headers["x-request-id"]
    assert sent(world)["parameters"]["size"] == "1280*1280"
    assert sent(world)["parameters"]["n"] == 1, "OpenAI's default, and not the model's own 4"


def test_images_come_as_base64(world: World) -> None:
    later(world)
    reply = generate(world, model=PAINTER, prompt="a cat", n=2, response_format="b64_json")
    assert reply.status == 200, reply.body
    bodies = [base64.b64decode(one["b64_json"]) for one in reply.body["data"]]
    stored = [world.bucket.peek(f"results/{reply.job}/image-{n}.png") for n in (1, 2)]
    assert bodies == stored
    assert len(json.dumps(reply.body)) == int(reply.headers["content-length"])


def test_base64_that_no_answer_holds_names_url_which_gets_the_same_images(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "ANSWER_BYTES", 100)
    later(world)
    reply = generate(world, model=PAINTER, prompt="a cat", response_format="b64_json")
    assert reply.status == 400
    assert reply.error["param"] == "response_format"
    assert "response_format: url" in reply.error["message"]
    again = generate(world, model=PAINTER, prompt="a cat", response_format="url")
    assert again.job == reply.job
    assert len(again.urls) == len(world.studio.posts) == 1


def test_fields_of_the_model_s_own_are_taken(world: World) -> None:
    later(world)
    fields: dict[str, Any] = {
        "negative_prompt": "dogs",
        "seed": 7,
        "quality": "auto",
        "user": "someone",
    }
    reply = generate(world, model=PAINTER, prompt="a cat", size="auto", **fields)
    assert reply.status == 200, reply.body
    assert sent(world)["input"] == {"prompt": "a cat", "negative_prompt": "dogs"}
    assert "size" not in sent(world)["parameters"]
    assert "quality" not in sent(world)["parameters"]
    assert sent(world)["parameters"]["seed"] == 7
    assert ask(world, "GET", f"/jobs/{reply.job}").body["labels"] == {"user": "someone"}


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"n": 9}, "n", "n: "),
        ({"size": "10x10"}, "size", "size: "),
        ({"quality": "high"}, "quality", "quality"),
        ({"prompt": " "}, "prompt", "prompt: "),
        ({"job": {"priority": 1}}, "job", "send the job to POST /jobs"),
        ({"webhook": "https://example.com/"}, "webhook", "send the job to POST /jobs"),
        ({"parameters": {"n": 1}}, "parameters", "beside model and prompt"),
        ({"response_format": "gif"}, "response_format", "url or b64_json"),
        ({"model": None}, "model", "the name of a model"),
        ({"image": "oss:///inputs/a.png"}, "image", "/v1/images/edits"),
    ],
)
def test_a_mistake_names_its_field_and_costs_nothing(
    world: World, fields: dict[str, Any], param: str, words: str
) -> None:
    begun = world.timeline.now
    reply = generate(world, **{"model": PAINTER, "prompt": "a cat"} | fields)
    assert reply.status == 400
    assert reply.error["type"] == "invalid_request_error"
    assert reply.error["param"] == param
    assert words in reply.error["message"]
    assert "/parameters/" not in reply.error["message"]
    assert "top level" not in reply.error["message"]
    assert world.timeline.now - begun < 1
    assert world.markers() == []


def test_all_mistakes_are_told_at_once(world: World) -> None:
    message = generate(world, model=PAINTER, prompt="a cat", n=9, size="10x10").error["message"]
    first, second = message.split("; n: " if message.startswith("size: ") else "; size: ")
    assert first.startswith(("n: ", "size: "))
    assert second
    assert "/parameters" not in message


def test_a_model_that_is_not_there_is_404(world: World) -> None:
    reply = generate(world, model="dall-e-3", prompt="a cat")
    assert (reply.status, reply.error["code"]) == (404, "model_not_found")
    assert PAINTER in reply.error["message"]


def test_several_images_are_edited_into_one(world: World) -> None:
    later(world)
    files = [("image[]", png(colour="red")), ("image[]", png(colour="blue"))]
    reply = edit(world, files, model=FUSER, prompt="join them", n="1", seed="5")
    assert len(reply.urls) == 1
    keys = world.bucket.keys("inputs/")
    assert [world.bucket.peek(key) for key in keys] == [body for _, body in files]
    assert [key in url for key, url in zip(keys, sent(world)["input"]["images"], strict=True)]
    assert sent(world)["parameters"]["seed"] == 5


def test_the_transparent_part_of_a_mask_is_what_changes(world: World) -> None:
    for model, implied in ((EDITOR, "description_edit_with_mask"), (REPAINTER, None)):
        later(world)
        files = [("image", png(colour=(model == EDITOR and "red") or "blue")), ("mask", mask())]
        assert edit(world, files, model=model, prompt="a hat").status == 200
        body = world.studio.posts[-1].body
        assert body["input"].get("function") == implied
        key = body["input"]["mask_image_url"].split("/", 3)[3].partition("?")[0]
        made = Image.open(io.BytesIO(world.bucket.peek(key)))
        assert made.mode == "L"
        assert (made.getpixel((10, 10)), made.getpixel((400, 400))) == (255, 0)


def test_without_a_mask_the_whole_picture_is_edited(world: World) -> None:
    later(world)
    assert edit(world, [("image", png())], model=EDITOR, prompt="a hat").status == 200
    assert sent(world)["input"]["function"] == "description_edit"


def test_a_mask_without_transparency_is_the_model_s_own(world: World) -> None:
    later(world)
    own = Image.new("L", (600, 600), 0)
    own.paste(255, (0, 0, 100, 100))
    made = io.BytesIO()
    own.save(made, "PNG")
    files = [("image", png()), ("mask", made.getvalue())]
    assert edit(world, files, model=EDITOR, prompt="a hat").status == 200
    (key,) = [key for key in world.bucket.keys("inputs/") if "mask" in key]
    assert world.bucket.peek(key) == made.getvalue()


@pytest.mark.parametrize(
    ("files", "model", "param", "words"),
    [
        ([], EDITOR, "image", "there is no image"),
        ([("image", b"no image at all")], EDITOR, "image", "none of"),
        ([("image", png()), ("mask", mask((512, 512)))], EDITOR, "mask", "512"),
        ([("image", png()), ("mask", mask(hole=(0, 0, 0, 0)))], EDITOR, "mask", "white"),
        ([("image", png()), ("mask", png(mode="RGBA")[:200])], EDITOR, "mask", "mask"),
        ([("image", png()), ("mask", mask())], FUSER, "mask", "takes no mask"),
        ([("image", png())], PAINTER, "image", "takes no images"),
        ([("image[]", png()), ("image[]", png())], EDITOR, "image", "takes one image"),
        ([("image", png((100, 100)))], EDITOR, "image", "100"),
    ],
)
def test_wrong_files_are_refused_before_anything_is_paid(
    world: World, files: list[tuple[str, bytes]], model: str, param: str, words: str
) -> None:
    reply = edit(world, files, model=model, prompt="a hat")
    assert reply.status == 400
    assert reply.error["param"] == param, reply.error
    assert words in reply.error["message"]
    assert world.markers() == []


def test_uploads_above_the_limit_are_refused_unread(world: World) -> None:
    app = world.app(job_file_bytes=5000)
    reply = edit(app, [("image", png() + bytes(5000))], model=EDITOR, prompt="a hat")
    assert (reply.status, reply.error["code"]) == (413, "too_large")
    assert "/uploads" in reply.error["message"]
    assert world.bucket.keys() == []


def test_images_may_be_named_in_json(world: World) -> None:
    later(world)
    world.bucket.write("inputs/a/base.png", png())
    world.bucket.write("inputs/a/mask.png", mask())
    body: dict[str, Any] = {"model": EDITOR, "prompt": "a hat"}
    body["mask"] = {"image_url": "oss:///inputs/a/mask.png"}
    body["images"] = [{"image_url": "oss:///inputs/a/base.png"}]
    headers = BEARER | {"Content-Type": "application/json"}
    reply = ask(world, "POST", "/v1/images/edits", json.dumps(body).encode(), headers)
    assert reply.status == 200, reply.body
    assert "inputs/a/base.png" in sent(world)["input"]["base_image_url"]
    assert "inputs/a/mask.png" not in sent(world)["input"]["mask_image_url"]


def test_a_mask_at_an_address_cannot_be_converted(world: World) -> None:
    body = {"model": EDITOR, "prompt": "a hat", "image": "https://pictures.invalid/a.png"}
    headers = BEARER | {"Content-Type": "application/json"}
    raw = json.dumps({**body, "mask": "https://pictures.invalid/m.png"}).encode()
    reply = ask(world, "POST", "/v1/images/edits", raw, headers)
    assert (reply.status, reply.error["param"]) == (400, "mask")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Authorization": "Bearer nobody"}, b"{}", 401),
        ({"Authorization": ""}, b"{}", 401),
        (BEARER | {"Content-Type": "application/json"}, b"{", 400),
        (BEARER | {"Content-Type": "application/json"}, b"[]", 400),
        (BEARER | {"Content-Type": "text/plain"}, b"{}", 400),
        (BEARER | {"Content-Type": "multipart/form-data; boundary=x"}, b"nonsense", 400),
        (BEARER | {"Content-Type": "multipart/form-data"}, b"nonsense", 400),
        (BEARER | {"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"{}", 415),
    ],
)
def test_what_is_no_request_is_refused_in_openai_s_form(
    world: World, headers: dict[str, str], body: bytes, status: int
) -> None:
    reply = ask(world, "POST", "/v1/images/generations", body, headers)
    assert reply.status == status
    assert reply.error["message"]
    assert world.bucket.keys() == []


def test_other_paths_and_methods_are_refused_in_openai_s_form(world: World) -> None:
    assert ask(world, "GET", "/v1/images/generations").error["code"] == "method_not_allowed"
    assert ask(world, "POST", "/v1/chat/completions", b"{}").error["code"] == "not_found"


def test_the_models_are_those_of_the_catalogue(world: World) -> None:
    listed = ask(world, "GET", "/v1/models").body
    assert listed["object"] == "list"
    assert {one["id"] for one in listed["data"]} == {m.name for m in world.models}
    one = ask(world, "GET", f"/v1/models/{PAINTER}").body
    assert one in listed["data"]
    assert one["object"] == "model"
    assert ask(world, "GET", "/v1/models/gpt-image-1").error["code"] == "model_not_found"


def test_a_form_with_too_many_fields_is_refused(world: World) -> None:
    raw = form([], {f"field{n}": "x" for n in range(100)})
    headers = BEARER | {"Content-Type": "multipart/form-data; boundary=a-boundary"}
    assert ask(world, "POST", "/v1/images/edits", raw, headers).status == 400


@pytest.mark.parametrize("field", ["prompt", "image", "mask"])
def test_a_text_of_a_form_that_is_not_utf_8_costs_nothing(world: World, field: str) -> None:
    head = 'Content-Disposition: form-data; name="{}"\r\n\r\n'
    texts = {"model": b"wan2.5-i2i-preview", "prompt": b"a", "image": b"oss:///inputs/a.png"}
    texts |= {field: "Käse".encode("latin-1")}
    body = b"".join(
        b"--x\r\n" + head.format(name).encode() + text + b"\r\n" for name, text in texts.items()
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    reply = ask(world, "POST", "/v1/images/edits", body + b"--x--\r\n", BEARER | kind)
    assert (reply.status, reply.error["param"]) == (400, field)
    assert "Byte 2 of" in reply.error["message"]
    assert world.markers() == []
