"""The SDK's command line prints the same from the model service and from our `api`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.dashscope.calls import CASES, Pictures
from tests.conformance.dashscope.images import ImageHost
from tests.conformance.dashscope.sdk import ImageSynthesis, normal, on_both
from tests.conformance.laptop import Laptop, Side

PROGRAM = Path(sys.executable).with_name("dashscope")
NOWHERE = "11111111-2222-4333-8444-555555555555"
SECONDS = 60


@pytest.fixture(scope="module")
def finished(
    laptop: Laptop, images: ImageHost, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """A finished task on each side: their ids."""
    call = Pictures(images, tmp_path_factory.mktemp("cli")).resolved(CASES["models"]["editing"])
    done = on_both(laptop.sides, lambda: ImageSynthesis.call(**call))
    return [str(answer.output.task_id) for answer in done]


@pytest.mark.parametrize("command", ["fetch", "wait", "cancel"])
def test_command_on_a_finished_task(command: str, laptop: Laptop, finished: list[str]) -> None:
    service, api = _run_both(laptop, [[command, task] for task in finished])

    assert service[0] == (3 if command == "cancel" else 0), service
    assert ("SUCCEEDED" in service[1]) == (command != "cancel")
    assert api == service


@pytest.mark.parametrize("command", ["fetch", "wait", "cancel"])
def test_command_on_an_id_that_never_was(command: str, laptop: Laptop) -> None:
    service, api = _run_both(laptop, [[command, NOWHERE]] * 2)

    assert ("UNKNOWN" in service[1]) == (command != "cancel")
    assert api == service


@pytest.mark.parametrize(
    "options",
    [
        ["-m", "wan2.5-i2i-preview", "-p", "a dog"],
        ["-m", "wan0.0-unknown", "-p", "a dog", "-n", "1"],
    ],
    ids=["without an image", "unknown model"],
)
def test_create(options: list[str], laptop: Laptop) -> None:
    """The command line has no option for input images, so none of the models can be served."""
    service, api = _run_both(laptop, [["create", *options]] * 2)

    assert service[0] == 1, service
    assert "task create failed" in service[2]
    assert api[:2] == service[:2]
    assert _code(api[2]) == _code(service[2])  # the message of api says more


def test_list(laptop: Laptop, finished: list[str]) -> None:
    options = ["list", "--status", "SUCCEEDED", "--model-name", "wan2.5-i2i-preview", "-s", "1"]
    service, api = _run_both(laptop, [options] * 2)

    assert service[0] == 0, service
    assert _names(api[1]) == _names(service[1])
    assert api[0] == service[0]


def test_wrong_key(laptop: Laptop) -> None:
    service, api = _run_both(laptop, [["list"]] * 2, key="sk-wrong")

    assert service[0] == 2, service
    assert "InvalidApiKey" in service[2]
    assert api == service


def _run_both(laptop: Laptop, commands: list[list[str]], key: str = "") -> list[Any]:
    """(exit code, stdout, stderr) of `dashscope image-synthesis …` on each side."""
    sides = zip(laptop.sides, commands, strict=True)
    running = [_start(side, command, key or side.key) for side, command in sides]
    return [_finish(process) for process in running]


def _start(side: Side, command: list[str], key: str) -> subprocess.Popen[str]:
    environ = {
        **os.environ,
        "DASHSCOPE_HTTP_BASE_URL": side.url,
        "DASHSCOPE_API_KEY": key,
        "COLUMNS": "1000",
        "PYTHONIOENCODING": "utf-8",
    }
    return subprocess.Popen(
        [str(PROGRAM), "image-synthesis", *command],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def _finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        printed, complaint = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    return process.returncode, normal(printed), normal(complaint)


def _code(complaint: str) -> list[str]:
    """HTTP status and code as the complaint quotes them."""
    return re.findall(r'"(?:status_code|code)": [^,]+', complaint)


def _names(printed: str) -> list[str]:
    """The names of the members of the JSON that was printed."""
    return sorted(re.findall(r'"(\w+)":', printed))
