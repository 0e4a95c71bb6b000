"""Each measurement runs in its cheapest form and has the ids and fields that the pages cite."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from tests.bench import (
    callers,
    coldstart,
    depth,
    intake,
    listing,
    lone,
    memory,
    oss_rates,
    rebuild,
    views,
)
from tests.bench import quota as poll_quota
from tests.bench.__main__ import run
from tests.bench.quota import Seen
from tests.bench.results import ROOT, Measure, origin
from tests.bench.scale import __main__ as scale
from tests.bench.scale import curve, profile, settings
from tests.bench.scale.day import run as day
from tests.bench.scale.figures import figures
from tests.bench.scale.layout import Layout, Load, documented, quota
from tests.browser.views import Views

pytestmark = pytest.mark.slow
IN_PROCESS = ("throughput", "rate", "calls", "limits", "latency", "slots", "requests", "price")
SAMPLES = {10: [0.2, 0.3], 100: [0.2, 0.3]}


def with_servers() -> list[Measure]:
    """Those that need servers or processes, of made-up samples, and one that needs no server."""
    seen = lone.Seen([0.1], [0.2])
    rated = oss_rates.Rated("server", {"PUT": [9.0], "GET": [9.0]}, lambda _, key: key)
    return [
        *lone.compared(dict.fromkeys(lone.WAYS, seen), [0.1]),
        coldstart.timed({"submit": [coldstart.Start(0.1, 0.2, 300)]}),
        coldstart.counted(coldstart.Counts(None, {})),
        intake.compared({"1 job a file": intake.Turns([0.1], [0.1], 6)}),
        depth.counted((10, 20), 30),
        depth.times({"submit": SAMPLES}),
        listing.growth(dict.fromkeys(listing.KINDS, SAMPLES)),
        callers.beside({"/models": {False: [0.1], True: [0.1]}}),
        callers.processor({"/jobs/cat": [0.0005]}),
        memory.compared({"api: a list of 100 jobs": 37.4}),
        memory.images_at_once({"12 images of 10 MB at once": memory.Peak(37.4, 8)}),
        rebuild.compared({"nothing is missing": [rebuild.Took(9, 0.1, 0.1, {"GET": 9})]}),
        oss_rates.compared(rated, rated),
        views.compared(Views(5, 2)),
        poll_quota.compared(0.1, Seen([0.5], 0.04)),
    ]


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def written(name: str) -> Any:
    return json.loads((ROOT / "docs" / name).read_text("utf-8"))


def cited(name: str) -> set[str]:
    """The code in the first cells of a page's tables."""
    page = (ROOT / "docs" / name).read_text("utf-8")
    return set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))


def shape(value: Any) -> Any:
    """The names of the fields; of a list, those of its first item."""
    if isinstance(value, list):
        return [shape(value[0])]
    return {key: shape(one) for key, one in value.items()} if isinstance(value, dict) else None


def test_benchmarks_have_the_ids_and_fields_of_the_page() -> None:
    """Another day's figures have other values, never other fields."""
    simulated = as_json([one for name in IN_PROCESS for one in run(name, brief=True)])
    others = as_json([asdict(one) for one in with_servers()])
    kept = written("benchmarks.json")["measures"]
    ids = {one["id"] for one in kept}
    assert ids == cited("benchmarks.md")
    assert sorted(one["id"] for one in simulated + others) == sorted(ids)
    assert [shape(one) for one in simulated] == [shape(kept[0])] * len(simulated)
    assert [shape(one["lines"]) for one in others] == [shape(kept[0]["lines"])] * len(others)


@pytest.fixture
def few_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rough curves, of few jobs; nobody else gets to see them."""

    def busy(account: profile.Account, jobs: int, pace: float | None = None) -> profile.Profile:
        return profile.busy(account, min(jobs, 25), pace)

    for module in (curve, settings, scale):
        monkeypatch.setattr(module, "busy", busy)
    monkeypatch.setattr(curve, "SHARES", (0.5,))
    for cached in (curve.ceiling, curve.curve):
        cached.cache_clear()
    yield
    for cached in (curve.ceiling, curve.curve):
        cached.cache_clear()


@pytest.mark.usefixtures("few_jobs")
def test_the_simulation_of_a_day_has_the_fields_of_the_page() -> None:
    kept = written("scale.json")
    days = kept.pop("days")
    assert shape({**origin(), **scale.measured()}) == shape(kept)
    simulated = figures(day(Layout(2, documented(), quota()), Load(9000, 3)))
    assert shape(as_json(simulated)) == shape(days["documented"]["× 1"])
    assert cited("scale.md") >= {f"days.{group}" for group in days}
