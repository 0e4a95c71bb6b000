"""`wanx get` of a job that made no images: well where it succeeded, and not where it failed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.commands.get import run

SAID = "No text detected for translation"


def get(manifest: dict[str, Any], state: str, as_json: bool = False) -> int:
    view = {"job": "cat", "state": state, "result": {"images": [], **manifest}}
    backend = SimpleNamespace(place="there", status=lambda _job: view)
    access: Any = SimpleNamespace(backend=lambda: backend)
    return run(access, ["cat"], Path("out"), as_json)


def test_a_success_without_images_is_no_error_and_its_message_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert get({"message": SAID, "error": None}, "SUCCEEDED") == 0
    said = capsys.readouterr()
    assert f"cat: {SAID}" in said.out
    assert said.err == ""
    assert json.loads(Path("out/cat/result.json").read_text("utf-8"))["message"] == SAID


def test_a_success_without_images_is_told_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert get({"message": SAID, "error": None}, "SUCCEEDED", as_json=True) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["message"], told["trouble"]) == (SAID, [])


def test_a_failure_without_images_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert get({"message": SAID, "error": {"message": "no image"}}, "FAILED") == 1
    assert "no images, it is FAILED: no image" in capsys.readouterr().err
