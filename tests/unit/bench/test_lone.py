"""The measurement of lone jobs: what it takes for an answer, and what it says of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.laptop import example, named
from tests.bench.lone import BUSY, COLD, LONE, SDK, WARM, Seen, _lone, _many, call_of, timer_only
from tests.bench.results import sample


def test_a_job_is_told_apart_by_its_prompt() -> None:
    document = example(LONE)
    made = named(document, "cold-3")
    assert (made["input"]["prompt"], made["job"]) == ("cold-3", {"id": "cold-3"})
    assert document["input"]["prompt"] != "cold-3", "the example itself stays as it is"
    assert made["parameters"]["n"] == 1


def test_busy_is_several_models() -> None:
    assert len({example(name)["model"] for name in BUSY}) == len(BUSY)


def test_the_sdk_is_asked_for_the_same_job() -> None:
    document = named(example(LONE), "sdk-0")
    call = call_of(document, lambda key: f"https://signed.invalid/{key}")
    assert (call["model"], call["prompt"], call["n"]) == (document["model"], "sdk-0", 1)
    assert sorted(call["extra_input"]) == ["base_image_url", "mask_image_url"]
    assert all(
        url.startswith("https://signed.invalid/inputs/") for url in call["extra_input"].values()
    )


def test_times_are_those_of_task_and_file(tmp_path: Path) -> None:
    image = tmp_path / "image-1.png"
    image.write_bytes(b"")
    arrived = image.stat().st_ctime
    seen = Seen()
    seen.add({"created": arrived - 4.0, "ended": arrived - 0.5}, arrived - 5.0, image)
    assert seen.stored == [pytest.approx(0.5)]
    assert seen.submitted == [pytest.approx(1.0)]


@pytest.mark.parametrize(("cold", "reached"), [(1.4, True), (1.6, False)])
def test_cold_and_warm_must_both_reach_the_goal(cold: float, reached: bool) -> None:
    seen = {WARM: Seen([0.1] * 20), COLD: Seen([cold] * 20), SDK: Seen([9.0] * 20)}
    measure = _lone(seen, 20, 3.0)
    assert measure.reached is reached
    assert [line.ours for line in measure.lines] == [True, True, False, False]


def test_what_bounds_a_busy_system_is_told_where_it_is_late() -> None:
    assert _many(sample([0.1]), 1).bound == ""
    assert "look at the slots" in _many(sample([2.0]), 1).bound


def test_a_tick_a_minute_is_half_a_minute_late() -> None:
    line = timer_only()
    assert (line.value, line.low, line.high) == (30.0, 3.0, 57.0)
