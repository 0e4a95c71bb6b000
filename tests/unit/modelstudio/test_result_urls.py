"""Results are found where the catalogue says."""

from __future__ import annotations

from typing import Any

import pytest

from shared.modelstudio.result_urls import result_items

GOOD, BAD = {"url": "https://h/1.png", "orig_prompt": "a"}, {"code": "C", "message": "M"}


@pytest.mark.parametrize(
    ("at", "answer", "urls"),
    [
        ("/output/results/*/url", {"output": {"results": [GOOD, BAD]}}, ["https://h/1.png", None]),
        ("/output/results/*/url", {"output": {"results": []}}, []),
        ("/output/results/*/url", {"output": {"results": None}}, []),
        ("/output/results/*/url", {"output": {}}, []),
        ("/output/results/*/url", {}, []),
        ("/output/results/*/url", {"output": {"results": ["x", GOOD]}}, ["https://h/1.png"]),
        ("/output/url", {"output": {"url": "u"}}, ["u"]),
        ("/output/url", {"output": {}}, []),
        ("/output/list/1/url", {"output": {"list": [{}, {"url": "u"}]}}, ["u"]),
        ("/output/list/7/url", {"output": {"list": []}}, []),
        (
            "/output/choices/*/message/content/0/image",
            {"output": {"choices": [{"message": {"content": [{"image": "u"}]}}]}},
            ["u"],
        ),
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
