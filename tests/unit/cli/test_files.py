"""`wanx init`, `wanx schema` and `wanx models`: what is written from the catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from cli.main import wanx
from cli.schema import job_schema
from shared.catalogue.models import load_catalogue

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
MODELS = load_catalogue().names()
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OSS_ENDPOINT", "OSS_BUCKET", "API_URL", "API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cli.access.ROOT", tmp_path)


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(wanx, list(words))
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = job_schema(load_catalogue())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("model", MODELS)
def test_a_new_job_file_is_right_but_for_its_images(
    model: str, validator: Draft202012Validator
) -> None:
    run("init", model, "--out", "new.yaml")
    assert "0 violations" in run("check", "new.yaml")
    job = yaml.safe_load(Path("new.yaml").read_text("utf-8"))
    assert list(validator.iter_errors(job)) == []
    seen = run("check", "new.yaml", "--inputs", ".", code=1)
    errors = [line for line in seen.splitlines() if ": error: " in line]
    assert errors
    assert all("does not exist in the bucket" in line for line in errors), seen


@pytest.mark.parametrize("model", MODELS)
def test_what_is_commented_out_is_right_too(model: str, validator: Draft202012Validator) -> None:
    """Whoever takes the mark from every option gets a file that says the same and is in order."""
    text = run("init", model)
    keys = set(load_catalogue().get(model).parameters_schema["properties"])  # type: ignore[union-attr]
    keys |= {"id", "priority", "expires_after", "labels", "on_partial", "negative_prompt"}
    lines = []
    for line in text.splitlines():
        bare = line.strip().removeprefix("# ")
        commented = line.startswith("  # ") and bare.partition(":")[0] in keys
        lines.append(f"  {bare}" if commented else line)
    Path("all.yaml").write_text("\n".join(lines), encoding="utf-8")
    job = yaml.safe_load("\n".join(lines))
    assert set(job["parameters"]) == keys & set(job["parameters"])
    assert len(job["job"]) == 5
    assert "0 violations" in run("check", "all.yaml")
    assert list(validator.iter_errors(job)) == []


@pytest.mark.parametrize("model", MODELS)
def test_a_new_job_file_fits_a_terminal(model: str) -> None:
    assert max(map(len, run("init", model).splitlines())) <= 80


def test_init_never_writes_over_a_file_unasked() -> None:
    Path("mine.yaml").write_text("precious", encoding="utf-8")
    assert "exists already" in run("init", MODELS[0], "--out", "mine.yaml", code=1)
    assert Path("mine.yaml").read_text("utf-8") == "precious"
    run("init", MODELS[0], "--out", "mine.yaml", "--force")
    assert "precious" not in Path("mine.yaml").read_text("utf-8")


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    assert f"did you mean {MODELS[0]}" in run("init", f"{MODELS[0]}x", code=2)


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


def test_models_are_shown() -> None:
    every = run("models")
    assert all(name in every for name in MODELS)
    assert max(map(len, every.splitlines())) <= 80
    for name in MODELS:
        one = run("models", name)
        model = load_catalogue().get(name)
        assert model is not None
        assert all(key in one for key in model.input_schema["properties"])
        assert all(key in one for key in model.parameters_schema["properties"])
        assert max(map(len, one.splitlines())) <= 80
        assert json.loads(run("models", name, "--json"))["name"] == name
