"""Tables: a name stays in one piece, however narrow the terminal is."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cli.main import wanx
from tests.kit.world import TOKEN, World
from tests.unit.cli.api_server import api_of, served

LONG = "0200d7f9-95ec-4792-a935-b89b46038d51-" + "x" * 27


@pytest.mark.parametrize("command", [["list"], ["status", LONG, "short"]])
def test_a_long_id_is_not_broken(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    world = World()
    for job in (LONG, "short"):
        world.queued(job)
    with served(api_of(world)) as url:
        done = CliRunner().invoke(wanx, ["--api", url, "--token", TOKEN, *command])
    rows = [line.split() for line in done.output.splitlines()]
    assert [row[:3] for row in rows if row and row[0] == LONG] == [[LONG, "QUEUED", "brush"]]
