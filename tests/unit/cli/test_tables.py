"""Tables: a name stays in one piece, however narrow the terminal is."""

from __future__ import annotations

import json
import re

import click
import pytest
from click.testing import CliRunner

from cli.main import wanx
from cli.output import print_table, state_text, table
from shared.api.jobs_api import create_app
from shared.platform.webhook_settings import read_webhooks
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


@pytest.mark.parametrize("columns", ["40", "80"])
def test_nothing_of_a_table_is_cut(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = table("job", "state", "images left", right=("images left",))
    shown.add_row(LONG, state_text("NEEDS_ATTENTION"), "12 min")
    shown.add_row("short", state_text("SUCCEEDED"), "3 s")

    @click.command()
    def printing() -> None:
        print_table(shown)

    lines = CliRunner().invoke(printing).output.splitlines()
    assert [re.split(" {2,}", line.strip()) for line in lines] == [
        ["job", "state", "images left"],
        [LONG, "NEEDS_ATTENTION", "12 min"],
        ["short", "SUCCEEDED", "3 s"],
    ]


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_nothing_of_a_table_is_left_out(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Piped as well: a column of several words is not as narrow as its longest one."""
    monkeypatch.setenv("COLUMNS", columns)
    url = "https://shop.example.com/" + "x" * 60
    events = ["succeeded", "failed", "rejected", "needs_attention", "expired", "canceled"]
    hooks = read_webhooks(
        {"WEBHOOK_KEY": "k" * 32, "WEBHOOKS": json.dumps({"shop": {"url": url, "events": events}})}
    )
    world = World()
    with served(create_app(world.app("api", webhooks=hooks))) as api:
        done = CliRunner().invoke(wanx, ["--api", api, "--token", TOKEN, "webhooks", "list"])
    head, row = done.output.splitlines()[:2]
    assert head.split() == ["name", "state", "url", "events"]
    assert row.split()[:3] == ["shop", "-", url]
    assert all(event in done.output for event in events)


def test_headings_of_several_words_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    shown = table("time", "what happened", "next", right=("next",))
    shown.add_row("2026-11-29T21:00:00.000Z", "a b c", "2026-11-29 21:00:00")
    shown.add_row("x" * 70, "d", "-")
    print_table(shown)
    head, first, _ = capsys.readouterr().out.splitlines()
    assert " ".join(head.split()) == "time what happened next"
    assert first.endswith("2026-11-29 21:00:00")
