"""Instances: what a handler finds around it, and what becomes of one that fails."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.contract.runtime.functions_under_test.runtime_under_test import (
    FUNCTIONS,
    ROOT,
    RuntimeUnderTest,
    until,
)

KEYS = {"OSS_ACCESS_KEY_ID": "the-id", "OSS_ACCESS_KEY_SECRET": "the-secret"}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeUnderTest]:
    folder = tmp_path_factory.mktemp("instances")
    options = ("--instances", "2", "--retry-seconds", "0.01")
    with RuntimeUnderTest(
        folder, *options, **KEYS, UNRELATED="x", OSS_SESSION_TOKEN="t"
    ) as running:
        yield running


def _probe(runtime: RuntimeUnderTest, name: str) -> dict[str, Any]:
    answer = runtime.invoke(name)
    assert "X-Fc-Error-Type" not in answer.headers, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_environment_holds_what_function_compute_gives_and_nothing_else(
    runtime: RuntimeUnderTest,
) -> None:
    environ = _probe(runtime, "classic")["environ"]
    environ.pop("LC_CTYPE", None)  # Python sets it by itself
    assert set(environ) == {
        *("PATH", "HOME", "TMPDIR", "RECORDS"),
        *("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        *("ALIBABA_CLOUD_SECURITY_TOKEN", "FC_FUNC_CODE_PATH", "FC_ACCOUNT_ID"),
        *("FC_FUNCTION_HANDLER", "FC_FUNCTION_MEMORY_SIZE", "FC_FUNCTION_NAME"),
        *("FC_REGION", "FC_INSTANCE_ID", "FC_QUALIFIER"),
    }
    assert environ["FC_FUNCTION_NAME"] == "test-classic"
    assert environ["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "the-id"
    assert Path(environ["HOME"]).parent == runtime.data / "scratch"


def test_a_function_without_a_role_has_no_credentials(runtime: RuntimeUnderTest) -> None:
    assert not [k for k in _probe(runtime, "modern")["environ"] if k.startswith("ALIBABA")]


def test_the_code_folder_is_current_and_first_on_the_path(runtime: RuntimeUnderTest) -> None:
    found = _probe(runtime, "classic")
    assert found["event_type"] == "bytes"
    assert found["cwd"] == str(FUNCTIONS / "probe")
    assert found["path"][:2] == [str(FUNCTIONS / "probe"), str(ROOT)]


def test_the_python310_context_has_credentials_and_service(runtime: RuntimeUnderTest) -> None:
    found = _probe(runtime, "classic")
    context = found["context"]
    assert context["credentials"]["access_key_secret"] == "the-secret"
    assert context["credentials"]["security_token"] == "t"
    assert context["service"]["log_project"] == "project-1"
    assert context["function"] == {
        "name": "test-classic",
        "handler": "index.handler",
        "memory": 512,
        "timeout": 30,
    }
    assert context["region"] == "cn-beijing"
    assert context["request_id"]
    assert not found["has_logger"]


def test_the_python312_context_has_a_logger_but_no_credentials(runtime: RuntimeUnderTest) -> None:
    found = _probe(runtime, "modern")
    assert found["has_logger"]
    assert not {"credentials", "service"} & set(found["context"])
    assert found["context"]["log_store"] == "store-1"
    assert found["context"]["function"]["qualifier"] == "LATEST"


def test_the_initializer_runs_once_per_instance(runtime: RuntimeUnderTest) -> None:
    assert [_probe(runtime, "classic")["initialized"] for _ in range(3)] == [1, 1, 1]


def test_an_uncaught_exception_is_answered_with_type_message_and_trace(
    runtime: RuntimeUnderTest,
) -> None:
    answer = runtime.invoke("faulty", "raise")
    assert answer.status_code == 200
    assert answer.headers["X-Fc-Error-Type"] == "UnhandledInvocationError"
    error = answer.json()
    assert error["errorType"] == "ValueError"
    assert "index.py" in error["stackTrace"][-1]
    assert "Traceback" in _log(runtime, "faulty", "ValueError: as you wished")


def test_an_instance_is_used_again_after_an_exception(runtime: RuntimeUnderTest) -> None:
    before = runtime.invoke("faulty").text
    runtime.invoke("faulty", "raise")
    assert runtime.invoke("faulty").text == before


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("hang", "Function timed out after 1 seconds"),
        ("die", "Process exited unexpectedly before completing request"),
        ("exit", "Process exited unexpectedly before completing request"),
    ],
)
def test_an_instance_that_hangs_or_dies_fails_its_event_and_is_replaced(
    runtime: RuntimeUnderTest, wish: str, message: str
) -> None:
    before = runtime.invoke("faulty").text
    error = runtime.invoke("faulty", wish).json()
    assert error == {"errorMessage": message, "errorType": "UnhandledInvocationError"}
    after = runtime.invoke("faulty").text
    assert after != before
    pid = int(before.removeprefix("pid "))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_idle_instance_that_was_killed_is_replaced(runtime: RuntimeUnderTest) -> None:
    os.kill(int(runtime.invoke("faulty").text.removeprefix("pid ")), 9)
    until(lambda: "X-Fc-Error-Type" not in runtime.invoke("faulty").headers)


def test_an_instance_of_a_package_that_was_built_again_takes_no_more_events(tmp_path: Path) -> None:
    code = shutil.copytree(FUNCTIONS, tmp_path / "code")
    with RuntimeUnderTest(tmp_path, "--s-yaml", str(code / "s.yaml")) as runtime:
        before = runtime.invoke("faulty").text
        assert runtime.invoke("faulty").text == before
        for _ in range(2):  # the second time it is the same package: a roll-back is one, too
            (code / "faulty" / "BUILD.json").write_text("{}")
            after = runtime.invoke("faulty").text
            assert after != before
            assert runtime.invoke("faulty").text == after
            before = after


def test_code_that_cannot_be_imported_fails_each_event_with_the_reason(
    runtime: RuntimeUnderTest,
) -> None:
    for _ in range(2):
        assert runtime.invoke("broken").json()["errorMessage"] == "this module cannot be imported"
    assert runtime.function("broken")["instances"] == []


def test_prints_and_log_lines_go_to_the_functions_log(runtime: RuntimeUnderTest) -> None:
    answer = runtime.invoke("faulty", "talk")
    assert answer.text.startswith("pid ")
    log = _log(runtime, "faulty", "x" * 1000)
    request_id = answer.headers["X-Fc-Request-Id"]
    [line] = [line for line in log.splitlines() if "a logged line" in line]
    assert line.endswith(f"Z {request_id} [INFO] a logged line")
    assert "\na printed line\n" in f"\n{log}"


def test_reserved_concurrency_keeps_a_second_event_waiting(runtime: RuntimeUnderTest) -> None:
    gates = [_gate(runtime, f"one-{n}") for n in range(2)]
    for gate in gates:
        runtime.later("single", {"gate": gate.name})
    until(lambda: _entered(gates[0]))
    refused = runtime.invoke("single", {"gate": "none"})
    assert (refused.status_code, refused.json()["Code"]) == (429, "ResourceThrottled")
    assert runtime.function("single")["queued"] == 2
    assert not _entered(gates[1])
    gates[0].write_text("open")
    until(lambda: _entered(gates[1]))
    gates[1].write_text("open")
    until(lambda: runtime.function("single")["queued"] == 0)
    assert len(runtime.function("single")["instances"]) == 1


def test_without_reserved_concurrency_events_run_side_by_side(runtime: RuntimeUnderTest) -> None:
    gates = [_gate(runtime, f"many-{n}") for n in range(3)]
    with ThreadPoolExecutor() as threads:
        answers = [threads.submit(runtime.invoke, "many", {"gate": g.name}) for g in gates]
        until(lambda: sum(_entered(gate) for gate in gates) == 2)
        assert len(runtime.function("many")["instances"]) == 2
        for gate in gates:
            threading.Thread(target=gate.write_text, args=("open",), daemon=True).start()
        assert [answer.result().text for answer in answers] == ["open"] * 3


def test_an_unknown_function_is_named(runtime: RuntimeUnderTest) -> None:
    answer = runtime.invoke("nobody")
    assert (answer.status_code, answer.json()["Code"]) == (404, "FunctionNotFound")
    assert "nobody" in answer.json()["Message"]


def test_an_idle_instance_is_ended(tmp_path: Path) -> None:
    with RuntimeUnderTest(tmp_path, "--idle-seconds", "0.05") as runtime:
        runtime.invoke("faulty")
        until(lambda: runtime.function("faulty")["instances"] == [])
        until(lambda: not list((runtime.data / "scratch").iterdir()))


def _log(runtime: RuntimeUnderTest, name: str, awaited: str) -> str:
    path = runtime.data / "logs" / f"test-{name}.log"
    until(lambda: awaited in path.read_text())
    return path.read_text()


def _gate(runtime: RuntimeUnderTest, name: str) -> Path:
    gate = runtime.records / name
    os.mkfifo(gate)
    return gate


def _entered(gate: Path) -> bool:
    return any(gate.parent.glob(f"{gate.name}.entered-*"))
