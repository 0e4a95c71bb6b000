"""The functions of template.yml: generated from s.yaml, fresh, and saying what s.yaml says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.checks.ros_file import read_template
from deploy.checks.ros_values import PSEUDO, Resolver
from deploy.stack.render import render
from deploy.template.functions import SETTINGS, function_lines
from deploy.template.generated import ROOT, TEMPLATE, TemplateError, rewritten

S_YAML = ROOT / "s.yaml"
OWN = {"CodeBucket": "packages", "CodePrefix": "code/1/"}
NEEDED = {"OSS_BUCKET": "b", "DASHSCOPE_API_KEY": "k"}
SECRET = {"OSS_BUCKET": "b", "DASHSCOPE_API_KEY_SECRET": "wanx/key"}


def named() -> dict[str, str]:
    """The parameter of template.yml that stands for a setting of s.yaml, where there is one."""
    expressions = yaml.safe_load(SETTINGS.read_text("utf-8"))["settings"]
    found = {name: re.findall(r"'Ref': '(\w+)'", str(one)) for name, one in expressions.items()}
    return {name: parameters[0] for name, parameters in found.items() if parameters}


OTHERS = {name: f"another-{name}" for name in named() if name != "DASHSCOPE_API_KEY_SECRET"}


def lowered(node: Any) -> Any:
    """The node with the keys that s.yaml has."""
    kept = ("environmentVariables", "triggerConfig")
    if isinstance(node, dict):
        keys = {key: f"{key[:1].lower()}{key[1:]}" for key in node}
        return {keys[k]: v if keys[k] in kept else lowered(v) for k, v in node.items()}
    return [lowered(one) for one in node] if isinstance(node, list) else node


def of_template(values: dict[str, str]) -> dict[str, Any]:
    """The functions a template makes, by name, in the form of s.yaml's props."""
    made = Resolver(read_template(TEMPLATE), values, {}).made("Resources").values()
    functions: dict[str, Any] = {}
    for kind in ("Function", "AsyncInvokeConfig", "ConcurrencyConfig", "Trigger"):
        for one in made:
            if one["Type"] == f"ALIYUN::FC3::{kind}":
                props = lowered(one["Properties"])
                name = props["functionName"] if kind == "Function" else props.pop("functionName")
                own = functions.setdefault(name, {"triggers": []})
                if kind == "Trigger":
                    own["triggers"].append(props)
                elif kind == "Function":
                    own.update(props)
                else:
                    own[f"{kind[:1].lower()}{kind[1:]}"] = props
    return functions


@pytest.mark.parametrize(
    ("file", "environ"),
    [("s.yaml", NEEDED), ("s.yaml", OTHERS), ("s.yaml", SECRET), ("s.dev.yaml", NEEDED)],
    ids=["needed", "others", "secret", "second stage"],
)
def test_the_template_makes_the_functions_of_s_yaml(file: str, environ: dict[str, str]) -> None:
    document = render(ROOT / file, environ, {"AccountID": PSEUDO["ALIYUN::TenantId"]})
    stage, rendered = document["vars"], document["resources"]
    own = {"Name": stage["name"], "LogLevel": stage["logLevel"]}
    given = {named()[name]: value for name, value in environ.items()}
    made = of_template({**OWN, **given, **own})
    declared = [one["props"] for one in rendered.values() if one["component"] == "fc3"]
    assert {props["functionName"] for props in declared} == set(made)
    for props in declared:
        name = props["functionName"]
        zipped = {
            "ossBucketName": "packages",
            "ossObjectName": f"code/1/{props['code'].rpartition('/')[2]}.zip",
        }
        del props["region"]
        assert made[name] == {"triggers": [], **props, "code": zipped}


def edited(tmp_path: Path, right: str, wrong: str) -> list[str]:
    """What is generated after an edit of s.yaml."""
    text = S_YAML.read_text("utf-8")
    assert right in text
    path = tmp_path / "s.yaml"
    path.write_text(text.replace(right, wrong), "utf-8")
    return function_lines(path, TEMPLATE.read_text("utf-8"))


def test_a_change_of_s_yaml_is_a_change_of_the_template(tmp_path: Path) -> None:
    lines = edited(tmp_path, "memorySize: 512", "memorySize: 1024")
    made = yaml.safe_load("\n".join(lines))
    sizes = [one["Properties"].get("MemorySize") for one in made.values()]
    assert [size for size in sizes if size] == [1024, 320, 1024, 1024], "poll has its own size"


def test_oss_triggers_are_made_one_after_the_other() -> None:
    made = read_template(TEMPLATE)["Resources"]
    triggers = {name: one for name, one in made.items() if "SourceArn" in one["Properties"]}
    names = [*triggers]
    assert [one.get("DependsOn") for one in triggers.values()] == [None, *names[:-1]]
    assert made["PollAsync"]["DependsOn"] == "RescueFunction"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("LOG_PROMPTS: ", "NEW: ${env('NEW','')}\n      LOG_PROMPTS: ", "s.yaml reads NEW"),
        ("${env('API_URL','')}", "''", "s.yaml no longer reads API_URL"),
        ("role/${vars.name}-api", "role/${vars.name}-http", "makes no ALIYUN::RAM::Role"),
        ("logstore: functions", "logstore: others", "makes no ALIYUN::SLS::Logstore"),
        ("description: HTTP", "description: ${env('UNKNOWN_GRACE')} s", "more than a parameter"),
        ("      invocationRole: ", "      invocation: ", "invocationRole is missing"),
        ("LOG_LEVEL: ${vars.logLevel}", "LOG_LEVEL: ${env('WANX_CODE','')}", "WANX_CODE is miss"),
    ],
)
def test_what_the_template_cannot_say_is_refused(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    with pytest.raises(TemplateError, match=said):
        edited(tmp_path, right, wrong)


def test_the_command_says_whether_the_template_is_fresh() -> None:
    command = [sys.executable, "-m", "deploy.template", "--check"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    assert done.returncode == 0, "run: make template"


def test_blocks_of_another_kind_stay() -> None:
    policies = "  # BEGIN policies one\n  x: 1\n  # END policies one\n"
    text = f"a:\n{policies}  # BEGIN functions\n  # END functions\n"
    made = rewritten(text, "functions", {"functions": ["y: 2", "", "z: 3"]})
    assert yaml.safe_load(made) == {"a": {"x": 1, "y": 2, "z": 3}}
    with pytest.raises(TemplateError, match="found none"):
        rewritten("a: 1\n", "functions", {"functions": []})


def test_in_markdown_the_marks_are_comments() -> None:
    page = "# A\n<!-- BEGIN list of a -->\nold\n<!-- END list of a -->\n# BEGIN list of a\n"
    made = rewritten(page, "list", {"list of a": ["", "new", ""]}, "a.md")
    assert made == page.replace("old\n", "\nnew\n\n")
    with pytest.raises(TemplateError, match=r"^a\.md: .* found list of a$"):
        rewritten(page, "list", {"list of b": []}, "a.md")
