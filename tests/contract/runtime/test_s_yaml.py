"""s.yaml on the laptop: what the runtime refuses, and what it makes of ours."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from deploy.stack.render import DeclarationError
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
        (
            {"runtime": "python3.11"},
            'props.runtime: found "python3.11"; expected python3.10 or python3.12',
        ),
        ({"handler": "handler"}, "expected file.function, such as index.handler"),
        ({"code": "./elsewhere"}, "elsewhere; expected the built code"),
        ({"timeout": 0}, "timeout: found 0; expected 1 to 86400"),
        ({"environmentVariables": {"FC_X": "1"}}, "environmentVariables.FC_X"),
        ({"environmentVariables": {"A": 1}}, "environmentVariables.A: found 1; expected a text"),
        ({"environmentVariables": {"A": "x" * 4096}}, "at most 4096"),
        (
            {"triggers": _trigger("timer", cronExpression="@every 30s", enable=True)},
            "whole minutes",
        ),
        (
            {"triggers": _trigger("timer", cronExpression="* * * * * *", enable=True)},
            "second is '*'",
        ),
        ({"triggers": _trigger("http", authType="function", methods=["GET"])}, "anonymous"),
        (
            {"triggers": _trigger("oss", events=["oss:ObjectCreated:PutObject"])},
            "triggerConfig: no filter",
        ),
        (
            {
                "asyncInvokeConfig": {
                    "destinationConfig": {
                        "onFailure": {"destination": "acs:mns:r::/queues/q/messages"}
                    }
                }
            },
            "not-on-a-laptop",
        ),
        (
            {
                "asyncInvokeConfig": {
                    "destinationConfig": {"onFailure": {"destination": "acs:fc:r::functions/gone"}}
                }
            },
            "expected a function of this stack",
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
    assert poll.reserved_concurrency == 3
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
