"""`wanx convert`: a job file for a model that is going becomes one for its successor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from cli.main import wanx
from tests.kit.wanx import run

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = ROOT / "examples"
SUCCESSOR = "wanx2.1-imageedit"
SKETCH = {
    "model": "wanx-sketch-to-image-lite",
    "input": {"prompt": "a house", "sketch_image_url": "https://example.com/a.png"},
    "parameters": {"n": 1, "sketch_weight": 3},
    "job": {"id": "house", "labels": {"campaign": "spring"}},
}


def convert(*words: str) -> Result:
    return CliRunner().invoke(wanx, ["convert", *words])


def written(*jobs: object, name: str = "old.json") -> str:
    whole = jobs[0] if len(jobs) == 1 else list(jobs)
    Path(name).write_text(json.dumps(whole), encoding="utf-8")
    return name


def test_an_example_is_converted_and_right_for_its_successor() -> None:
    example = str(EXAMPLES / "inpainting.yaml")
    done = convert(example, "--to", SUCCESSOR, "-o", "new.yaml", "--inputs", str(EXAMPLES))
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "made black and white" in done.stderr
    assert "new.yaml is written: 1 job" in done.stderr
    assert "0 violations" in run("check", "new.yaml", "--inputs", str(EXAMPLES))
    new = yaml.safe_load(Path("new.yaml").read_text(encoding="utf-8"))
    assert "id" not in new.get("job", {}), "the job as it was may have run under it"
    assert "at /job/id: left out" in done.stderr


def test_without_out_the_job_file_alone_is_on_stdout() -> None:
    done = convert(written(SKETCH))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["model"] == SUCCESSOR
    assert json.loads(done.stdout)["job"] == {"labels": {"campaign": "spring"}}
    assert "note: at /parameters/sketch_weight: left out" in done.stderr


@pytest.mark.parametrize("suffix", ["yaml", "json", "jsonl"])
def test_several_jobs_stay_several_in_every_format(suffix: str) -> None:
    done = convert(written(SKETCH, SKETCH), "--out", f"new.{suffix}")
    assert done.exit_code == 0, done.output
    assert "note: 2 jobs, first 1: at /parameters/sketch_weight" in done.output
    assert "1 file, 2 jobs: 0 violations" in run("check", f"new.{suffix}")


def test_a_file_that_is_there_is_left_alone() -> None:
    Path("new.json").write_text("mine", encoding="utf-8")
    assert "exists already" in run("convert", written(SKETCH), "-o", "new.json", code=1)
    assert Path("new.json").read_text(encoding="utf-8") == "mine"
    run("convert", written(SKETCH), "-o", "new.json", "--force")
    assert SUCCESSOR in Path("new.json").read_text(encoding="utf-8")


def test_another_suffix_is_refused_before_anything_is_written() -> None:
    assert "use .yaml" in run("convert", written(SKETCH), "-o", "new.txt", code=2)
    assert not Path("new.txt").exists()


def test_a_job_that_cannot_be_converted_stops_the_file() -> None:
    edit = {"model": "wan2.5-i2i-preview", "input": {"prompt": "x", "images": ["https://e.com/a"]}}
    said = run("convert", written(SKETCH, edit), "--to", SUCCESSOR, "-o", "new.json", code=1)
    assert "old.json:1: error: at /model: jobs of wan2.5-i2i-preview cannot be converted" in said
    assert f"wanx-x-painting to {SUCCESSOR}" in said
    assert "Nothing was written." in said
    assert not Path("new.json").exists()


def test_without_a_bucket_a_mask_that_must_be_seen_needs_a_folder() -> None:
    job = yaml.safe_load((EXAMPLES / "inpainting.yaml").read_text(encoding="utf-8"))
    job["parameters"]["mask_color"] = [[255, 255, 255]]
    said = run("convert", written(job), code=1)
    assert "cannot be read from here" in said
    assert "--inputs DIR" in said
    run("convert", written(job), "--inputs", str(EXAMPLES))


def test_what_is_wrong_with_the_job_is_written_and_told() -> None:
    wrong = {**SKETCH, "parameters": {"n": 9}}
    said = run("convert", written(wrong), "-o", "new.json", code=1)
    assert "error: at /parameters/n" in said
    assert json.loads(Path("new.json").read_text("utf-8"))["parameters"]["n"] == 9


def test_a_file_that_is_no_job_file_is_refused_in_words() -> None:
    Path("old.yaml").write_text("model: [", encoding="utf-8")
    assert "old.yaml:2: error: line 2" in run("convert", "old.yaml", code=1)
