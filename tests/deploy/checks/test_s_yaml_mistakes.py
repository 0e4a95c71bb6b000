"""Each deliberate mistake in s.yaml is found, where it is, and nothing else is said."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.checks.serverless import ACCOUNT, check_rendered, check_serverless
from deploy.stack.render import render

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {"OSS_BUCKET": "my-images", "DASHSCOPE_API_KEY": "example-key"}
MISTAKES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("mistakes_s_yaml.yaml").read_text(encoding="utf-8")
)


@functools.cache
def rendered() -> dict[str, Any]:
    return render(ROOT / "s.yaml", ENVIRONMENT, {"AccountID": ACCOUNT})


def large(value: Any) -> Any:
    """Values too large to be written down in the list of mistakes."""
    triggers = rendered()["resources"]["submit"]["props"]["triggers"]
    named = {
        "257 characters": "a" * 257,
        "65 characters": "a" * 65,
        "4096 characters": "a" * 4096,
        "131073 characters": "a" * 131073,
        "twenty-one": [{"key": f"k{number}", "value": "v"} for number in range(21)],
        "eleven": [numbered(triggers[0], number) for number in range(11)],
    }
    return named.get(value, value) if isinstance(value, str) else value


def numbered(trigger: dict[str, Any], number: int) -> dict[str, Any]:
    one = copy.deepcopy(trigger)
    one["triggerName"] = f"jobs-{number}"
    one["triggerConfig"]["filter"]["key"] = {"prefix": f"jobs/{number:02d}/", "suffix": ".yaml"}
    return one


def patched(mistake: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(rendered())
    for path, value in mistake.get("set", {}).items():
        holder, key = parent(document, path)
        holder[key] = large(value)
    for path in mistake.get("remove", []):
        holder, key = parent(document, path)
        del holder[key]
    return document


def parent(document: Any, path: str) -> tuple[Any, Any]:
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        document = document[step]
    return document, last


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["mistake"])
def test_a_mistake_is_found_and_nothing_else(mistake: dict[str, Any]) -> None:
    findings = check_rendered(patched(mistake), ROOT)
    assert (mistake["finds"], mistake["at"]) in [(each.id, each.where) for each in findings]
    ids = {each.id for each in findings}
    assert ids == {mistake["finds"], *mistake.get("also", [])}, [str(each) for each in findings]
    assert all(each.found and each.expected and each.advice and each.source for each in findings)
    assert "example-key" not in str(findings)


@pytest.mark.parametrize("file", ["s.yaml", "s.dev.yaml"])
def test_what_is_deployed_has_no_findings(file: str) -> None:
    assert [str(each) for each in check_serverless(ROOT / file, ENVIRONMENT)] == []


def test_a_key_in_the_file_is_found_and_not_shown(tmp_path: Path) -> None:
    key = "sk-" + "0123456789abcdef" * 2
    text = (ROOT / "s.yaml").read_text(encoding="utf-8")
    file = tmp_path / "s.yaml"
    file.write_text(text.replace("${env('DASHSCOPE_API_KEY','')}", key), encoding="utf-8")
    (tmp_path / "template.yml").write_bytes((ROOT / "template.yml").read_bytes())
    findings = check_serverless(file, ENVIRONMENT)
    assert [each.id for each in findings] == ["secret"]
    assert key not in str(findings)
