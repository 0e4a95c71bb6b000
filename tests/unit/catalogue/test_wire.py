"""The body of a request in the form that the service takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.models import Model
from shared.catalogue.wire import flat_body, is_native, wire_body
from tests.kit.jobfile import CATALOGUE

BEIJING, SINGAPORE = "cn-beijing", "ap-southeast-1"


def model(name: str) -> Model:
    found = CATALOGUE.get(name)
    assert found is not None
    return found


def body(name: str, parameters: Any = None, **given: Any) -> dict[str, Any]:
    return {"model": name, "input": given, "parameters": parameters or {}}


def test_a_flat_body_is_sent_as_it_is() -> None:
    sent = body("wan2.5-t2i-preview", {"n": 1}, prompt="a cat")
    assert wire_body(model("wan2.5-t2i-preview"), sent, BEIJING) == sent


def test_a_model_with_both_routes_reads_messages_and_is_sent_the_flat_form_of_its_tasks() -> None:
    entry, flat = model("qwen-image-plus"), body("qwen-image-plus", {"seed": 5}, prompt="a boat")
    content = {"role": "user", "content": [{"text": "a boat"}]}
    native = body("qwen-image-plus", {"seed": 5, "negative_prompt": "x"}, messages=[content])
    assert is_native(entry, native)
    read = flat_body(entry, native)[0]
    assert read == {**flat, "input": {"prompt": "a boat", "negative_prompt": "x"}}
    assert wire_body(entry, read, BEIJING) == read


def test_a_message_holds_the_images_and_then_the_text() -> None:
    flat = body("qwen-image-3.0", {"n": 1}, prompt="a cat", images=["a", "b"], negative_prompt="c")
    content = [{"image": "a"}, {"image": "b"}, {"text": "a cat"}]
    assert wire_body(model("qwen-image-3.0"), flat, BEIJING) == {
        "model": "qwen-image-3.0",
        "input": {"messages": [{"role": "user", "content": content}]},
        "parameters": {"negative_prompt": "c", "n": 1},
    }


@pytest.mark.parametrize(
    "flat",
    [
        body("qwen-image-3.0", prompt="a cat"),
        body("qwen-image-3.0", {"n": 2}, prompt="a cat", images=["a"], negative_prompt="c"),
        body("wan2.7-image", {"size": "2K"}, prompt="a cat", images=["a", "b"]),
        body("z-image-turbo", prompt="a cat"),
    ],
)
def test_there_and_back_it_is_the_same(flat: dict[str, Any]) -> None:
    entry = model(flat["model"])
    sent = wire_body(entry, flat, BEIJING)
    assert is_native(entry, sent)
    assert not is_native(entry, flat)
    assert flat_body(entry, sent)[0] == flat


def test_the_id_is_that_of_the_region() -> None:
    entry = replace(model("wan2.5-t2i-preview"), ids={SINGAPORE: "another"})
    flat = body("wan2.5-t2i-preview", prompt="a cat")
    assert wire_body(entry, flat, SINGAPORE)["model"] == "another"
    assert wire_body(entry, flat, BEIJING)["model"] == "wan2.5-t2i-preview"


def test_a_flat_model_has_no_other_form() -> None:
    with pytest.raises(ValueError, match="takes no messages"):
        flat_body(model("wan2.5-t2i-preview"), body("wan2.5-t2i-preview"))
