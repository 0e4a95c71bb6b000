"""deploy/logs.yaml, of which docs/logs.md and the log index are made, against the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from deploy.monitoring.declared import load_monitoring
from shared.platform import logs
from tests.kit.http import ask
from tests.kit.log_lines import CONTEXT, Lines
from tests.kit.studio import accept_with, lose_answer, lose_request, refuse
from tests.kit.world import LONG, OTHER, World, model, run

ROOT = Path(__file__).resolve().parents[3]
LINES = load_monitoring().lines
OF_EVERY_LINE, OF_A_JOB = {*LINES.every_line}, {*LINES.of_a_job}


def emitted() -> Iterator[tuple[str, ast.Call]]:
    """Every call of `about` in the code that runs in the cloud, with its event."""
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").glob("*/index.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "about":
                event = node.args[0]
                assert isinstance(event, ast.Constant), f"{path}:{node.lineno}: a computed event"
                yield str(event.value), node


def test_every_event_of_the_code_is_documented_and_the_other_way_round() -> None:
    assert {event for event, _ in emitted()} | {"log"} == set(LINES.events)


def test_every_field_given_to_an_event_is_documented_for_it() -> None:
    for event, call in emitted():
        given = {word.arg for word in call.keywords if word.arg}
        assert given <= {*LINES.events[event].fields} | OF_A_JOB, event


def test_every_log_line_of_the_code_names_its_event() -> None:
    levels = {"info", "warning", "error", "exception", "log"}
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").glob("*/index.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if ast.unparse(node.func.value) == "log" and node.func.attr in levels:
                assert any(word.arg == "extra" for word in node.keywords), f"{path}:{node.lineno}"


def test_every_documented_field_is_of_some_line() -> None:
    assert {"cut"} | LINES.fields_of(tuple(LINES.events)) == set(LINES.fields)


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
        event = line["event"]
        assert OF_EVERY_LINE <= set(line) <= LINES.fields_of((event,)), line
        assert line["level"] in LINES.events[event].levels, line
        for name, value in line.items():
            assert isinstance(value, kinds[LINES.fields[name].type]), (name, line)  # type: ignore[arg-type]
