"""Results are found where the catalogue says."""

from __future__ import annotations

from typing import Any

import pytest

from shared.modelstudio.result_urls import (
    MOST_CHARACTERS,
    MOST_TEXTS,
    result_items,
    result_texts,
    value_at,
)

U, V, W = (f"https://h/{name}.png" for name in "uvw")
GOOD, BAD = {"url": "https://h/1.png", "orig_prompt": "a"}, {"code": "C", "message": "M"}


CONTENT = "/output/choices/*/message/content/*/image"
CHOICE = {"message": {"content": [{"image": U}]}}


def choices(*contents: list[dict[str, Any]]) -> dict[str, Any]:
    return {"output": {"choices": [{"message": {"content": content}} for content in contents]}}


@pytest.mark.parametrize(
    ("at", "answer", "urls"),
    [
        ("/output/results/*/url", {"output": {"results": [GOOD, BAD]}}, ["https://h/1.png", None]),
        ("/output/results/*/url", {"output": {"results": []}}, []),
        ("/output/results/*/url", {"output": {"results": None}}, []),
        ("/output/results/*/url", {"output": {}}, []),
        ("/output/results/*/url", {}, []),
        ("/output/results/*/url", {"output": {"results": ["x", GOOD]}}, ["https://h/1.png"]),
        ("/output/url", {"output": {"url": U}}, [U]),
        ("/output/url", {"output": {}}, []),
        ("/output/list/1/url", {"output": {"list": [{}, {"url": U}]}}, [U]),
        ("/output/list/7/url", {"output": {"list": []}}, []),
        (
            "/output/choices/*/message/content/0/image",
            {"output": {"choices": [{"message": {"content": [{"image": U}]}}]}},
            [U],
        ),
        (  # several images in one choice, and a text between them
            CONTENT,
            choices([{"image": U}, {"text": "and"}, {"type": "image", "image": V}], [{"image": W}]),
            [U, V, W],
        ),
        (CONTENT, choices([{"type": "text", "text": "none came out"}]), []),
        (CONTENT, choices([{"type": "text", "text": None}, {"type": "image", "image": U}]), [U]),
        (CONTENT, choices([{"type": "image"}, {"type": "image", "image": U}]), [None, U]),
        (CONTENT, choices([{"image": U}, {"code": "C", "message": "M"}]), [U, None]),
        (CONTENT, {"output": {"choices": [{"finish_reason": "stop"}, CHOICE]}}, [None, U]),
        (CONTENT, {"output": {"choices": "x"}}, []),
        ("/output/urls/*", {"output": {"urls": [U, "the picture was refused", V]}}, [U, None, V]),
        ("/output/urls/*", {"output": {"urls": [U, None, ""]}}, [U, None, None]),
        ("/output/urls/*", {"output": {"urls": U}}, []),
        ("/output/results/*/url", {"output": {"results": [{}, GOOD]}}, [None, "https://h/1.png"]),
        ("/output/url", {"output": {"url": "not made"}}, [None]),
        ("/output/a~1b/*/u~0", {"output": {"a/b": [{"u~": U}]}}, [U]),
    ],
)
def test_results_lie_where_the_catalogue_says(
    at: str, answer: dict[str, Any], urls: list[str | None]
) -> None:
    assert [item["url"] for item in result_items(answer, at)] == urls


def test_a_failed_image_keeps_its_place_and_its_reason() -> None:
    items = result_items({"output": {"results": [BAD, GOOD]}}, "/output/results/*/url")
    assert items[0]["code"] == "C"
    assert items[1]["orig_prompt"] == "a"


def test_a_text_where_a_url_belongs_says_why_there_is_no_image() -> None:
    (item,) = result_items({"output": {"urls": ["the picture was refused"]}}, "/output/urls/*")
    assert item == {"message": "the picture was refused", "url": None}


def test_texts_beside_images_are_found_in_order() -> None:
    answer = choices(
        [{"text": "first"}, {"image": U}, {"text": ""}], [{"text": "last"}, {"text": 3}]
    )
    assert result_texts(answer, "/output/choices/*/message/content/*/text") == ["first", "last"]
    assert result_texts({}, "/output/choices/*/message/content/*/text") == []


def test_texts_are_bounded() -> None:
    many = {"output": {"texts": ["a"] * (MOST_TEXTS + 1)}}
    long = {"output": {"texts": ["b" * MOST_CHARACTERS, "c"]}}
    assert len(result_texts(many, "/output/texts/*")) == MOST_TEXTS
    assert len("".join(result_texts(long, "/output/texts/*"))) == MOST_CHARACTERS


def test_a_value_is_found_where_it_lies() -> None:
    assert value_at({"usage": {"width": 7}}, "/usage/width") == 7
    assert value_at({"usage": 7}, "/usage/width") is None
