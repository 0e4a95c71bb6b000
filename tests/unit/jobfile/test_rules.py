"""What JSON Schema cannot express about a job."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.jobfile import at, checked, edit, only, painting, sketch


@pytest.mark.parametrize(
    ("job", "limit"), [(painting(), 75), (sketch(), 75), (edit(), 2000)], ids=lambda v: str(v)[:20]
)
def test_the_part_of_a_prompt_that_is_cut_off_is_told(job: dict[str, Any], limit: int) -> None:
    job["input"]["prompt"] = "猫" * limit
    assert all(notice.pointer != "/input/prompt" for notice in checked(job).notices)
    job["input"]["prompt"] += "猫" * 3
    found = checked(job)
    assert found.spec is not None
    assert f"last 3 of {limit + 3} characters" in at(found.notices, "/input/prompt").message


def test_a_long_negative_prompt_is_told() -> None:
    found = checked(edit(input={"negative_prompt": "x" * 501}))
    assert "last 1 of 501" in only(found.notices).message


def colours_told(**parameters: Any) -> bool:
    notices = checked(sketch(parameters=parameters)).notices
    return "/parameters/sketch_color" in [notice.pointer for notice in notices]


def test_a_colour_that_is_ignored_is_told() -> None:
    assert colours_told(sketch_extraction=True, sketch_color=[[0, 0, 0]])
    assert not colours_told(sketch_extraction=False, sketch_color=[[0, 0, 0]])
    assert not colours_told(sketch_extraction=True, sketch_color=[])
    assert not colours_told(sketch_color=[[0, 0, 0]])
