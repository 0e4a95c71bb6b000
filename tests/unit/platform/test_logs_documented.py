"""docs/logs.md and docs/dashboard.json against the code: events, fields, index, queries."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.platform import logs
from tests.kit.http import ask
from tests.kit.log_lines import CONTEXT, Lines
from tests.kit.studio import accept_with, lose_answer, lose_request, refuse
from tests.kit.world import LONG, OTHER, World, model, run

ROOT = Path(__file__).resolve().parents[3]
EVERY_LINE = {"time", "level", "event", "message", "function", "fc_request_id"}
OF_A_JOB = {"job", "model", "attempt", "task", "request_id"}
QUERY = re.compile(r"\n\n([^\n]+):\n\n```sql\n(.*?)\n```", re.DOTALL)


def page() -> str:
    return (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return page().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(title: str) -> list[list[str]]:
    """A table's cells, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


@cache
def fields() -> dict[str, str]:
    """Type by field."""
    return {next(iter(names(name))): kind for name, kind, _ in rows("Fields")}


@cache
def events() -> dict[str, tuple[set[str], set[str]]]:
    """Levels and own fields by event."""
    return {
        next(iter(names(name))): (set(levels.split(", ")), names(own))
        for name, levels, own, _ in rows("Events")
    }


@cache
def index() -> dict[str, Any]:
    block = re.search(r"```json\n(.*?)\n```", section("The index"), re.DOTALL)
    assert block is not None
    keys: dict[str, Any] = json.loads(block[1])["keys"]["message"]["json_keys"]
    return keys


def queries() -> dict[str, str]:
    found = QUERY.findall(page())
    assert len({title for title, _ in found}) == len(found)
    return dict(found)


def emitted() -> Iterator[tuple[str, ast.Call]]:
    """Every call of `about` in the code that runs in the cloud, with its event."""
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").glob("*/index.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "about":
                event = node.args[0]
                assert isinstance(event, ast.Constant), f"{path}:{node.lineno}: a computed event"
                yield str(event.value), node


def test_every_event_of_the_code_is_documented_and_the_other_way_round() -> None:
    assert {event for event, _ in emitted()} | {"log"} == set(events())


def test_every_field_given_to_an_event_is_documented_for_it() -> None:
    for event, call in emitted():
        given = {word.arg for word in call.keywords if word.arg}
        assert given <= events()[event][1] | OF_A_JOB, event


def test_every_log_line_of_the_code_names_its_event() -> None:
    levels = {"info", "warning", "error", "exception", "log"}
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").glob("*/index.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if ast.unparse(node.func.value) == "log" and node.func.attr in levels:
                assert any(word.arg == "extra" for word in node.keywords), f"{path}:{node.lineno}"


def test_every_documented_field_has_a_meaning() -> None:
    used = EVERY_LINE | OF_A_JOB | {"cut"}
    for _, own in events().values():
        used |= own
    assert used == set(fields())


def test_the_index_has_the_documented_types() -> None:
    for name, key in index().items():
        assert key == {"type": fields()[name], "doc_value": True}, name


@pytest.mark.parametrize("title", list(queries()))
def test_a_query_uses_fields_that_are_indexed_and_printed(title: str) -> None:
    query = queries()[title]
    search, _, sql = query.partition(" | ")
    searched = re.findall(r"message\.(\w+): (?:\"([^\"]+)\"|(\w+))", search)
    asked = {quoted or plain for name, quoted, plain in searched if name == "event"}
    assert asked and asked <= set(events()), title
    known = EVERY_LINE | OF_A_JOB
    for event in asked:
        known |= events()[event][1]
    used = {name for name, *_ in searched} | set(re.findall(r'"message\.(\w+)"', sql))
    assert used <= known, title
    assert used <= set(index()), title
    assert re.match(r"SELECT .+ FROM log\b", sql), title


def test_every_alarm_has_its_query_and_condition() -> None:
    alarms = {row[0]: row[2] for row in rows("Alarms")}
    assert len(alarms) == 9
    for name, condition in alarms.items():
        column = condition.split()[0]
        assert f"AS {column} FROM log" in queries()[name], name


def test_the_dashboard_charts_the_documented_queries() -> None:
    dashboard = json.loads((ROOT / "docs" / "dashboard.json").read_text(encoding="utf-8"))
    documented = dict(QUERY.findall(section("Queries").join(("\n\n", ""))))
    charted = {chart["search"]["query"] for chart in dashboard["charts"]}
    assert charted == set(documented.values())
    places = [(c["display"]["xPos"], c["display"]["yPos"]) for c in dashboard["charts"]]
    assert len(set(places)) == len(places)
    for chart in dashboard["charts"]:
        for axis in (*chart["display"]["xAxis"], *chart["display"]["yAxis"]):
            assert f" AS {axis}" in chart["search"]["query"], chart["display"]["displayName"]


def test_what_a_troubled_day_prints_is_documented_line_by_line(printed: Lines) -> None:
    logs.set_up({"LOG_PROMPTS": "yes"}, CONTEXT)
    world = World(models=(model(price=0.2), model(OTHER)))
    for number in range(8):
        world.queued(f"job-{number}", labels={"team": "a"})
    for job in ("other", "another"):
        world.queued(job, OTHER)
    world.studio.script.extend(
        [
            refuse("Throttling", 429),
            refuse("AllocationQuota", 429),
            lose_answer,
            lose_request,
            refuse("InvalidParameter", 400),
            accept_with(status="FAILED", code="InputDownloadFailed", message="no"),
            refuse("InputDownloadFailed", 400),
        ]
    )
    ask(world, "POST", "/jobs", b'{"model": "nobody"}')
    for _ in range(8):
        run(world, LONG)
        world.timeline.wait(700)
    lines = printed.all()
    seen = {line["event"] for line in lines}
    assert {"job.queued", "job.submitted", "job.ended", "job.requeued", "metric"} <= seen
    assert {"breaker.opened", "breaker.closed", "model.paused", "job.submission_unknown"} <= seen
    kinds = {"text": str, "long": int, "double": (int, float)}
    for line in lines:
        levels, own = events()[line["event"]]
        assert set(line) <= EVERY_LINE | OF_A_JOB | own, line
        assert line["level"] in levels, line
        for name, value in line.items():
            assert isinstance(value, kinds[fields()[name]]), (name, line)  # type: ignore[arg-type]
