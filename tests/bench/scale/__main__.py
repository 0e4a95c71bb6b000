"""`make scale`: simulate large days and write the figures of docs/scale.md to docs/scale.json."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from shared.catalogue.models import Limits
from tests.bench.results import ROOT, origin
from tests.bench.scale.curve import STEPS, ceiling
from tests.bench.scale.day import run, serve
from tests.bench.scale.figures import bounds, figures
from tests.bench.scale.layout import (
    DAY,
    Layout,
    Load,
    asked,
    carrying,
    documented,
    facts,
    keys,
    models,
    quota,
    raised,
    rate_of,
)
from tests.bench.scale.profile import Account, busy, one_file
from tests.bench.scale.settings import MANY, effects

TIMES = (1, 2, 5, 10)
"""Loads, in multiples of the question's."""
Cases = Iterator[tuple[str, Layout, Load]]


def main() -> None:
    """Simulate, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="the load of the question only")
    default = ROOT / "docs/scale.json"
    parser.add_argument("--out", type=Path, default=default, help="the file (docs/scale.json)")
    wanted = parser.parse_args()
    started = time.monotonic()
    found = {**origin(), **measured(), "days": days(TIMES[:1] if wanted.brief else TIMES)}
    text = json.dumps(found, ensure_ascii=False, indent=1)
    wanted.out.write_text(text + "\n", encoding="utf-8")
    print(f"{wanted.out}: {time.monotonic() - started:.0f} s")


def days(times: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    """Every day's figures by group and name."""
    groups = {
        "documented": _documented(times),
        "raised": _raised(times),
        "keys": _keys(),
        "carrying": _carrying(times),
        "bursts": _bursts(),
    }
    return {
        group: {name: figures(run(layout, load)) for name, layout, load in cases}
        for group, cases in groups.items()
    }


def _documented(times: tuple[int, ...]) -> Cases:
    for each in times:
        yield f"× {each}", Layout(keys(), documented(), quota()), asked(each)


def _raised(times: tuple[int, ...]) -> Cases:
    """The same keys, each with as many slots as the load needs."""
    for each in times:
        lanes = raised(asked(each))
        for instances in (quota(), quota(raised=True)) if each >= 5 else (quota(),):
            name = f"× {each}, {lanes[0].slots} slots a key, {instances} instances"
            yield name, Layout(keys(), lanes, instances), asked(each)


def _keys() -> Cases:
    """The question's load over fewer and more keys with documented limits."""
    for share in (0.5, 1, 2, 3):
        layout = Layout(round(keys() * share), documented(), quota())
        if not layout.fits:
            layout = replace(layout, instances=quota(raised=True))
        yield f"{layout.deployments} keys, {layout.instances} instances", layout, asked()


def _carrying(times: tuple[int, ...]) -> Cases:
    """The smallest layouts that carry each load."""
    first, many = asked(), raised(asked())
    for each in times:
        yield f"× {each}, documented limits", carrying(asked(each), documented()), asked(each)
    yield "× 1, slots for the busiest hour", carrying(first, documented(), first.peak), first
    for each in times:
        name = f"× {each}, {many[0].slots} slots a key"
        yield name, carrying(asked(each), many), asked(each)


def _bursts() -> Cases:
    """Files for one bucket, while the other pollers keep their instances."""
    many, jitter = int(facts()["load"]["burst"]), facts()["function_compute"]["jitter"]
    for instances in (quota(), quota(raised=True)):
        layout = Layout(1, documented(), instances, reserved=keys())
        for spread, pauses in ((0.0, "even"), (jitter, "spread")):
            load = Load(0.0, 1.0, many, spread)
            yield f"{instances} instances, {pauses} pauses", layout, load


def measured() -> dict[str, Any]:
    """Everything but the days. `deployments`: at rest, half full and full, as measured."""
    one_job, most = one_file(MANY) / MANY, 0.8 * facts()["function_compute"]["submit_timeout"]
    lanes = (*documented(), *raised(asked()))
    layouts = {"documented": documented(), "raised": raised(asked())}
    return {
        "assumptions": facts(),
        "models": models_needed(),
        "poller_jobs_per_second": ceiling(),
        "bounds": {name: limits(Layout(keys(), lanes, quota())) for name, lanes in layouts.items()},
        "deployments": {
            f"{lane.name}, {lane.slots} at once": [
                asdict(lane.measured().points[step]) for step in (0, STEPS // 2, STEPS)
            ]
            for lane in lanes
        },
        "file_of_jobs": {"seconds_a_job": one_job, "jobs_in_a_file": round(most / one_job)},
        "settings": [asdict(one) for one in effects()],
        "check": checked(),
    }


def models_needed() -> dict[str, dict[str, Any]]:
    """Of each model: its limits, and how many keys the question's load takes with it."""
    needed = asked().jobs / DAY / facts()["load"]["utilisation"]
    return {
        model.name: {
            "submissions_per_second": model.limits.submissions,
            "at_once": model.limits.lanes,
            "task_seconds": model.typical_seconds,
            "jobs_a_day_and_key": round(rate_of(model) * DAY),
            "keys": math.ceil(needed / rate_of(model)) if model.price.payable else None,
            "cny_an_image": model.price.per_image,
        }
        for model in models()
    }


def limits(layout: Layout) -> list[dict[str, Any]]:
    """Every limit of a layout, the one that allows the fewest jobs a day first."""
    load = asked()
    return [
        {**asdict(one), "jobs_a_day": round(one.jobs_a_day(load))} for one in bounds(layout, load)
    ]


def checked(jobs: int = 150) -> dict[str, float]:
    """Minutes for jobs that come at once: with the real handlers, and as a day is simulated."""
    lane = documented()[0]
    real = busy(Account(Limits(lane.submissions, 1, lane.slots, 1), lane.seconds), jobs)
    built = serve([0.0] * jobs, lane.slots, lambda: real.task_seconds, 1 / ceiling())
    end = max(end for _, _, end in built)
    return {"jobs": jobs, "slots": lane.slots, "real": real.elapsed / 60, "built": end / 60}


if __name__ == "__main__":
    main()
