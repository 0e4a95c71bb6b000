from __future__ import annotations

import json
from typing import Any

import pytest

from shared.jobfile import check, parse
from tests.kit.jobfile import (
    BUCKET,
    CATALOGUE,
    EDIT,
    PAINTING,
    Reader,
    at,
    checked,
    checked_yaml,
    edit,
    only,
    painting,
    sketch,
)

DOCUMENTED = [
    """{
  "model": "wanx-x-painting",
  "input": {
    "prompt": "一只狗戴着红色眼镜",
    "base_image_url": "http://synthesis-source.oss-accelerate.aliyuncs.com/lingji/validation/mask2img/demo/source3.jpg",
    "mask_image_url": "http://synthesis-source.oss-accelerate.aliyuncs.com/lingji/validation/mask2img/demo/glasses.png"
  },
  "parameters": {
    "size": "1024*1024",
    "n": 1
  }
}""",
    """{
    "model": "wanx-sketch-to-image-lite",
    "input": {
        "sketch_image_url": "https://help-static-aliyun-doc.aliyuncs.com/assets/img/zh-CN/6609471071/p743851.jpg",
        "prompt": "A towering tree"
    },
    "parameters": {
        "size": "768*768",
        "n": 2,
        "sketch_weight": 3,
        "style": "<watercolor>"
    }
}""",
    """{
    "model": "wan2.5-i2i-preview",
    "input": {
        "prompt": "Change the floral dress to a vintage-style lace long dress with exquisite embroidery details on the collar and cuffs.",
        "images": [
            "https://img.alicdn.com/imgextra/i2/O1CN01vHOj4h28jOxUJPwY8_!!6000000007968-49-tps-1344-896.webp"
        ]
    },
    "parameters": {
        "prompt_extend": true,
        "n": 1
    }
}""",  # noqa: E501 - word for word
    """{
    "model": "wan2.5-i2i-preview",
    "input": {
        "prompt": "Place the alarm clock from Image 1 next to the vase on the dining table in Image 2.",
        "images": [
            "https://img.alicdn.com/imgextra/i3/O1CN0157XGE51l6iL9441yX_!!6000000004770-49-tps-1104-1472.webp",
            "https://img.alicdn.com/imgextra/i3/O1CN01SfG4J41UYn9WNt4X1_!!6000000002530-49-tps-1696-960.webp"
        ]
    },
    "parameters": {
        "n": 1
    }
}""",  # noqa: E501 - word for word
]


@pytest.mark.parametrize("body", DOCUMENTED)
def test_the_documents_own_requests_pass_unchanged(body: str) -> None:
    found = check(parse(body.encode(), "a.json")[0], CATALOGUE, Reader(), BUCKET)
    assert found.violations == ()
    assert found.spec is not None
    written = json.loads(body)
    assert (found.spec.input, found.spec.parameters) == (written["input"], written["parameters"])


@pytest.mark.parametrize(
    ("job", "number"), [(painting(), 1), (sketch(), 4), (edit(), 4), (edit(parameters=None), 4)]
)
def test_the_number_of_images_is_always_written_out(job: dict[str, Any], number: int) -> None:
    spec = checked(job).spec
    assert spec is not None
    assert spec.parameters == {"n": number}


STYLES = [
    "<auto>",
    "<3d cartoon>",
    "<anime>",
    "<oil painting>",
    "<watercolor>",
    "<sketch>",
    "<chinese painting>",
    "<flat illustration>",
]
GOOD = [
    *[painting(parameters={"n": n}) for n in (1, 4)],
    *[painting(parameters={"size": size}) for size in ("1024*1024", "720*1280", "1280*720")],
    *[painting(parameters={"style": style}) for style in STYLES],
    *[sketch(parameters={"style": style}) for style in STYLES],
    *[painting(parameters={"mask_color": c}) for c in ([], [[0, 0, 0], [255, 255, 255]])],
    *[sketch(parameters={"n": n}) for n in (1, 4)],
    *[sketch(parameters={"sketch_weight": weight}) for weight in (0, 10)],
    sketch(parameters={"size": "768*768", "sketch_extraction": False, "sketch_color": [[1, 2, 3]]}),
    *[edit(parameters={"n": n}) for n in (1, 4)],
    *[edit(parameters={"seed": seed}) for seed in (0, 2147483647)],
    *[
        edit(parameters={"size": size})
        for size in ("768*768", "1280*1280", "384*1536", "1536*384", "640*2560", "1344*576")
    ],
    *[edit(input={"images": ["https://example.com/a.png"] * count}) for count in (1, 3)],
    edit(input={"negative_prompt": ""}),
    edit(parameters={"watermark": True, "prompt_extend": False}),
    painting(job={"priority": 0}),
    painting(job={"priority": 9, "expires_after": "30d", "on_partial": "retry-failed"}),
    painting(job={"id": "a" * 64, "expires_after": "720h"}),
    painting(job={"labels": {str(i): "x" * 256 for i in range(16)}}),
    painting(job={"labels": {"k" * 64: ""}}),
]


