"""s.yaml: how it is rendered, and what the runtime says of one that cannot run."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from deploy.stack.render import DeclarationError, render
from local.runtime.load import load_functions
from local.runtime.schedule import Schedule

ROOT = Path(__file__).resolve().parents[3]
FUNCTION = {
    "region": "cn-beijing",
    "functionName": "f",
    "runtime": "python3.10",
    "handler": "index.handler",
    "code": "./code",
}


def _render(folder: Path, text: str, **environ: str) -> dict[str, object]:
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    props: dict[str, object] = render(path, environ, {"AccountID": "42"})["resources"]["r"]["props"]
    return props


def test_variables_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"k": [1, 2]}')
    text = """
vars: {name: wanx, full: "${vars.name}-${env('STAGE', 'dev')}"}
resources:
  r:
    component: fc3
    props:
      a: ${vars.full}
      b: acs:ram::${config('AccountID')}:role/${vars.full}
      c: "${json(file('./a.json'))}"
      d: ${env('SET')}
      e: ${resources.other.output.url}
      f: ${env('EMPTY', '')}
"""
    assert _render(tmp_path, text, SET="yes") == {
        "a": "wanx-dev",
        "b": "acs:ram::42:role/wanx-dev",
        "c": {"k": [1, 2]},
        "d": "yes",
        "e": "${resources.other.output.url}",
        "f": "",
    }


def test_a_template_is_merged_deeply_and_lists_are_replaced(tmp_path: Path) -> None:
    text = """
template:
  base: {timeout: 3, env: {A: "1", B: "2"}, list: [1, 2], gone: true}
resources:
  r:
    extend: {name: base, ignore: [gone]}
    props: {env: {B: "3"}, list: [9]}
"""
    expected = {"timeout": 3, "env": {"A": "1", "B": "3"}, "list": [9]}
    assert _render(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("${env('MISSING')}", "environment variable MISSING is not set"),
        ("${vars.nothing}", "vars.nothing is not defined in this file"),
        ("${config('Nobody')}", "known: AccountID"),
        ("${file('./absent')}", "absent"),
        ("${shell('ls')}", "no function shell()"),
        ("${two words}", "not an expression"),
        ("${vars.loop}", "refers to itself"),
    ],
)
def test_every_expression_without_a_value_is_named_with_its_place(
    tmp_path: Path, expression: str, named: str
) -> None:
    text = f"""
vars: {{loop: "${{vars.loop}}"}}
resources: {{r: {{props: {{a: "{expression}", b: "${{env('SECOND')}}"}}}}}}
"""
    with pytest.raises(DeclarationError) as caught:
        _render(tmp_path, text)
    assert named in str(caught.value)
    assert "resources.r.props.b" in str(caught.value), "all findings are reported at once"


def _load(folder: Path, **props: object) -> None:
    (folder / "code").mkdir(exist_ok=True)
    path = folder / "s.yaml"
    resources = {"r": {"component": "fc3", "props": {**FUNCTION, **props}}}
    path.write_text(str({"resources": resources}).replace("True", "true"), encoding="utf-8")
    load_functions(path, {}, "42")


def _trigger(kind: str, **config: object) -> list[dict[str, object]]:
    return [{"triggerName": "t", "triggerType": kind, "triggerConfig": config}]


@pytest.mark.parametrize(
    ("props", "named"),
    [
        ({"runtime": "python3.11"}, "runtime: 'python3.11'"),
        ({"handler": "handler"}, "handler: expected FILE.FUNCTION"),
        ({"code": "./elsewhere"}, "elsewhere is not a folder"),
        ({"timeout": 0}, "timeout: expected a number from 1 to 86400"),
        ({"environmentVariables": {"FC_X": "1"}}, "'FC_X' is reserved"),
        ({"environmentVariables": {"A": 1}}, "environmentVariables.A: expected a text"),
        ({"environmentVariables": {"A": "x" * 4096}}, "at most 4096"),
        (
            {"triggers": _trigger("timer", cronExpression="@every 30s", enable=True)},
            "whole minutes",
        ),
        (
            {"triggers": _trigger("timer", cronExpression="* * * * * *", enable=True)},
            "seconds must",
        ),
        ({"triggers": _trigger("http", authType="function", methods=["GET"])}, "anonymous"),
        (
            {"triggers": _trigger("oss", events=["oss:ObjectCreated:PutObject"])},
            "filter.key.prefix",
        ),
        (
            {
                "asyncInvokeConfig": {
                    "destinationConfig": {"onFailure": {"destination": "acs:mns:x"}}
                }
            },
            "does not exist on a laptop",
        ),
        (
            {
                "asyncInvokeConfig": {
                    "destinationConfig": {"onFailure": {"destination": "acs:fc:r::functions/gone"}}
                }
            },
            "'gone' is not in this file",
        ),
    ],
)
def test_a_declaration_that_cannot_run_is_refused(
    tmp_path: Path, props: dict[str, object], named: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        _load(tmp_path, **props)
    assert named in str(caught.value)


def test_the_command_says_what_is_missing_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.runtime", "--data", str(tmp_path), "--s-yaml"]
    done = subprocess.run(
        [*command, str(ROOT / "s.yaml")], cwd=ROOT, env={}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "environment variable OSS_BUCKET is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_our_own_s_yaml_declares_the_four_functions() -> None:
    environ = {
        "OSS_BUCKET": "wanx-local",
        "DASHSCOPE_API_KEY": "k",
        "API_TOKEN_SHA256": "0" * 64,
        "WANX_CODE": "./functions",
    }
    functions = {f.resource: f for f in load_functions(ROOT / "s.yaml", environ, "42")}
    assert set(functions) == {"submit", "poll", "rescue", "api"}
    poll = functions["poll"]
    assert poll.reserved_concurrency == 1
    assert poll.policy.on_failure == "wanx-rescue"
    assert poll.oss_triggers[0].matches("ObjectCreated:PutObject", "wanx-local", "state/wake/1")
    submit = functions["submit"].oss_triggers
    for name, fired in (("a.yaml", 1), ("a.yml", 1), ("a.json", 1), ("a.jsonl", 1), ("a.png", 0)):
        key = f"jobs/{name}"
        assert sum(t.matches("ObjectCreated:PutObject", "wanx-local", key) for t in submit) == fired
    assert "API_TOKEN_SHA256" in functions["api"].environment
    assert "API_TOKEN_SHA256" not in poll.environment


@pytest.mark.parametrize(
    ("expression", "tick"),
    [
        ("@every 4m", "2026-03-01T10:04:30+00:00"),
        ("0 0 4 1 * *", "2026-04-01T04:00:00+00:00"),
        ("CRON_TZ=Asia/Shanghai 0 0 4 * * ?", "2026-03-01T20:00:00+00:00"),
        ("30 */15 * * * MON-FRI", "2026-03-02T00:00:30+00:00"),
    ],
)
def test_when_a_timer_fires_next(expression: str, tick: str) -> None:
    now = datetime(2026, 3, 1, 10, 0, 30, tzinfo=timezone.utc)
    assert Schedule.parse(expression).next_after(now).isoformat() == tick
