"""docs/benchmarks.md says what docs/benchmarks.json says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bench.page import FIGURES, PAGE, filled

MACHINE = {"processor": "P", "cores": 2, "memory_gib": 4.0, "system": "Linux 6", "python": "3.11"}
TEXT = """\
<!-- BEGIN machine -->
<!-- END machine -->
<!-- BEGIN summary -->
<!-- END summary -->
## Four legs, or two
<!-- BEGIN legs{grid} -->
old
<!-- END legs -->
"""


def line(name: str, value: float, **more: Any) -> dict[str, Any]:
    bare = {"unit": "s", "low": None, "high": None, "n": 1, "ours": False, "note": ""}
    return {"name": name, "value": value, **bare, **more}


def document(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    bare = {"id": "legs", "goal": "≤ 4", "reached": True, "result": "", "date": "D", "commit": "C"}
    return {"machine": MACHINE, "measures": [{**bare, "lines": list(lines), **more}]}


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text("utf-8")
    assert text == filled(text, json.loads(FIGURES.read_text("utf-8"))), (
        "run .venv/bin/python -m tests.bench --page"
    )


def test_a_measure_is_listed_beside_its_goal_under_its_heading() -> None:
    page = filled(TEXT.format(grid=""), document(line("cat", 4), reached=False))
    row = "| `legs` | [Four legs, or two](#four-legs-or-two) | ≤ 4 | 4 s | **no** |"
    assert row in page.splitlines()
    assert "Measured on D, commit C: P, 2 cores" in page


def test_a_line_shows_value_spread_and_note_and_ours_is_bold() -> None:
    ours = line("cat", 4.0, low=3.5, high=1234.5, ours=True, note="by seed: 3.5, 4")
    page = filled(TEXT.format(grid=""), document(ours, line("dog", 0.123456)))
    assert "| **cat** | 4 s (3.5 to 1,234) | by seed: 3.5, 4 |" in page
    assert "| dog | 0.123 s |  |" in page
    assert "old" not in page


def test_a_grid_has_a_column_for_what_follows_the_last_comma() -> None:
    lines = (line("big, cat, warm", 1), line("big, cat, cold", 2), line("dog, cold", 3))
    alone = line("fish", 0)
    page = filled(TEXT.format(grid=" as grid"), document(*lines, alone))
    assert "| s | warm | cold |" in page
    assert "| big, cat | 1 | 2 |" in page
    assert "| dog |  | 3 |" in page
    assert "fish: 0 s." in page


def test_a_page_that_is_filled_stays_the_same() -> None:
    made = document(line("cat", 4))
    page = filled(TEXT.format(grid=""), made)
    assert filled(page, made) == page


@pytest.mark.parametrize("name", ["arms", "summary"])
def test_a_measure_without_a_place_is_named(name: str) -> None:
    text = TEXT.format(grid="").replace("legs" if name == "arms" else "summary", name + "-")
    with pytest.raises(ValueError, match=name):
        filled(text, document(line("cat", 4), id="arms" if name == "arms" else "legs"))
