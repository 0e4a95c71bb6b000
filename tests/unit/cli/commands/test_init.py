"""`wanx init`: a job file to fill in, written from the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.catalogue.model_file import load_catalogue
from tests.kit.wanx import run

MODELS = load_catalogue().names()


@pytest.mark.parametrize("model", MODELS)
def test_a_new_job_file_is_right_but_for_its_images(
    model: str, validator: Draft202012Validator
) -> None:
    run("init", model, "--out", "new.yaml")
    assert "0 violations" in run("check", "new.yaml")
    job = yaml.safe_load(Path("new.yaml").read_text("utf-8"))
    assert list(validator.iter_errors(job)) == []
    names_images = "oss:///" in json.dumps(job["input"])
    seen = run("check", "new.yaml", "--inputs", ".", code=1 if names_images else 0)
    errors = [line for line in seen.splitlines() if ": error: " in line]
    assert bool(errors) is names_images
    assert all("does not exist in the bucket" in line for line in errors), seen


def test_a_new_job_file_asks_for_something() -> None:
    """With its defaults alone, this model gives back the picture as it was and is paid for it."""
    run("init", "image-out-painting", "--out", "new.yaml")
    written = yaml.safe_load(Path("new.yaml").read_text("utf-8"))["parameters"]
    assert written == {"x_scale": 1.5, "y_scale": 1.5}


def names_in(fields: dict[str, Any]) -> Iterator[str]:
    """The names of fields and of those inside them."""
    for name, field in fields.items():
        yield name
        yield from names_in(field.get("properties", {}))


@pytest.mark.parametrize("model", MODELS)
def test_what_is_commented_out_is_right_too(model: str, validator: Draft202012Validator) -> None:
    """Whoever takes the mark from every option gets a file that says the same and is in order."""
    text = run("init", model)
    entry = load_catalogue().get(model)
    assert entry is not None
    objects = {
        name: one
        for name, one in entry.input_schema["properties"].items()
        if one["type"] == "object"
    }
    keys = {*entry.parameters_schema["properties"], *names_in(objects)}
    keys |= {"id", "priority", "expires_after", "labels", "on_partial", "negative_prompt"}
    lines = []
    for line in text.splitlines():
        bare = line.strip().removeprefix("# ")
        is_option = bare.strip().partition(":")[0] in keys or bare.startswith("  - ")
        commented = line.startswith("  # ") and is_option
        lines.append(f"  {bare}" if commented else line)
    Path("all.yaml").write_text("\n".join(lines), encoding="utf-8")
    job = yaml.safe_load("\n".join(lines))
    assert set(job.get("parameters", {})) <= keys
    assert set(objects) <= set(job["input"])
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
