"""What a job costs is the same figure before it is sent, by command line and API, and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from cli.main import wanx
from tests.e2e.conftest import ROOT, Cloud

CAT = "oss:///inputs/cat.jpg"
PRO = "qwen-image-3.0-pro"
KINDS: list[dict[str, Any]] = [
    {"model": PRO, "input": {"prompt": "x"}, "parameters": {"size": "1024*1024", "n": 2}},
    {"model": PRO, "input": {"prompt": "x"}, "parameters": {"size": "2048*2048"}},
    {"model": PRO, "input": {"prompt": "x", "images": [CAT]}, "parameters": {"size": "1024*1024"}},
    {"model": "z-image-turbo", "input": {"prompt": "x"}, "parameters": {"prompt_extend": True}},
    {"model": "z-image-turbo", "input": {"prompt": "x"}, "parameters": {"prompt_extend": False}},
]
"""By area with each price; for each image sent, with a size that may be ignored; by a parameter."""

AT_ONCE = 6
"""Jobs whose images are drawn at once."""


def written() -> list[dict[str, Any]]:
    """The jobs of all examples, and one for each kind of price, under ids of their own."""
    jobs = list[dict[str, Any]]()
    for path in sorted((ROOT / "examples").iterdir()):
        if path.suffix == ".yaml":
            jobs += yaml.safe_load_all(path.read_text("utf-8"))
        elif path.suffix == ".jsonl":
            jobs += map(json.loads, filter(None, path.read_text("utf-8").splitlines()))
    jobs += KINDS
    return [{**job, "job": {"id": f"price-{number:02}"}} for number, job in enumerate(jobs)]


@pytest.mark.slow
def test_check_api_and_manifest_say_the_same_price(cloud: Cloud, tmp_path: Path) -> None:
    jobs, file = written(), tmp_path / "prices.jsonl"
    file.write_text("\n".join(map(json.dumps, jobs)) + "\n", "utf-8")
    words = ["check", "--format", "json", "--inputs", str(ROOT / "examples"), str(file)]
    done = CliRunner().invoke(wanx, words)
    assert done.exit_code == 0, done.output
    checked = json.loads(done.stdout)
    before = [one["price_at_most"] for one in checked["files"][0]["jobs"]]
    assert len(before) == len(jobs)
    total = round(sum(one["total"] for one in before), 4)
    assert checked["price_at_most"] == [{"currency": "CNY", "total": total}]
    after = list[dict[str, Any]]()
    for start in range(0, len(jobs), AT_ONCE):
        part = jobs[start : start + AT_ONCE]
        lines = "\n".join(map(json.dumps, part)).encode()
        made = cloud.post("/jobs", lines, "application/jsonl")
        assert made.status_code == 202, made.text
        told = [one["price_at_most"] for one in made.json()["jobs"]]
        assert told == before[start : start + AT_ONCE]
        after += [cloud.manifest(one["job"]["id"])["price"] for one in part]
    other = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert len(other) == 3, "two sets may have fewer images, and of one job the size is unknown"
    for said, paid in other:
        assert "at_most" not in paid, "the images are there, and so is their size"
        assert paid["total"] < said["total"]
    (guessed,) = (pair for pair in other if "at_most" in pair[0])
    assert guessed[0]["per_image_at_least"] == guessed[1]["per_image"]
