"""The log as a function prints it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from shared.platform import logs
from tests.simulation.log_state import log_state_restored

CONTEXT = SimpleNamespace(
    request_id="1-64f6cd87",
    function=SimpleNamespace(name="wanx-poll"),
    credentials=SimpleNamespace(
        access_key_id="STS.roles-own-id",
        access_key_secret="roles-own-secret",
        security_token="roles-own-token",
    ),
)


class Lines:
    """What was printed, line by line."""

    def __init__(self, output: pytest.CaptureFixture[str]) -> None:
        self._output = output

    def raw(self) -> list[str]:
        return self._output.readouterr().out.splitlines()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw()]

    def one(self) -> dict[str, Any]:
        (only,) = self.all()
        return only


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """The log as a function sets it up; afterwards it is as it was."""
    with log_state_restored():
        logs.set_up({"FC_FUNCTION_NAME": "wanx-poll"}, CONTEXT)
        yield Lines(capsys)
