"""`make bench`: all measurements, then docs/benchmarks.md, its plots and its JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from tests.bench.page import page
from tests.bench.plots import draw
from tests.bench.results import Measure, machine, measure_of

ROOT = Path(__file__).resolve().parents[2]
MODULES = (
    "throughput",
    "latency",
    "lone",
    "requests",
    "limits",
    "coldstart",
    "intake",
    "depth",
    "listing",
    "memory",
    "price",
)
"""In the order of the page. Simulations first: they keep one core busy and heat nothing up."""


def main() -> None:
    """Run what is asked for; a part of it goes onto the page of the last whole run if so asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help=f"of {', '.join(MODULES)}; all without any")
    parser.add_argument("--brief", action="store_true", help="few repetitions; figures are rough")
    parser.add_argument("--update", action="store_true", help="put the part onto the page")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where the page goes")
    wanted = parser.parse_args()
    measures = [one for name in wanted.only or MODULES for one in run(name, wanted.brief)]
    if wanted.update:
        measures = updated(wanted.out / "benchmarks.json", measures)
    if wanted.update or not wanted.only:
        write(measures, wanted.out)


def updated(path: Path, measures: list[Measure]) -> list[Measure]:
    """Those of an earlier run, but for the ones that were measured again."""
    anew = {one.id: one for one in measures}
    earlier = json.loads(path.read_text(encoding="utf-8"))["measures"]
    return [anew.get(one["id"]) or measure_of(one) for one in earlier]


def run(name: str, brief: bool) -> list[Measure]:
    """One module's measurements, shown as they come."""
    started = time.monotonic()
    print(f"{name} …", flush=True)
    found: list[Measure] = importlib.import_module(f"tests.bench.{name}").measures(brief)
    took = time.monotonic() - started
    for one in found:
        word = {True: "reached", False: "NOT reached", None: "no goal"}[one.reached]
        print(f"  {one.title} ({one.goal}): {word}")
        for line in one.lines:
            print(f"    {line.name:<50} {line.value:>10.4g} {line.unit}  {line.note}")
    print(f"  {took:.0f} s", flush=True)
    return [replace(one, seconds=round(took, 1)) for one in found]


def write(measures: list[Measure], out: Path) -> None:
    """The page, its plots and its figures."""
    facts, now = machine(), datetime.now(timezone.utc)
    plots = out / "benchmarks"
    plots.mkdir(parents=True, exist_ok=True)
    for one in measures:
        if one.plot:
            draw(one.plot, plots / f"{one.id}.svg")
    figures = {"date": now.isoformat(timespec="seconds"), "machine": facts}
    document = {**figures, "measures": [one.to_dict() for one in measures]}
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    (out / "benchmarks.json").write_text(text, encoding="utf-8")
    (out / "benchmarks.md").write_text(page(measures, facts, f"{now:%Y-%m-%d}"), encoding="utf-8")


if __name__ == "__main__":
    main()
