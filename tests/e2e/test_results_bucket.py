"""Results in another bucket: nothing but the place of what lies below results/ differs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import oss2
import pytest
import requests

from tests.e2e.conftest import Cloud, bucket_of, laptop
from tests.e2e.test_cli import Wanx

RESULTS = "wanx-pictures"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """What a user has, with the bucket that everything but the results is in."""
    with laptop(tmp_path_factory.mktemp("two"), RESULTS_BUCKET=RESULTS) as running:
        yield running


@pytest.fixture
def second(first: Cloud) -> Cloud:
    """The same with the bucket of the results."""
    return replace(first, bucket=bucket_of({**first.env, "OSS_BUCKET": RESULTS}))


def keys(cloud: Cloud, prefix: str = "") -> list[str]:
    return [one.key for one in oss2.ObjectIterator(cloud.bucket, prefix=prefix)]


def test_a_job_from_file_to_erasure(first: Cloud, second: Cloud, tmp_path: Path) -> None:
    wanx = Wanx(first, tmp_path)
    job = {
        "model": "wanx-sketch-to-image-lite",
        "input": {"prompt": "a house", "sketch_image_url": "oss:///inputs/house-sketch.png"},
        "parameters": {"n": 1},
        "job": {"id": "two-house"},
    }
    first.drop("two-house.json", json.dumps(job))
    (image,) = second.manifest("two-house")["images"]
    assert keys(second) == [image["key"], "results/two-house/result.json"]
    assert keys(first, "results/") == []

    seen = first.get("/jobs/two-house").json()
    assert f"/{RESULTS}/results/" in seen["images"][0]["url"]
    assert requests.get(seen["images"][0]["url"], timeout=10).content[:4] == b"\x89PNG"
    assert first.get("/jobs/two-house/result").json()["state"] == "SUCCEEDED"
    assert "sha256 ok" in wanx("get", "two-house")
    assert "sha256 ok" in Wanx(first, tmp_path).over_http()("get", "two-house", "--out", "http")

    edit = {
        "model": "wan2.5-i2i-preview",
        "input": {"prompt": "at night", "images": [f"oss:///{image['key']}"]},
        "parameters": {"n": 1},
        "job": {"id": "two-night"},
    }
    answer = first.post("/jobs", json.dumps(edit).encode(), "application/json")
    assert answer.status_code == 202, answer.text
    assert second.manifest("two-night")["state"] == "SUCCEEDED"

    second.bucket.delete_object("results/two-house/result.json")
    wanx("repair")
    assert second.manifest("two-house")["images"] == [image]
    assert keys(first, "results/") == []

    said = wanx("erase", "two-house", "two-night", "--yes")
    assert "two-house: erased" in said
    assert not [one for one in keys(second) if "image-" in one]
    assert first.get("/jobs/two-house").json()["state"] == "SUCCEEDED"


def test_the_page_may_show_and_fetch_what_is_there(first: Cloud) -> None:
    link = f"{first.env['OSS_ENDPOINT']}/{RESULTS}/results/nothing"
    asks = {"Origin": first.env["API_URL"], "Access-Control-Request-Method": "GET"}
    assert requests.options(link, headers=asks, timeout=10).status_code == 200


def test_doctor_looks_at_it_and_a_wrong_one_is_refused(first: Cloud, tmp_path: Path) -> None:
    wanx = Wanx(first, tmp_path)
    assert f"results bucket: {RESULTS}" in wanx("doctor")
    lines = (tmp_path / "cloud.env").read_text("utf-8").replace(RESULTS, "wanx-nowhere")
    (tmp_path / "cloud.env").write_text(lines, "utf-8")
    assert "RESULTS_BUCKET is wanx-nowhere, which cannot be used" in " ".join(
        wanx("list", code=3).split()
    )
    assert "RESULTS_BUCKET is wanx-nowhere" in " ".join(wanx("doctor", code=1).split())


def test_versioning_is_refused_there_too(first: Cloud, second: Cloud, tmp_path: Path) -> None:
    name = "wanx-versioned"
    bucket = bucket_of({**first.env, "OSS_BUCKET": name})
    bucket.create_bucket()
    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig("Suspended"))
    wanx = Wanx(first, tmp_path)
    lines = (tmp_path / "cloud.env").read_text("utf-8").replace(RESULTS, name)
    (tmp_path / "cloud.env").write_text(lines, "utf-8")
    assert f"RESULTS_BUCKET is {name}, which has versioning" in " ".join(
        wanx("list", code=3).split()
    )
