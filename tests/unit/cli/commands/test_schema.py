"""`wanx schema`: the JSON Schema of a job file, for editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.catalogue.model_file import load_catalogue
from tests.kit.wanx import run

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = ROOT / "examples"
MODELS = load_catalogue().names()
Change = Callable[[dict[str, Any]], object]


def test_the_schema_takes_every_example(validator: Draft202012Validator) -> None:
    jobs = [job for path in EXAMPLES.glob("*.yaml") for job in yaml.safe_load_all(path.open())]
    jobs += [json.loads((EXAMPLES / "edit.json").read_text("utf-8"))]
    jobs += [
        json.loads(line) for line in (EXAMPLES / "batch.jsonl").read_text("utf-8").splitlines()
    ]
    assert len(jobs) >= 8
    for job in jobs:
        assert list(validator.iter_errors(job)) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda job: job.pop("input"),
        lambda job: job.update(model="wanx-of-tomorrow"),
        lambda job: job.update(more=1),
        lambda job: job["input"].pop("prompt"),
        lambda job: job["input"].update(prompt="   "),
        lambda job: job["input"].update(images=["oss:///inputs/cat.jpg"]),
        lambda job: job["parameters"].update(n=5),
        lambda job: job["parameters"].update(sketch_weight=3),
        lambda job: job["parameters"].update(size="1024x1024"),
        lambda job: job.update(job={"priority": 10}),
        lambda job: job.update(job={"id": "../up"}),
    ],
)
def test_the_schema_refuses_what_check_refuses(
    change: Change, validator: Draft202012Validator
) -> None:
    job = yaml.safe_load((EXAMPLES / "inpainting.yaml").read_text("utf-8"))
    change(job)
    assert list(validator.iter_errors(job))
    Path("bad.yaml").write_text(yaml.safe_dump(job), encoding="utf-8")
    run("check", "bad.yaml", code=1)


def test_the_schema_is_written_with_the_line_for_editors() -> None:
    said = run("schema", "--out", "job.schema.json")
    assert "# yaml-language-server: $schema=job.schema.json" in said
    written = json.loads(Path("job.schema.json").read_text("utf-8"))
    assert written == json.loads(run("schema"))
    assert written["properties"]["model"]["enum"] == MODELS
    assert not any(key.startswith("x-") for key in _keys(written))
    assert "# yaml-language-server: $schema=" in run("schema", "--help")


def _keys(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_keys, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    return set(node).union(*map(_keys, node.values()))
