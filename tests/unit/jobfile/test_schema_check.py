"""A value that does not fit its schema is reported at its place, with what to do about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kit.jobfile import URL, checked, edit, job_for, only, painting, sketch

BAD: list[tuple[dict[str, Any], str, str]] = [
    *[(painting(parameters={"n": n}), "/parameters/n", "from 1 to 4") for n in (0, 5, -1)],
    (painting(parameters={"n": "1"}), "/parameters/n", "remove the quotes"),
    (painting(parameters={"n": True}), "/parameters/n", "whole number"),
    (painting(parameters={"n": 1.0}), "/parameters/n", "decimal point"),
    (painting(parameters={"n": None}), "/parameters/n", "remove the key"),
    (painting(parameters={"size": "1024x1024"}), "/parameters/size", "did you mean 1024*1024"),
    (painting(parameters={"size": "768*768"}), "/parameters/size", "1024*1024"),
    (painting(parameters={"style": "anime"}), "/parameters/style", "did you mean <anime>"),
    (painting(parameters={"mask_color": [[0, 0]]}), "/parameters/mask_color/0", "[R, G, B]"),
    (painting(parameters={"mask_color": [[0, 0, 256]]}), "/parameters/mask_color/0/2", "255"),
    (painting(parameters={"mask_color": [[0, 0, -1]]}), "/parameters/mask_color/0/2", "0 to 255"),
    (painting(parameters={"mask_color": [255]}), "/parameters/mask_color/0", "[R, G, B]"),
    (painting(parameters={"mask_color": "#fff"}), "/parameters/mask_color", "list"),
    (painting(parameters={"seed": 1}), "/parameters/seed", "not known"),
    (sketch(parameters={"size": "1024*1024"}), "/parameters/size", "768*768"),
    (sketch(parameters={"n": 5}), "/parameters/n", "from 1 to 4"),
    (sketch(parameters={"sketch_weight": 11}), "/parameters/sketch_weight", "from 0 to 10"),
    (sketch(parameters={"sketch_weight": -1}), "/parameters/sketch_weight", "from 0 to 10"),
    (sketch(parameters={"sketchweight": 3}), "/parameters/sketchweight", "mean `sketch_weight`"),
    (sketch(parameters={"sketch_extraction": "yes"}), "/parameters/sketch_extraction", "quotes"),
    (edit(parameters={"seed": "12x"}), "/parameters/seed", "whole number"),
    (edit(parameters={"seed": "-1"}), "/parameters/seed", "2147483647"),
    (edit(parameters={"seed": -1}), "/parameters/seed", "2147483647"),
    (edit(parameters={"seed": 2147483648}), "/parameters/seed", "2147483647"),
    (edit(parameters={"negative_prompt": "x"}), "/parameters/negative_prompt", "under `input`"),
    (edit(parameters={"function": "x"}), "/parameters/function", "remove it"),
    (edit(parameters={"size": "1280x1280"}), "/parameters/size", "star"),
    (edit(parameters={"size": "1280*1280\n"}), "/parameters/size", "star"),
    (edit(parameters={"size": "767*768"}), "/parameters/size", "area"),
    (edit(parameters={"size": "1281*1280"}), "/parameters/size", "area"),
    (edit(parameters={"size": "383*1541"}), "/parameters/size", "1:4"),
    (edit(parameters={"size": "1541*383"}), "/parameters/size", "4:1"),
    (edit(input={"images": []}), "/input/images", "1 to 3"),
    (edit(input={"images": ["https://example.com/a.png"] * 4}), "/input/images", "1 to 3"),
    (edit(input={"images": "https://example.com/a.png"}), "/input/images", "list"),
    (edit(input={"images": [""]}), "/input/images/0", "empty"),
    (edit(input={"seed": 3}), "/input/seed", "under `parameters`"),
    (edit(input={"prompt": ""}), "/input/prompt", "empty"),
    (edit(input={"prompt": " \n\u3000"}), "/input/prompt", "empty"),
    (edit(input={"prompt": 7}), "/input/prompt", "a text"),
    (edit(parameters=[]), "/parameters", "mapping"),
    (edit(prompt="x"), "/prompt", "under `input`"),
    (edit(priority=1), "/priority", "under `job`"),
    (edit(modle="x"), "/modle", "did you mean `model`"),
    (edit(job={"priority": 10}), "/job/priority", "from 0 to 9"),
    (edit(job={"priority": -1}), "/job/priority", "from 0 to 9"),
    (edit(job={"prio": 1}), "/job/prio", "did you mean `priority`"),
    (edit(job={"id": "a..b"}), "/job/id", "two dots"),
    (edit(job={"id": "-a"}), "/job/id", "letter or digit"),
    (edit(job={"id": "a\n"}), "/job/id", "letters"),
    (edit(job={"id": "a" * 65}), "/job/id", "64"),
    (edit(job={"id": "a/b"}), "/job/id", "letters"),
    (edit(job={"id": "猫"}), "/job/id", "letters"),
    (edit(job={"expires_after": "31d"}), "/job/expires_after", "at most 30d"),
    (edit(job={"expires_after": "43201m"}), "/job/expires_after", "at most 30d"),
    (edit(job={"expires_after": "6 hours"}), "/job/expires_after", "30m, 6h or 2d"),
    (edit(job={"expires_after": 30}), "/job/expires_after", "30m, 6h or 2d"),
    (edit(job={"expires_after": "0h"}), "/job/expires_after", "30m, 6h or 2d"),
    (edit(job={"labels": {"a": 1}}), "/job/labels/a", "quotes"),
    (edit(job={"labels": {"a": "x" * 257}}), "/job/labels/a", "256"),
    (edit(job={"labels": {"k" * 65: ""}}), "/job/labels/" + "k" * 65, "64"),
    (edit(job={"labels": {str(i): "" for i in range(17)}}), "/job/labels", "16"),
    (edit(job={"on_partial": "retry"}), "/job/on_partial", "retry-failed"),
]


@pytest.mark.parametrize(("job", "pointer", "words"), BAD, ids=lambda v: json.dumps(v)[:90])
def test_what_is_wrong_is_told_where_it_is(job: dict[str, Any], pointer: str, words: str) -> None:
    found = checked(job)
    violation = only(found.violations)
    assert violation.pointer == pointer
    assert words in violation.message
    assert violation.expected and violation.found and violation.source
    assert len(violation.found) <= 80
    assert found.spec is None


@pytest.mark.parametrize(
    ("job", "missing"),
    [
        (painting(), ["base_image_url", "mask_image_url", "prompt"]),
        (sketch(), ["prompt", "sketch_image_url"]),
        (edit(), ["images", "prompt"]),
    ],
)
def test_everything_missing_is_told_at_once(job: dict[str, Any], missing: list[str]) -> None:
    found = checked({**job, "input": {}})
    assert sorted(v.pointer for v in found.violations) == [f"/input/{name}" for name in missing]
    assert all("missing" in violation.message for violation in found.violations)


def test_findings_name_the_document_they_rest_on() -> None:
    reference = "Inpainting API reference (图像局部重绘API参考)"
    assert only(checked(painting(parameters={"n": 9})).violations).source == reference
    deep = painting(parameters={"mask_color": [[0, 0, 999]]})
    assert only(checked(deep).violations).source == reference
    assert only(checked(edit(job={"priority": 99})).violations).source == "job file format"


LANGUAGES = {"image_url": URL, "source_lang": "ja", "target_lang": "en"}


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({"source_lang": None}, "de, vi"),
        ({"ext": {"sensitives": [None]}}, "or remove the item"),
        ({"ext": {"config": None}}, "or remove the key"),
        ({"ext": {"terminologies": [{"src": "a", "tgt": None}]}}, "visible character"),
    ],
)
def test_only_what_may_be_left_out_is_to_be_removed(changes: Any, ending: str) -> None:
    job = job_for("qwen-mt-image", input={"prompt": None, **LANGUAGES})
    job["input"] |= changes
    found = only(checked(job).violations)
    assert found.message.startswith(f"at {found.pointer}: nothing is written here; write ")
    assert found.message.endswith(ending)


def test_a_value_of_another_type_is_told_once() -> None:
    given = {"person_image_url": URL, "top_garment_url": URL}
    job = {"model": "aitryon", "input": given, "parameters": {"resolution": "1024"}}
    assert "remove the quotes" in only(checked(job).violations).message


def test_what_is_missing_within_an_object_is_described_itself() -> None:
    edge = {"foreground_edge_prompt": ["flowers"]}
    given = {"base_image_url": URL, "ref_prompt": "a table", "reference_edge": edge}
    job = {"model": "wanx-background-generation-v2", "input": given}
    found = only(checked(job).violations)
    assert (found.pointer, found.expected) == (
        "/input/reference_edge/foreground_edge",
        "a list of 0 to 10 items",
    )


@pytest.mark.parametrize(
    ("job", "bound"),
    [
        (job_for("z-image-turbo", input={"prompt": "x" * 20001}), "of at most 20000 characters"),
        (
            job_for(
                "qwen-mt-image",
                input={"prompt": None, **LANGUAGES, "ext": {"sensitives": ["x"] * 1001}},
            ),
            "of at most 1000 items",
        ),
        (
            job_for(
                "wan2.7-image",
                input={"images": [URL]},
                parameters={"bbox_list": [[[-1, 0, 9, 9]]]},
            ),
            "a whole number of at least 0",
        ),
    ],
)
def test_a_bound_that_is_broken_is_named(job: Any, bound: str) -> None:
    found = only(checked(job).violations)
    assert found.expected.endswith(bound)
    assert found.message.endswith(bound)
