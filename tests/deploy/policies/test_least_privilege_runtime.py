"""The laptop's Function Compute: credentials of the role, and what a role must be allowed there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.contract.runtime.functions_under_test.runtime_under_test import (
    FUNCTIONS,
    ROOT,
    RuntimeUnderTest,
    until,
)

ARN = "acs:ram::1000000000000000:role/"
OWN = "cn-beijing:1000000000000000"
CALL = {"Effect": "Allow", "Action": "fc:InvokeFunction"}
LOG = {"Effect": "Allow", "Action": "log:PostLogStoreLogs"}
RIGHTS = {
    "caller": [CALL | {"Resource": f"acs:fc:{OWN}:functions/recorder"}],
    "worker": [
        CALL | {"Resource": f"acs:fc:{OWN}:functions/recorder"},
        LOG | {"Resource": f"acs:log:{OWN}:project/logs/logstore/all"},
    ],
}


def declared(name: str, code: str, role: str, **more: Any) -> dict[str, Any]:
    props = {
        "functionName": name,
        "region": "cn-beijing",
        "runtime": "python3.10",
        "handler": "index.handler",
        "code": str(FUNCTIONS / code),
        "role": ARN + role,
        "logConfig": {"project": "logs", "logstore": "all"},
        "environmentVariables": {"RECORDS": "${env('RECORDS')}"},
    }
    return {"component": "fc3", "props": props | more}


def s_yaml(folder: Path) -> str:
    trigger = {
        "triggerName": "yaml",
        "triggerType": "oss",
        "invocationRole": f"{ARN}caller",
        "triggerConfig": {
            "events": ["oss:ObjectCreated:PutObject"],
            "filter": {"key": {"prefix": "jobs/", "suffix": ".yaml"}},
        },
    }
    given_up = {"destination": "acs:fc:cn-beijing::functions/recorder"}
    rescued = {"maxAsyncRetryAttempts": 0, "destinationConfig": {"onFailure": given_up}}
    resources = {
        "recorder": declared("recorder", "recorder", "worker", triggers=[trigger]),
        "faulty": declared("faulty", "faulty", "worker", asyncInvokeConfig=rescued),
        "probe": declared("probe", "probe", "worker"),
    }
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump({"edition": "3.0.0", "name": "t", "resources": resources}))
    return str(path)


def identities(folder: Path, rights: dict[str, Any]) -> str:
    rows = [
        {
            "name": name,
            "key_id": f"STS.{name}",
            "secret": f"{name}-secret",
            "token": f"{name}-token",
            "policy": {"Version": "1", "Statement": statements},
        }
        for name, statements in rights.items()
    ]
    path = folder / "identities.json"
    path.write_text(json.dumps(rows))
    return str(path)


def runtime(folder: Path, rights: dict[str, Any]) -> RuntimeUnderTest:
    options = ("--identities", identities(folder, rights), "--retry-seconds", "0.01")
    keys = {"OSS_ACCESS_KEY_ID": "of-the-account", "OSS_ACCESS_KEY_SECRET": "its-secret"}
    return RuntimeUnderTest(folder, *options, s_yaml=s_yaml(folder), **keys)


def access(running: RuntimeUnderTest) -> dict[str, Any]:
    told: dict[str, Any] = requests.get(f"{running.url}/_runtime/access", timeout=10).json()
    return told


def test_a_function_finds_its_roles_credentials_and_no_others(tmp_path: Path) -> None:
    with runtime(tmp_path, RIGHTS) as running:
        seen = running.invoke("probe").text
    assert all(one in seen for one in ("STS.worker", "worker-secret", "worker-token"))
    assert "of-the-account" not in seen
    assert "caller" not in seen


def test_what_the_roles_allow_happens(tmp_path: Path) -> None:
    with runtime(tmp_path, RIGHTS) as running:
        assert running.put("jobs/a.yaml") == 1
        running.later("faulty", "raise")
        until(lambda: len(running.recorded()) == 2)
        assert access(running)["denials"] == []
        asked = {(call["role"], call["action"]) for call in access(running)["calls"]}
    call, log = "fc:InvokeFunction", "log:PostLogStoreLogs"
    assert asked == {("caller", call), ("worker", call), ("worker", log)}


def test_without_rights_there_is_no_trigger_no_destination_and_no_log(tmp_path: Path) -> None:
    with runtime(tmp_path, {"caller": [], "worker": []}) as running:
        assert running.put("jobs/a.yaml") == 0
        running.later("faulty", "raise")
        until(lambda: running.function("faulty")["given_up"] == 1)
        running.until_idle()
        assert running.recorded() == []
        rows = access(running)["denials"]
    assert {(row["role"], row["action"]) for row in rows} == {
        ("caller", "fc:InvokeFunction"),
        ("worker", "fc:InvokeFunction"),
        ("worker", "log:PostLogStoreLogs"),
    }
    assert not any(path.read_bytes() for path in (running.data / "logs").glob("*.log"))


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ({"caller": []}, "the role 'worker' has no permissions"),
        ({"worker": []}, "invocationRole of yaml: the role 'caller' has no permissions"),
        ({"caller": [{"Effect": "Maybe"}]}, "statement 1: Effect must be Allow or Deny"),
    ],
)
def test_a_declaration_that_cannot_run_is_told(
    tmp_path: Path, rights: dict[str, Any], said: str
) -> None:
    files = ["--s-yaml", s_yaml(tmp_path), "--identities", identities(tmp_path, rights)]
    done = subprocess.run(
        [sys.executable, "-m", "local.runtime", *files, "--data", str(tmp_path / "data")],
        cwd=ROOT,
        env={"RECORDS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
