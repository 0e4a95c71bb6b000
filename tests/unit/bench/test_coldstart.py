"""When the goals of a cold start count as reached."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.bench import instructions
from tests.bench.coldstart import BASE, SHARES, Counts, Start, counted, timed


def counts(submit: int, poll: int, api: int = 650) -> Counts:
    own = {"submit": submit, "poll": poll, "api": api}
    return Counts("valgrind", {**{f"{BASE}, for {name}": 1000 for name in SHARES}, **own})


@pytest.mark.parametrize(
    ("seen", "reached"),
    [
        (counts(500, 550), True),
        (counts(501, 550), False),
        (counts(500, 551), False),
        (counts(500, 550, 651), False),
        (Counts(None, {}), False),
    ],
    ids=["at all goals", "submit above", "poll above", "api above", "not counted"],
)
def test_all_shares_must_be_counted_and_reach_their_goals(seen: Counts, reached: bool) -> None:
    assert counted(seen).reached is reached


def test_each_share_says_whether_it_reached_its_goal() -> None:
    submit, poll, _ = counted(counts(501, 550)).lines
    assert "yaml: NOT reached; " in submit.note
    assert "yaml: reached; " in poll.note


@pytest.mark.parametrize(("seconds", "reached"), [(0.2, True), (0.21, False)])
def test_the_time_has_a_goal_of_its_own(seconds: float, reached: bool) -> None:
    assert timed({"submit": [Start(0.1, seconds, 300)]}).reached is reached


def test_a_share_that_was_not_counted_says_so() -> None:
    shares = counted(Counts(None, {})).lines
    assert [(one.unit, one.n) for one in shares] == [("NOT MEASURED", 0)] * 3
    assert "goal ≤ 0.55" in shares[1].note


def tool(folder: Path, name: str, says: str) -> None:
    """A program that says this on standard error, and runs nothing."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write({says!r})\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("tools", "found"),
    [
        ({"valgrind": "==7== I   refs:      1,534,058,111\n"}, ("valgrind", 1534058111)),
        ({"perf": "4242;;instructions:u;1000;100.00;;\n"}, ("perf", 4242)),
        ({"perf": "<not supported>;;instructions:u;0;100.00;;\n"}, None),
        ({"valgrind": "broken", "perf": "42;;instructions:u;1;100.00;;\n"}, ("perf", 42)),
        ({}, None),
    ],
    ids=["valgrind", "perf", "perf without counters", "the second", "none"],
)
def test_the_first_tool_that_counts_is_taken(
    tools: dict[str, str],
    found: tuple[str, int] | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, says in tools.items():
        tool(tmp_path, name, says)
    monkeypatch.setattr(
        shutil, "which", lambda name: str(p) if (p := tmp_path / name).exists() else None
    )
    taken = instructions.counter()
    assert (taken and (taken[0], taken[1]([sys.executable], b"", {}))) == found
