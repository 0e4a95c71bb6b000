from __future__ import annotations

import json
from typing import Any

import pytest

from shared.jobfile import Place, check, parse
from tests.kit.jobfile import (
    BUCKET,
    CATALOGUE,
    EDIT,
    PAINTING,
    Reader,
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
    found = check(parse(body.encode(), "a.json")[0], CATALOGUE, Place(Reader(), BUCKET))
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


@pytest.mark.parametrize("value", [None, 1, "x", [], [{}]])
def test_a_document_that_is_no_mapping_is_told(value: object) -> None:
    document = parse(b"- x\n", "a.yaml")[0]
    found = check(type(document)(0, value), CATALOGUE, Place(Reader(), BUCKET))
    assert only(found.violations).pointer == ""


def test_a_yaml_list_of_jobs_is_told_how_to_split_them() -> None:
    assert "---" in only(checked_yaml("- model: x\n- model: y\n").violations).message


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


def test_the_free_trial_model_says_so_at_every_use() -> None:
    assert "free trial" in only(checked(painting()).notices).message
    assert checked(edit()).notices == ()
