"""s.yaml and template.yml describe the same stack; a difference that is put in is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.checks.same_stack import (
    ACCOUNT,
    agreement,
    check_same,
    compare,
    declared_settings,
    parameters,
    variants,
)
from deploy.stack.findings import Finding
from deploy.stack.render import render
from tests.deploy.checks.template_mistakes import (
    MISTAKES,
    SERVERLESS,
    TEMPLATE,
    patched,
    stacks,
    template,
)

APART = [one for one in MISTAKES if one["finds"].startswith("same.")]


def test_both_describe_the_same_stack() -> None:
    assert [str(one) for one in check_same(SERVERLESS, TEMPLATE)] == []


def test_the_second_stage_is_the_same_stack_by_another_name() -> None:
    settings = next(variants())
    rendered = render(SERVERLESS.with_name("s.dev.yaml"), settings, {"AccountID": ACCOUNT})
    stage = {"Name": rendered["vars"]["name"], "LogLevel": rendered["vars"]["logLevel"]}
    found = compare(rendered, template(), {**parameters(settings), **stage})
    assert [str(one) for one in found if one.id != "same.foundation"] == []


@pytest.mark.parametrize("mistake", APART, ids=[one["name"] for one in APART])
def test_a_difference_is_found(mistake: dict[str, Any]) -> None:
    found = compared(mistake)
    assert mistake["finds"] in {one.id for one in found}, [str(one) for one in found]


def compared(mistake: dict[str, Any]) -> list[Finding]:
    """What is found with a mistake in one of the files, over all settings."""
    in_serverless = mistake.get("in") == "s.yaml"
    right = template() if in_serverless else patched(template(), mistake)
    found = [*declared_settings(SERVERLESS.read_text(encoding="utf-8"), right)]
    for rendered, values in stacks():
        left = patched(rendered, mistake) if in_serverless else rendered
        found += compare(left, right, values)
    return found


def test_a_setting_that_s_yaml_gains_needs_a_parameter(tmp_path: Path) -> None:
    text = SERVERLESS.read_text(encoding="utf-8")
    path = tmp_path / "s.yaml"
    path.write_text(text.replace("LOG_PROMPTS: ", "NEW: ${env('NEW','')}\n      LOG_PROMPTS: "))
    found = {(one.id, one.where) for one in check_same(path, TEMPLATE)}
    assert ("same.setting", "NEW") in found


def test_a_template_with_findings_is_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "template.yml"
    path.write_text(TEMPLATE.read_text(encoding="utf-8").replace("Handler:", "Handle:"), "utf-8")
    (found,) = check_same(SERVERLESS, path)
    assert found.id == "same.not-compared"


def test_a_key_is_never_shown() -> None:
    where = ["Resources", "PollFunction", "Properties", "EnvironmentVariables", "DASHSCOPE_API_KEY"]
    found = compared({"at": where, "put": "sk-in-the-file", "finds": ""})
    text = "\n".join(map(str, found))
    assert "DASHSCOPE_API_KEY" in text
    assert "sk-" not in text


def test_every_allowed_difference_has_a_reason_and_is_there() -> None:
    """What is allowed but does not differ any more would hide the next mistake."""
    left, _ = stacks()[0]
    props = left["resources"]["poll"]["props"]
    for path, reason in agreement()["differences"].items():
        assert len(reason) > 20
        assert path.removeprefix("*.") in props
