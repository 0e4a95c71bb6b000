"""Bodies in the form of messages become jobs in the flat form, or are refused at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.api.dashscope import DashScopeError
from shared.api.dashscope.body import read_request
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import MESSAGES, Catalogue, MessagesForm, Model
from shared.jobfile import Document, check
from tests.kit.world import World

PICTURE = "https://a.example.com/b.png"


def talking(images: str | None = "images") -> Model:
    """Takes what the editing model takes, in messages."""
    real = load_catalogue().get("wan2.5-i2i-preview")
    assert real is not None
    form = MessagesForm("prompt", images, ("negative_prompt",))
    return replace(real, name="talking", body=MESSAGES, messages=form)


def read(given: dict[str, Any], model: Model | None = None, **parameters: Any) -> dict[str, Any]:
    body = {"model": "talking", "input": given, "parameters": parameters}
    return read_request(body, Catalogue((model or talking(),)), resolves=True)


def said(*content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


def test_messages_are_passed_on_as_they_are() -> None:
    other = "oss://uploads/11111111-2222-4333-8444-555555555555/b.png"
    parts = {"image": PICTURE}, {"text": "a cat"}, {"image": other}
    typed = [{"type": next(iter(part)), **part} for part in parts]
    assert read(said(*typed), negative_prompt="dogs", n=2) == {
        "model": "talking",
        "input": said(*typed[:2], {**typed[2], "image": other.replace("oss://", "oss:///")}),
        "parameters": {"negative_prompt": "dogs", "n": 2},
    }


def test_both_forms_are_the_same_job() -> None:
    catalogue, place = Catalogue((talking(),)), World().app().acceptance.intake.place()
    flat = read({"prompt": "a cat", "images": [PICTURE], "negative_prompt": "dogs"}, n=2)
    native = read(said({"text": "a cat"}, {"image": PICTURE}), negative_prompt="dogs", n=2)
    specs = [check(Document(0, one), catalogue, place).spec for one in (flat, native)]
    assert specs[0] is not None
    assert specs[0] == specs[1]


def test_what_the_sdk_sends_beside_is_left_out() -> None:
    given = said({"text": "a cat"}, {"image": PICTURE}) | {"function": None, "unheard": 1}
    read_ = read(given, negative_prompt=" ", stream=False, result_format="message")
    assert set(read_["input"]) == {"messages"}
    assert read_["parameters"] == {}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"messages": None}, "at /input/messages: "),
        ({"messages": []}, "at /input/messages: "),
        ({"messages": said({"text": "x"})["messages"] * 2}, "at /input/messages: "),
        ({"messages": ["hello"]}, "at /input/messages/0: "),
        ({"messages": [{"role": "system", "content": [{"text": "x"}]}]}, "messages/0/role: "),
        ({"messages": [{"role": "user", "content": "x"}]}, "messages/0/content: "),
        (said({"type": "image", "text": "x"}), "messages/0/content/0/type: "),
        (said({"video": "x"}), "messages/0/content/0/video: "),
        (said({"text": 5}, {"image": PICTURE}), "prompt"),
        (said({"text": "x", "image": PICTURE}), "messages/0/content/0: "),
        (said({"image": PICTURE}), "there is no text"),
        (said({"text": "x"}, {"text": "y"}, {"image": PICTURE}), "messages/0/content/1: "),
        (said({"text": "x"}), "images"),
        (said({"text": " "}, {"image": PICTURE}), "prompt"),
        (said({"text": "x"}) | {"prompt": "y"}, "at /input/prompt: "),
    ],
)
def test_messages_that_make_no_request(given: dict[str, Any], says: str) -> None:
    with pytest.raises(DashScopeError, match=says) as refused:
        read(given)
    assert (refused.value.status, refused.value.code) == (400, "InvalidParameter")


def test_a_model_without_images_takes_none() -> None:
    with pytest.raises(DashScopeError, match="talking takes no images"):
        read(said({"text": "x"}, {"image": PICTURE}), talking(images=None))


def test_a_flat_model_says_what_it_takes() -> None:
    flat = replace(talking(), messages=None)
    with pytest.raises(DashScopeError, match="takes no messages but input: prompt, images"):
        read(said({"text": "x"}), flat)


def test_a_stream_is_refused() -> None:
    with pytest.raises(DashScopeError, match="server-sent events"):
        read(said({"text": "x"}, {"image": PICTURE}), stream=True)
