"""A job written with messages, as the service takes them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.jobfile import Checked, canonical
from tests.kit.jobfile import URL, Reader, at, checked, checked_yaml, image, job_for, native, only

WAN, QWEN, TURBO, EDITING = (
    "wan2.7-image",
    "qwen-image-3.0",
    "z-image-turbo",
    "qwen-image-edit-plus",
)
TEXT = {"text": "a cat"}
CONTENT = "/input/messages/0/content"


def places(found: Checked) -> list[str]:
    return [one.pointer for one in found.violations]


def test_both_forms_ask_for_the_same() -> None:
    flat = {"images": [URL, URL + "?2"], "negative_prompt": "dogs"}
    written = native(QWEN, {"image": URL}, {"image": URL + "?2"}, TEXT)
    written["parameters"] = {"negative_prompt": "dogs", "n": 2}
    one = checked(job_for(QWEN, input=flat, parameters={"n": 2})).spec
    other = checked(written).spec
    assert one is not None
    assert other is not None
    assert canonical(one) == canonical(other)
    assert one.images == other.images
    assert other.input == {"prompt": "a cat", **flat}


def test_a_part_may_say_what_it_is() -> None:
    typed = native(WAN, {"type": "image", "image": URL}, {"type": "text", **TEXT})
    assert checked(typed).spec == checked(native(WAN, {"image": URL}, TEXT)).spec


def test_the_order_of_images_is_kept_wherever_the_text_stands() -> None:
    spec = checked(native(WAN, {"image": URL}, TEXT, {"image": URL + "?2"})).spec
    assert spec is not None
    assert spec.input["images"] == [URL, URL + "?2"]


@pytest.mark.parametrize(
    ("model", "defaults"), [(WAN, {"n": 1, "size": "2K"}), (TURBO, {"prompt_extend": False})]
)
def test_what_drives_the_cost_is_sent(model: str, defaults: dict[str, Any]) -> None:
    spec = checked(native(model, TEXT)).spec
    assert spec is not None
    assert spec.parameters == defaults


def frame(**changes: Any) -> dict[str, Any]:
    return {"role": "user", "content": [TEXT], **changes}


def job(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": WAN, "input": {"messages": list(messages), **more}}


BROKEN: list[tuple[Any, str, str]] = [
    (native(WAN), CONTENT, "there is no text"),
    (native(WAN, {"image": URL}), CONTENT, "there is no text"),
    (native(WAN, TEXT, TEXT), f"{CONTENT}/1", "a second text"),
    (native(WAN, {**TEXT, "type": "image"}), f"{CONTENT}/0/type", "`type` is not known here"),
    (native(WAN, {**TEXT, "image": URL}), f"{CONTENT}/0", "each as an item of its own"),
    (native(WAN, TEXT, {}), f"{CONTENT}/1", "write {text: ...} or {image: ...}"),
    (native(WAN, TEXT, URL), f"{CONTENT}/1", "an item of content is a mapping"),
    (native(TURBO, TEXT, {"image": URL}), f"{CONTENT}/1", "takes no images"),
    (job(), "/input/messages", "there is no message"),
    (job(frame(), frame()), "/input/messages", "there are 2 messages"),
    (job("a cat"), "/input/messages/0", "this is no message"),
    (job(frame(role="system")), "/input/messages/0/role", "must be user"),
    (job({"content": [TEXT]}), "/input/messages/0/role", "must be user"),
    (job(frame(name="me")), "/input/messages/0/name", "`name` is not known here"),
    (job(frame(content="a cat")), CONTENT, "write a list"),
    (job({"role": "user"}), CONTENT, "write a list"),
    (job(frame(), prompt="a cat"), "/input/prompt", "in two ways"),
    (job(frame(), mood="good"), "/input/mood", "not known beside messages"),
    ({"model": WAN, "input": {"messages": frame()}}, "/input/messages", "a list"),
    (
        {"model": QWEN, "input": {"messages": [frame()], "negative_prompt": "dogs"}},
        "/input/negative_prompt",
        "under `parameters`",
    ),
]


@pytest.mark.parametrize(("written", "place", "words"), BROKEN)
def test_a_frame_that_cannot_be_read_is_told(written: Any, place: str, words: str) -> None:
    found = checked(written)
    assert found.spec is None
    one = only(found.violations)
    assert one.pointer == place
    assert words in one.message


@pytest.mark.parametrize(
    ("written", "place"),
    [
        (native(WAN, {"text": "  "}), f"{CONTENT}/0/text"),
        (native(WAN, {"text": 7}), f"{CONTENT}/0/text"),
        (native(WAN, TEXT, {"image": "a.png"}), f"{CONTENT}/1/image"),
        (native(WAN, TEXT, {"image": 7}), f"{CONTENT}/1/image"),
        (native(WAN, *[{"image": URL}] * 10, TEXT), CONTENT),
        (native(EDITING, TEXT), CONTENT),
        (native(QWEN, TEXT, parameters={"negative_prompt": 7}), "/parameters/negative_prompt"),
        (native(WAN, TEXT, parameters={"n": 5}), "/parameters/n"),
    ],
)
def test_what_is_wrong_is_told_where_it_is_written(written: Any, place: str) -> None:
    assert places(checked(written)) == [place]


def test_images_that_are_missing_are_asked_for_in_the_content() -> None:
    one = only(checked(native(EDITING, TEXT)).violations)
    assert "there are 0" in one.message
    assert "1 to 3" in one.message


def test_its_line_is_that_of_the_file() -> None:
    found = checked_yaml(
        "model: wan2.7-image\ninput:\n  messages:\n    - role: user\n      content:\n"
        "        - image: oss:///inputs/a.png\n        - text: ''\n"
    )
    assert [(one.pointer, one.line) for one in found.violations] == [
        (f"{CONTENT}/0/image", 6),
        (f"{CONTENT}/1/text", 7),
    ]


def test_images_of_the_bucket_are_looked_at() -> None:
    objects = {"inputs/small.png": image("PNG", (100, 100)), "inputs/fine.png": image("PNG")}
    written = native(
        WAN, {"image": "oss:///inputs/fine.png"}, {"image": "oss:///inputs/small.png"}, TEXT
    )
    found = checked(written, reader=Reader(objects))
    assert "from 240" in at(found.violations, f"{CONTENT}/1/image").expected
    assert len(found.violations) == 1
    written = native(WAN, {"image": "oss:///inputs/fine.png"}, TEXT)
    spec = checked(written, objects).spec
    assert spec is not None
    assert [(use.pointer, use.key) for use in spec.images] == [
        ("/input/images/0", "inputs/fine.png")
    ]


def test_a_flat_model_knows_no_messages() -> None:
    found = checked(native("wan2.5-i2i-preview", TEXT))
    assert "`messages` is not known" in at(found.violations, "/input/messages").message


def test_a_million_items_are_not_explained_one_by_one() -> None:
    assert len(checked(native(WAN, *[{}] * 5000)).violations) <= 101
