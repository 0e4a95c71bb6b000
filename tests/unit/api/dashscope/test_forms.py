"""Results are put where finding them looks for them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.api.dashscope.forms import output_with
from shared.modelstudio.result_urls import result_items, result_texts

CHOICES = "/output/choices/*/message/content/*"
IMAGES: list[dict[str, Any]] = [{"url": f"https://a.invalid/{number}.png"} for number in (1, 2)]
REFUSED = {"code": "DataInspectionFailed", "message": "no"}


@pytest.mark.parametrize(
    "at",
    [
        "/output/results/*/url",
        "/output/render_urls/*",
        f"{CHOICES}/image",
        "/output/choices/*/message/content/0/image",
        "/output/a/b/*/c",
    ],
)
def test_what_is_put_there_is_found_there(at: str) -> None:
    found = result_items({"output": output_with(at, IMAGES)}, at)
    assert [item["url"] for item in found] == [image["url"] for image in IMAGES]


@pytest.mark.parametrize("at", ["/output/output_image_url", "/output/image_url"])
def test_a_single_address(at: str) -> None:
    output = output_with(at, IMAGES[:1])
    assert output == {at.rsplit("/", 1)[1]: IMAGES[0]["url"]}


def test_a_list_of_objects_has_room_for_prompts_and_for_what_was_not_made() -> None:
    images = [{**IMAGES[0], "orig_prompt": "a cat"}, REFUSED]
    assert output_with("/output/results/*/url", images) == {
        "results": [{"orig_prompt": "a cat", "url": IMAGES[0]["url"]}, REFUSED]
    }


def test_a_message_holds_all_images_and_then_the_texts() -> None:
    output = output_with(f"{CHOICES}/image", [IMAGES[0], REFUSED, IMAGES[1]], ["a fine cat"])
    (choice,) = output["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] == [
        *({"type": "image", "image": image["url"]} for image in IMAGES),
        {"type": "text", "text": "a fine cat"},
    ]
    assert result_texts({"output": output}, f"{CHOICES}/text") == ["a fine cat"]


def test_each_image_has_a_choice_of_its_own_where_the_place_says_so() -> None:
    output = output_with("/output/choices/*/message/content/0/image", IMAGES)
    contents = [choice["message"]["content"] for choice in output["choices"]]
    assert contents == [[{"type": "image", "image": image["url"]}] for image in IMAGES]
