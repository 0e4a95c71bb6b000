"""Bodies in the form of messages become jobs in the flat form, or are refused at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.api.dashscope import DashScopeError
from shared.api.dashscope.body import read_request
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import MESSAGES, Catalogue, MessagesForm, Model

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


def test_the_parts_of_the_message_find_their_fields() -> None:
    other = "oss://uploads/11111111-2222-4333-8444-555555555555/b.png"
    given = said({"image": PICTURE}, {"text": "a cat"}, {"image": other})
    assert read(given, negative_prompt="dogs", n=2) == {
        "model": "talking",
        "input": {
            "prompt": "a cat",
            "images": [PICTURE, f"oss:///{other.removeprefix('oss://')}"],
            "negative_prompt": "dogs",
        },
        "parameters": {"n": 2},
    }


def test_the_flat_form_is_the_same_request() -> None:
    flat = read({"prompt": "a cat", "images": [PICTURE]}, negative_prompt="dogs")
    parts = {"type": "text", "text": "a cat"}, {"type": "image", "image": PICTURE}
    assert flat == read(said(*parts), negative_prompt="dogs")


def test_what_the_sdk_sends_beside_is_left_out() -> None:
    given = said({"text": "a cat"}, {"image": PICTURE})
    read_ = read(given, negative_prompt=" ", stream=False, result_format="message")
    assert set(read_["input"]) == {"prompt", "images"}
    assert read_["parameters"] == {}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"messages": None}, "exactly one message"),
        ({"messages": []}, "exactly one message"),
        ({"messages": said({"text": "x"})["messages"] * 2}, "exactly one message"),
        ({"messages": ["hello"]}, "role is user"),
        ({"messages": [{"role": "system", "content": [{"text": "x"}]}]}, "role is user"),
        ({"messages": [{"role": "user", "content": "x"}]}, "content must be a list"),
        (said({"video": "x"}), "content must be a list"),
        (said({"text": 5}), "content must be a list"),
        (said({"text": "x", "image": PICTURE}), "content must be a list"),
        (said({"image": PICTURE}), "exactly one text, not 0"),
        (said({"text": "x"}, {"text": "y"}, {"image": PICTURE}), "exactly one text, not 2"),
        (said({"text": "x"}), "images"),
        (said({"text": " "}, {"image": PICTURE}), "prompt"),
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
