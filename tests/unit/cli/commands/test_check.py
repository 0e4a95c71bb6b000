"""`wanx check`: every violation of every file, in three formats, with its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import wanx

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = ROOT / "examples"
WRONG = """\
model: wanx-sketch-to-image-lite
input:
  prompt: a house
  sketch_image_url: oss:///inputs/nothing.png
parameters:
  n: 9
  sketchweight: 3
---
model: wanx-x-paintin
input: {}
"""


def wrong() -> str:
    Path("wrong.yaml").write_text(WRONG, encoding="utf-8")
    return "wrong.yaml"


def check(*words: str) -> Result:
    return CliRunner().invoke(wanx, ["check", *words])


def test_examples_are_in_order_with_a_folder_in_the_buckets_place() -> None:
    files = [str(path) for path in sorted(EXAMPLES.iterdir()) if path.suffix in (".yaml", ".jsonl")]
    done = check(*files, "--inputs", str(EXAMPLES))
    assert done.exit_code == 0, done.output
    assert "0 violations" in done.output
    assert "could not be looked at" not in done.output


def test_lines_of_the_batch_form_are_checked_as_the_functions_read_them() -> None:
    line = {"custom_id": "a", "method": "POST", "url": "/v1/images/generations"}
    body = {"model": "wan2.5-t2i-preview", "prompt": "a cat", "size": "1280x1280"}
    lines = [{**line, "body": body}, {**line, "custom_id": 7, "body": body}]
    lines.append({**line, "custom_id": "b", "body": {**body, "n": 9}})
    text = "".join(f"{json.dumps(one)}\n" for one in lines)
    Path("batch.jsonl").write_text(text, encoding="utf-8")
    result = check("batch.jsonl")
    assert result.exit_code == 1
    assert "batch.jsonl:2: error: job 2, at /custom_id: custom_id must be a text" in result.output
    assert "at /parameters/n" in result.output
    assert "1 file, 3 jobs: 2 violations" in result.output


@pytest.mark.parametrize("name", ["a.YAML", "a.Yml", "a.JSON"])
def test_a_suffix_that_no_trigger_reads_is_told(name: str) -> None:
    job = {"model": "wan2.5-i2i-preview", "input": {"prompt": "x", "images": ["https://e.com/a"]}}
    Path(name).write_text(json.dumps(job), encoding="utf-8")
    done = check(name)
    assert done.exit_code == 0, done.output
    assert "no trigger reads" in done.output
    assert f"name it a{Path(name).suffix.lower()}" in done.output
    assert "1 notice" in done.output


@pytest.mark.parametrize(
    "image",
    [
        "oss:///photos/cat.jpg",
        "oss://inputs/cat.jpg",
        "http://127.0.0.1:8080/c.jpg",
        "https://h.com/c.jpg?Expires=1700000000&OSSAccessKeyId=K&Signature=S",
    ],
)
def test_what_the_functions_refuse_is_refused_here(image: str) -> None:
    job = {"model": "wan2.5-i2i-preview", "input": {"prompt": "x", "images": [image]}}
    Path("a.json").write_text(json.dumps(job), encoding="utf-8")
    done = check("a.json")
    assert done.exit_code == 1, done.output
    assert "1 violation" in done.output


def test_the_endpoint_of_the_laptop_is_no_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSS_PUBLIC_ENDPOINT", "http://127.0.0.1:9000")
    image = "http://127.0.0.1:9000/bucket/inputs/c.jpg"
    job = {"model": "wan2.5-i2i-preview", "input": {"prompt": "x", "images": [image]}}
    Path("a.json").write_text(json.dumps(job), encoding="utf-8")
    done = check("a.json")
    assert done.exit_code == 0, done.output


def test_every_violation_of_every_file_is_told_with_its_line() -> None:
    done = check(wrong(), str(EXAMPLES / "edit.yaml"), "--inputs", str(EXAMPLES))
    assert done.exit_code == 1
    for line, word in (
        (4, "nothing.png"),
        (6, "/parameters/n"),
        (7, "sketch_weight"),
        (9, "/model"),
    ):
        assert any(
            text.startswith(f"wrong.yaml:{line}: error: job ") and word in text
            for text in done.output.splitlines()
        ), done.output
    assert "2 files, 3 jobs: 4 violations, 0 notices." in done.output


def test_without_a_bucket_images_are_left_out_and_it_says_so() -> None:
    done = check(wrong())
    assert done.exit_code == 1
    assert "3 violations" in done.output
    assert "nothing.png" not in done.output
    assert "1 image of the bucket could not be looked at; give --inputs DIR" in done.output


def test_a_bucket_that_does_not_answer_is_no_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSS_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OSS_BUCKET", "some-bucket")
    assert "1 image of the bucket could not be looked at" in check(wrong()).output


@pytest.mark.parametrize(
    ("name", "body", "word"),
    [
        ("empty.yaml", b"", "empty"),
        ("half.json", b'{"model": ', "line 1"),
        ("latin.yaml", "model: gr\xfcn".encode("latin-1"), "UTF-8"),
        ("job.txt", b"model: x", "rename the file"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_violation(name: str, body: bytes, word: str) -> None:
    Path(name).write_bytes(body)
    done = check(name)
    assert done.exit_code == 1
    assert word in done.output
    assert "Traceback" not in done.output


def test_a_file_that_does_not_exist_is_a_wrong_command_line() -> None:
    done = check("no-such.yaml")
    assert done.exit_code == 2
    assert "no-such.yaml" in done.output


def test_json_for_programs() -> None:
    done = check(wrong(), "--format", "json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["ok"] is False
    (file,) = document["files"]
    assert file["documents"] == 2
    assert [(one["document"], one["pointer"], one["line"]) for one in file["violations"]] == [
        (1, "/parameters/n", 6),
        (1, "/parameters/sketchweight", 7),
        (2, "/model", 9),
    ]
    assert json.loads(check(str(EXAMPLES / "edit.yaml"), "--format", "json").stdout)["ok"] is True


def test_sarif_for_code_hosts() -> None:
    done = check(wrong(), str(EXAMPLES / "inpainting.yaml"), "--format", "sarif")
    assert done.exit_code == 1
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["tool"]["driver"]["name"] == "wanx"
    levels = [result["level"] for result in run["results"]]
    assert levels == ["error", "error", "error", "note"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
    first = run["results"][0]["locations"][0]
    assert first["physicalLocation"]["artifactLocation"]["uri"] == "wrong.yaml"
    assert first["physicalLocation"]["region"]["startLine"] == 6
    assert first["logicalLocations"][0]["fullyQualifiedName"] == "/parameters/n"


def test_what_a_file_says_cannot_steer_the_terminal() -> None:
    Path("esc.json").write_text(
        json.dumps({"model": "wan\x1b[2J", "input": {"\x1b]0;title\x07": 1}}), encoding="utf-8"
    )
    done = check("esc.json")
    assert done.exit_code == 1
    assert "\x1b" not in done.output


SET = """\
model: qwen-image-3.0-pro
input: {prompt: a house}
parameters: {size: 1024*1024, n: 2}
---
model: wanx-x-painting
input: {prompt: a, base_image_url: "https://e.com/a.png", mask_image_url: "https://e.com/b.png"}
---
model: qwen-image-3.0-pro
input: {prompt: a house}
parameters: {size: 2048*2048, n: 9}
"""


def test_the_price_of_each_job_that_is_in_order_and_of_all_is_told() -> None:
    Path("set.yaml").write_text(SET, encoding="utf-8")
    done = check("set.yaml")
    assert done.exit_code == 1
    told = [line for line in done.output.splitlines() if ": price: " in line]
    assert told == [
        "set.yaml: price: job 1, at most CNY 0.50 for 2 images",
        "set.yaml: price: job 2, 1 image of the free trial",
    ]
    assert "At most CNY 0.50 for 2 jobs; images that fail are free." in done.output
    assert "wanx-x-painting: free trial of 500 images, and nothing can be bought." in done.output
    assert "qwen-image-3.0-pro: the account's first" in done.output


def test_the_price_is_told_to_programs_and_is_that_of_the_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("set.yaml").write_text(SET.split("---")[0], encoding="utf-8")
    beijing = json.loads(check("set.yaml", "--format", "json").stdout)
    monkeypatch.setenv("DASHSCOPE_HTTP_BASE_URL", "https://dashscope-intl.aliyuncs.com/api/v1")
    singapore = json.loads(check("set.yaml", "--format", "json").stdout)
    totals = [one["price_at_most"][0]["total"] for one in (beijing, singapore)]
    assert totals == [0.5, 0.5995]
    (job,) = beijing["files"][0]["jobs"]
    assert (job["document"], job["payable"], job["price_at_most"]["images"]) == (1, True, 2)


def test_calls_that_may_be_made_again_are_in_the_price() -> None:
    job = "model: qwen-image-2.0\ninput: {prompt: a house}\njob: {on_unknown: resend}\n"
    Path("again.yaml").write_text(job, encoding="utf-8")
    told = check("again.yaml").output.splitlines()
    lost = "4 of lost calls (on_unknown: resend)"
    assert told[1] == f"again.yaml: price: at most CNY 1.00 for 1 image, {lost}"
    assert told[2] == "At most CNY 1.00 for 1 job; images that fail are free."


def test_the_sum_is_that_of_the_exact_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_HTTP_BASE_URL", "https://dashscope-intl.aliyuncs.com/api/v1")
    job = "model: qwen-image-plus\ninput: {prompt: a house}\n"
    Path("three.yaml").write_text("---\n".join([job] * 3), encoding="utf-8")
    found = json.loads(check("three.yaml", "--format", "json").stdout)
    (total,) = found["price_at_most"]
    assert (total["total"], round(3 * 0.220177, 4)) == (0.6605, 0.6605)


def test_a_region_that_cannot_be_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_HTTP_BASE_URL", "https://dashscope-intl.aliyuncs.com/api/v1")
    monkeypatch.setenv("DASHSCOPE_REGION", "cn-beijing")
    done = check(str(EXAMPLES / "edit.yaml"))
    assert done.exit_code == 3
    assert "DASHSCOPE_REGION is cn-beijing" in done.output


def test_of_many_jobs_the_first_have_a_line_and_all_count() -> None:
    line = json.dumps({"model": "z-image-turbo", "input": {"prompt": "a house"}})
    Path("many.jsonl").write_text(f"{line}\n" * 25, encoding="utf-8")
    said = check("many.jsonl").output
    assert "many.jsonl: price: job 20, " in said
    assert "job 21" not in said
    assert "many.jsonl: price: 5 jobs more" in said
    assert "for 25 jobs;" in said


def test_a_model_that_the_region_does_not_have_is_refused_as_at_submission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = {"image_url": "https://h.example.com/a.png", "source_lang": "zh", "target_lang": "en"}
    job = {"model": "qwen-mt-image", "input": body}
    Path("job.json").write_text(json.dumps(job), encoding="utf-8")
    assert check("job.json").exit_code == 0
    monkeypatch.setenv("DASHSCOPE_HTTP_BASE_URL", "https://dashscope-intl.aliyuncs.com/api/v1")
    done = check("job.json")
    assert done.exit_code == 1
    assert "qwen-mt-image is offered in cn-beijing only" in done.output
    assert "price:" not in done.output
