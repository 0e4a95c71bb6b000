"""Each model and each kind of job file, from the bucket to images in the bucket."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import oss2
import pytest
import yaml
from PIL import Image

from shared.storage import layout
from tests.e2e.conftest import THROTTLED, Cloud, faults
from tests.kit.catalogue import limits_of

INPAINTING = {
    "model": "wanx-x-painting",
    "input": {
        "prompt": "a cat wearing red glasses",
        "base_image_url": "oss:///inputs/cat.jpg",
        "mask_image_url": "oss:///inputs/cat-mask.png",
    },
    "parameters": {"size": "1024*1024", "n": 1},
}
SKETCH = {
    "model": "wanx-sketch-to-image-lite",
    "input": {"prompt": "a towering tree", "sketch_image_url": "oss:///inputs/house-sketch.png"},
    "parameters": {"n": 2, "style": "<watercolor>"},
}
EDIT = {
    "model": "wan2.5-i2i-preview",
    "input": {"prompt": "make it sunset", "images": ["oss:///inputs/rocket.jpg"]},
    "parameters": {"n": 1, "seed": 7},
}
FUSION = {
    "model": "wan2.5-i2i-preview",
    "input": {
        "prompt": "put the cat beside the coffee",
        "images": ["oss:///inputs/cat.jpg", "oss:///inputs/coffee.jpg"],
    },
    "parameters": {"n": 1, "size": "1024*1024"},
}


JSON = "application/json"


def pictures(cloud: Cloud, manifest: dict[str, Any]) -> list[Image.Image]:
    """The images a manifest names, each checked against what the manifest says of it."""
    found: list[Image.Image] = []
    for image in manifest["images"]:
        body = cloud.bucket.get_object(image["key"]).read()
        assert hashlib.sha256(body).hexdigest() == image["sha256"]
        assert len(body) == image["bytes"]
        picture = Image.open(io.BytesIO(body))
        assert picture.size == (image["width"], image["height"])
        found.append(picture)
    return found


def test_inpainting_changes_only_the_masked_area(cloud: Cloud) -> None:
    cloud.drop("e2e-inpainting.yaml", yaml.safe_dump(INPAINTING))
    manifest = cloud.manifest("e2e-inpainting")
    assert manifest["state"] == "SUCCEEDED"
    assert manifest["images"][0]["key"].endswith("/image-1.png")
    picture = np.asarray(pictures(cloud, manifest)[0].convert("RGB"), dtype=int)
    base = cloud.bucket.get_object("inputs/cat.jpg").read()
    mask = cloud.bucket.get_object("inputs/cat-mask.png").read()
    original = np.asarray(
        Image.open(io.BytesIO(base)).convert("RGB").resize((1024, 1024)), dtype=int
    )
    painted = np.asarray(Image.open(io.BytesIO(mask)).convert("L").resize((1024, 1024))) > 127
    difference = np.abs(picture - original).max(axis=2)
    outside = np.asarray(
        Image.open(io.BytesIO(mask))
        .convert("L")
        .resize((1024, 1024))
        .point(lambda v: 255 * (v > 0))
    )
    assert difference[painted].mean() > 20
    assert np.median(difference[outside == 0]) <= 8


def test_sketch_makes_as_many_images_as_asked(cloud: Cloud) -> None:
    cloud.drop("e2e-sketch.json", json.dumps(SKETCH))
    manifest = cloud.manifest("e2e-sketch")
    assert manifest["state"] == "SUCCEEDED"
    assert [image["number"] for image in manifest["images"]] == [1, 2]
    assert {picture.size for picture in pictures(cloud, manifest)} == {(768, 768)}
    assert manifest["price"]["total"] == pytest.approx(2 * 0.06)
    assert manifest["usage"] == {"image_count": 2}


def test_edit_tells_the_prompt_as_the_service_rewrote_it(cloud: Cloud) -> None:
    cloud.drop("e2e-edit.yml", yaml.safe_dump(EDIT))
    manifest = cloud.manifest("e2e-edit")
    assert manifest["state"] == "SUCCEEDED"
    assert manifest["images"][0]["orig_prompt"] == "make it sunset"
    assert manifest["images"][0]["actual_prompt"]
    assert manifest["spec"]["parameters"]["seed"] == 7
    pictures(cloud, manifest)


def test_a_translation_says_that_there_was_nothing_to_translate(cloud: Cloud) -> None:
    page = io.BytesIO()
    Image.new("RGB", (90, 60), "white").save(page, "PNG")
    cloud.bucket.put_object("inputs/empty-page.png", page.getvalue())
    given = {
        "image_url": "oss:///inputs/empty-page.png",
        "source_lang": "auto",
        "target_lang": "en",
    }
    cloud.drop("e2e-empty.json", json.dumps({"model": "qwen-mt-image", "input": given}))
    manifest = cloud.manifest("e2e-empty")
    assert manifest["state"] == "SUCCEEDED"
    assert manifest["texts"] == ["No text detected for translation"]
    assert manifest["price"]["total"] == pytest.approx(0.003)
    assert [(one.format, one.size) for one in pictures(cloud, manifest)] == [("JPEG", (90, 60))]


def test_yaml_with_several_documents_is_several_jobs(cloud: Cloud) -> None:
    cloud.drop("e2e-fusion.yaml", yaml.safe_dump_all([FUSION, EDIT]))
    manifests = cloud.manifests("e2e-fusion", 2)
    assert [manifest["state"] for manifest in manifests] == ["SUCCEEDED", "SUCCEEDED"]
    assert [manifest["source"]["document"] for manifest in manifests] == [1, 2]
    assert pictures(cloud, manifests[0])[0].size == (1024, 1024)


def test_json_lines_are_several_jobs_and_a_bad_line_stops_only_itself(cloud: Cloud) -> None:
    bad = SKETCH | {"parameters": {"n": 9}}
    lines = [json.dumps(job) for job in (SKETCH | {"job": {"id": "e2e-line-1"}}, bad, EDIT)]
    cloud.drop("e2e-lines.jsonl", "\n".join(lines))
    assert cloud.manifest("e2e-line-1")["state"] == "SUCCEEDED"
    states = {m["source"]["document"]: m["state"] for m in cloud.manifests("e2e-lines", 2)}
    assert states == {2: "REJECTED", 3: "SUCCEEDED"}


def test_a_file_copied_into_the_folder_by_hand_becomes_images(cloud: Cloud, tmp_path: Path) -> None:
    written = tmp_path / "e2e-by-hand.yaml"
    written.write_text(yaml.safe_dump(SKETCH | {"parameters": {"n": 1}}), "utf-8")
    (cloud.folder / "jobs").mkdir(exist_ok=True)
    shutil.copy(written, cloud.folder / "jobs" / written.name)
    assert cloud.manifest("e2e-by-hand")["state"] == "SUCCEEDED"


def test_a_file_uploaded_in_parts_becomes_images_once(cloud: Cloud) -> None:
    body = (yaml.safe_dump(SKETCH | {"parameters": {"n": 1}}) + "#" * 250_000).encode()
    key = "jobs/e2e-in-parts.yaml"
    upload = cloud.bucket.init_multipart_upload(key).upload_id
    parts = []
    for number, start in enumerate(range(0, len(body), 102_400), start=1):
        part = cloud.bucket.upload_part(key, upload, number, body[start : start + 102_400])
        parts.append(oss2.models.PartInfo(number, part.etag))
    cloud.bucket.complete_multipart_upload(key, upload, parts)
    assert cloud.manifest("e2e-in-parts")["state"] == "SUCCEEDED"
    assert len(cloud.manifests("e2e-in-parts", 1)) == 1


def test_the_same_file_again_is_the_same_job(cloud: Cloud) -> None:
    body = yaml.safe_dump(EDIT | {"job": {"id": "e2e-twice"}})
    cloud.drop("e2e-twice.yaml", body)
    first = cloud.manifest("e2e-twice")
    before = cloud.creates()
    cloud.drop("e2e-twice.yaml", body)
    cloud.drop("e2e-after-twice.yaml", yaml.safe_dump(EDIT))
    assert cloud.manifest("e2e-after-twice")["state"] == "SUCCEEDED"
    assert cloud.creates() == before + 1
    assert cloud.manifest("e2e-twice")["task"] == first["task"]


def test_a_data_url_reaches_the_service_and_stays_out_of_the_manifest(cloud: Cloud) -> None:
    import base64

    body = cloud.bucket.get_object("inputs/rocket.jpg").read()
    url = "data:image/jpeg;base64," + base64.b64encode(body).decode()
    job = EDIT | {"input": {"prompt": "make it night", "images": [url]}}
    cloud.drop("e2e-inline.json", json.dumps(job))
    manifest = cloud.manifest("e2e-inline")
    assert manifest["state"] == "SUCCEEDED"
    assert len(json.dumps(manifest)) < 5000


def test_post_jobs_answers_202_and_get_follows_the_job_to_its_result(cloud: Cloud) -> None:
    answer = cloud.post("/jobs", json.dumps(EDIT).encode(), "application/json")
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert answer.headers["Location"] == f"{cloud.env['API_URL']}/jobs/{job}"
    manifest = cloud.manifest(job)
    shown = cloud.get(f"/jobs/{job}").json()
    assert shown["state"] == "SUCCEEDED"
    assert shown["result"] == manifest
    assert cloud.get("/jobs/nothing-such").status_code == 404
    assert cloud.get(f"/jobs/{job}", token="wrong").status_code == 401


def test_limits_hold_as_the_service_saw_them(cloud: Cloud) -> None:
    for number in range(6):
        cloud.drop(f"e2e-many-{number}.yaml", yaml.safe_dump(SKETCH | {"parameters": {"n": 1}}))
    assert all(m["state"] == "SUCCEEDED" for m in cloud.manifests("e2e-many-", 6))
    for name, seen in cloud.service()["models"].items():
        limits = limits_of(name)
        assert seen["max_submissions_in_a_second"] <= limits.submissions
        assert seen["max_in_flight"] <= limits.lanes + limits.queue_ahead
        assert seen["creates_refused"] == {}


def test_a_job_that_waits_can_be_cancelled_and_is_never_sent(cloud: Cloud) -> None:
    for number in range(4):
        cloud.drop(f"e2e-busy-{number}.yaml", yaml.safe_dump(SKETCH | {"job": {"priority": 1}}))
    with faults(cloud, THROTTLED):  # so that it waits
        answer = cloud.post("/jobs", json.dumps(SKETCH | {"job": {"priority": 9}}).encode(), JSON)
        job = answer.json()["job"]
        canceled = cloud.post(f"/jobs/{job}/cancel", b"", JSON)
    assert (canceled.status_code, canceled.json()["state"]) == (200, "CANCELED")
    assert cloud.manifest(job)["state"] == "CANCELED"
    assert cloud.manifest(job)["task"] is None
    assert cloud.post(f"/jobs/{job}/cancel", b"", JSON).status_code == 409
    assert cloud.post("/jobs/no-such/cancel", b"", JSON).status_code == 404
    assert len(cloud.manifests("e2e-busy-", 4)) == 4


def test_a_finished_system_leaves_no_marks(cloud: Cloud) -> None:
    cloud.drop("e2e-last.yaml", yaml.safe_dump(EDIT))
    assert cloud.manifest("e2e-last")["state"] == "SUCCEEDED"
    _await_none(cloud, (layout.QUEUE, layout.SLOTS))
    assert _newest_epoch(cloud)["released"] is True
    claimed = [one.key for one in oss2.ObjectIterator(cloud.bucket, prefix=layout.TASKS)]
    assert layout.task(cloud.manifest("e2e-last")["task"]["id"]) in claimed


def _newest_epoch(cloud: Cloud) -> dict[str, Any]:
    """What the lease says, once it is released."""
    import time

    said: dict[str, Any] = {}
    end = time.monotonic() + 30
    while not said.get("released") and time.monotonic() < end:
        time.sleep(0.05)
        newest = max(one.key for one in oss2.ObjectIterator(cloud.bucket, prefix=layout.LEASE))
        said = json.loads(cloud.bucket.get_object(newest).read())
    return said


def _await_none(cloud: Cloud, prefixes: tuple[str, ...]) -> None:
    import time

    end = time.monotonic() + 30
    left = ["?"]
    while left and time.monotonic() < end:
        left = [
            found.key
            for prefix in prefixes
            for found in oss2.ObjectIterator(cloud.bucket, prefix=prefix)
        ]
        time.sleep(0.05)
    assert left == []