@pytest.mark.parametrize("job", GOOD, ids=lambda job: json.dumps(job)[:90])
def test_what_the_documents_allow_passes(job: dict[str, Any]) -> None:
    found = checked(job)
    assert found.violations == ()
    assert found.spec is not None


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
    (edit(parameters={"seed": "12345"}), "/parameters/seed", "remove the quotes"),
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


@pytest.mark.parametrize("value", [None, 1, "x", [], [{}]])
def test_a_document_that_is_no_mapping_is_told(value: object) -> None:
    document = parse(b"- x\n", "a.yaml")[0]
    found = check(type(document)(0, value), CATALOGUE, Reader(), BUCKET)
    assert only(found.violations).pointer == ""


def test_a_yaml_list_of_jobs_is_told_how_to_split_them() -> None:
    assert "---" in only(checked_yaml("- model: x\n- model: y\n").violations).message


def test_an_enormous_value_is_told_like_any_other() -> None:
    found = checked(painting(parameters={"size": "x" * 5_000_000}, model="y" * 5_000_000))
    assert only(found.violations).pointer == "/model"
    violation = only(checked(painting(parameters={"size": "x" * 5_000_000})).violations)
    assert len(violation.message) < 300


def test_an_unknown_model_is_told_with_the_nearest() -> None:
    violation = only(checked({**edit(), "model": "wan2.5-i2i"}).violations)
    assert violation.pointer == "/model"
    assert f"did you mean {EDIT}?" in violation.message
    violation = only(checked({**edit(), "model": "gpt"}).violations)
    assert PAINTING in violation.message


def test_a_model_and_input_that_are_absent_are_both_told() -> None:
    assert {v.pointer for v in checked({}).violations} == {"/model", "/input"}


def test_all_violations_come_at_once_in_the_order_of_the_file() -> None:
    found = checked_yaml(
        "model: wan2.5-i2i-preview\n"
        "input:\n"
        "  images:\n"
        "    - https://example.com/a.png\n"
        "    - ftp://example.com/b.png\n"
        "  negativ_prompt: x\n"
        "parameters:\n"
        "  size: 3000*100\n"
        "  n: 9\n"
        "job: {priority: 11}\n"
    )
    assert [(v.line, v.pointer) for v in found.violations] == [
        (2, "/input/prompt"),
        (5, "/input/images/1"),
        (6, "/input/negativ_prompt"),
        (8, "/parameters/size"),
        (8, "/parameters/size"),
        (9, "/parameters/n"),
        (10, "/job/priority"),
    ]


def test_a_thousand_unknown_keys_are_not_a_thousand_findings() -> None:
    found = checked(edit(parameters={f"key{i}": i for i in range(1000)}))
    assert len(found.violations) == 100


@pytest.mark.parametrize(
    ("job", "limit"), [(painting(), 75), (sketch(), 75), (edit(), 2000)], ids=lambda v: str(v)[:20]
)
def test_the_part_of_a_prompt_that_is_cut_off_is_told(job: dict[str, Any], limit: int) -> None:
    job["input"]["prompt"] = "猫" * limit
    assert all(notice.pointer != "/input/prompt" for notice in checked(job).notices)
    job["input"]["prompt"] += "猫" * 3
    found = checked(job)
    assert found.spec is not None
    assert f"last 3 of {limit + 3} characters" in at(found.notices, "/input/prompt").message


def test_a_long_negative_prompt_is_told() -> None:
    found = checked(edit(input={"negative_prompt": "x" * 501}))
    assert "last 1 of 501" in only(found.notices).message


def test_a_colour_that_is_ignored_is_told() -> None:
    parameters = {"sketch_extraction": True, "sketch_color": [[0, 0, 0]]}
    found = checked(sketch(parameters=parameters))
    assert only(found.notices).pointer == "/parameters/sketch_color"
    assert checked(sketch(parameters={**parameters, "sketch_extraction": False})).notices == ()
    assert checked(sketch(parameters={**parameters, "sketch_color": []})).notices == ()


def test_the_free_trial_model_says_so_at_every_use() -> None:
    assert "free trial" in only(checked(painting()).notices).message
    assert checked(edit()).notices == ()


def test_findings_name_the_document_they_rest_on() -> None:
    assert only(checked(painting(parameters={"n": 9})).violations).source == "图像局部重绘API参考"
    deep = painting(parameters={"mask_color": [[0, 0, 999]]})
    assert only(checked(deep).violations).source == "图像局部重绘API参考"
    assert only(checked(edit(job={"priority": 99})).violations).source == "job file format"


def test_findings_show_neither_payloads_nor_credentials() -> None:
    secrets = ["data:image/png;base64,U0VDUkVU", "https://user:U0VDUkVU@h/x?Signature=U0VDUkVU"]
    for url in secrets:
        found = checked(painting(input={"base_image_url": url}))
        assert "U0VDUkVU" not in str(found.violations)
        assert only(found.violations).found
    found = checked(sketch(parameters={"size": "https://h/x?Signature=U0VDUkVU"}))
    assert "U0VDUkVU" not in str(found.violations)
