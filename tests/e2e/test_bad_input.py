"""Bad input ends in a clear REJECTED: no call to the service, no traceback, no retry storm."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import yaml
from PIL import Image

from tests.e2e.conftest import Cloud
from tests.e2e.test_jobs import EDIT, INPAINTING, SKETCH


def changed(job: dict[str, Any], **places: Any) -> str:
    """A job with other values, by dotted place: input__prompt=…"""
    copy = json.loads(json.dumps(job))
    for place, value in places.items():
        *path, last = place.split("__")
        target = copy
        for step in path:
            target = target[step]
        target[last] = value
    return yaml.safe_dump(copy, allow_unicode=True)


def png(size: tuple[int, int]) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, "white").save(target, "PNG")
    return target.getvalue()


BOMB = (
    "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "model: *i\n"
)

# name, body, a pointer that must be among the violations, words that a message must hold
BAD = [
    ("broken-yaml", "model: [unclosed\ninput: {", "", "bracket"),
    ("wrong-types", changed(SKETCH, parameters__n="two"), "/parameters/n", "n"),
    ("unknown-model", changed(SKETCH, model="wanx-skech-to-image-lite"), "/model", "wanx-sketch"),
    (
        "unknown-field",
        changed(SKETCH, parameters__sketchweight=3),
        "/parameters/sketchweight",
        "sketch_weight",
    ),
    ("out-of-range", changed(SKETCH, parameters__n=5), "/parameters/n", "4"),
    (
        "other-mask",
        changed(INPAINTING, input__mask_image_url="oss:///inputs/e2e-mask-300.png"),
        "/input/mask_image_url",
        "300",
    ),
    (
        "text-as-png",
        changed(SKETCH, input__sketch_image_url="oss:///inputs/e2e-text.png"),
        "/input/sketch_image_url",
        "text",
    ),
    (
        "tiny-picture",
        changed(SKETCH, input__sketch_image_url="oss:///inputs/e2e-100.png"),
        "/input/sketch_image_url",
        "100",
    ),
    (
        "missing-picture",
        changed(SKETCH, input__sketch_image_url="oss:///inputs/e2e-none.png"),
        "/input/sketch_image_url",
        "upload",
    ),
    (
        "chinese-url",
        changed(SKETCH, input__sketch_image_url="https://example.com/图.png"),
        "/input/sketch_image_url",
        "Chinese",
    ),
    ("empty-file", "", "", "empty"),
    ("alias-bomb", BOMB, "", "alias"),
    ("not-a-job", "just a text", "", ""),
    ("python-tag", "model: !!python/object/apply:os.system ['true']", "", "tag"),
    (
        "private-key",
        changed(SKETCH, input__sketch_image_url="oss:///state/wake/poll"),
        "/input/sketch_image_url",
        "state/",
    ),
]


@pytest.fixture(scope="module", autouse=True)
def bad_pictures(cloud: Cloud) -> None:
    cloud.bucket.put_object("inputs/e2e-mask-300.png", png((300, 300)))
    cloud.bucket.put_object("inputs/e2e-100.png", png((100, 100)))
    cloud.bucket.put_object("inputs/e2e-text.png", b"This is a text, not a picture.\n" * 20)


@pytest.mark.parametrize(("name", "body", "pointer", "words"), BAD, ids=[row[0] for row in BAD])
def test_is_rejected(cloud: Cloud, name: str, body: str, pointer: str, words: str) -> None:
    before = cloud.creates()
    cloud.drop(f"e2e-bad-{name}.yaml", body)
    manifest = cloud.manifest(f"e2e-bad-{name}")
    assert manifest["state"] == "REJECTED"
    assert pointer in [violation["pointer"] for violation in manifest["violations"]]
    messages = " ".join(violation["message"] for violation in manifest["violations"])
    assert words.lower() in messages.lower()
    assert "Traceback" not in json.dumps(manifest)
    assert cloud.creates() == before


def test_a_file_of_50_mb_is_rejected_unread(cloud: Cloud) -> None:
    cloud.drop("e2e-bad-huge.yaml", b"#" * 50_000_000)
    manifest = cloud.manifest("e2e-bad-huge")
    assert manifest["state"] == "REJECTED"
    assert "50000000 bytes" in manifest["violations"][0]["message"]


def test_every_violation_is_reported_at_once(cloud: Cloud) -> None:
    job = changed(SKETCH, parameters__n=9, parameters__style="<pop art>", input__prompt="")
    cloud.drop("e2e-bad-all.yaml", job)
    pointers = [v["pointer"] for v in cloud.manifest("e2e-bad-all")["violations"]]
    assert sorted(pointers) == ["/input/prompt", "/parameters/n", "/parameters/style"]


def test_violations_name_the_line(cloud: Cloud) -> None:
    text = "model: wanx-sketch-to-image-lite\ninput:\n  prompt: x\n  sketch_image_url: 5\n"
    cloud.drop("e2e-bad-line.yaml", text)
    assert cloud.manifest("e2e-bad-line")["violations"][0]["line"] == 4


def test_a_prompt_longer_than_the_model_reads_is_a_warning(cloud: Cloud) -> None:
    cloud.drop("e2e-long.yaml", changed(SKETCH, input__prompt="tree " * 20, parameters__n=1))
    manifest = cloud.manifest("e2e-long")
    assert manifest["state"] == "SUCCEEDED"
    assert "/input/prompt" in [warning["pointer"] for warning in manifest["warnings"]]


def test_a_rejected_file_is_taken_in_once_its_picture_is_there(cloud: Cloud) -> None:
    job = changed(SKETCH, input__sketch_image_url="oss:///inputs/e2e-late.png", parameters__n=1)
    cloud.drop("e2e-late.yaml", job)
    assert cloud.manifest("e2e-late")["state"] == "REJECTED"
    cloud.bucket.put_object("inputs/e2e-late.png", png((400, 400)))
    cloud.drop("e2e-late.yaml", job)
    wait_for_state(cloud, "e2e-late", "SUCCEEDED")


def test_post_jobs_tells_every_violation_in_the_answer(cloud: Cloud) -> None:
    body = changed(EDIT, parameters__n=0, parameters__size="10*10").encode()
    answer = cloud.post("/jobs", body, "application/yaml")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    pointers = {violation["pointer"] for violation in answer.json()["violations"]}
    assert pointers == {"/parameters/n", "/parameters/size"}


def wait_for_state(cloud: Cloud, stem: str, state: str) -> None:
    import time

    end = time.monotonic() + 60
    while cloud.manifest(stem)["state"] != state:
        assert time.monotonic() < end, f"{stem} never became {state}"
        time.sleep(0.05)
