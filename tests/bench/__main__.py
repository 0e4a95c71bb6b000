"""`make bench`: run the measurements and write their figures to docs/benchmarks.json and .md."""

from __future__ import annotations

import argparse
import gc
import json
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.page import FIGURES, PAGE, filled
from tests.bench.results import Measure, machine, origin

MODULES = (
    "throughput",
    "rate",
    "calls",
    "limits",
    "latency",
    "slots",
    "requests",
    "lone",
    "quota",
    "coldstart",
    "intake",
    "depth",
    "listing",
    "callers",
    "memory",
    "rebuild",
    "price",
    "oss_rates",
    "views",
)
"""In the order of docs/benchmarks.md. The first are simulations: they use all cores, and time does
not count."""


def main() -> None:
    """A whole run replaces the file; named modules are only printed, without --out or --update."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="module", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--brief", action="store_true", help="few repetitions: rough figures")
    parser.add_argument("--update", action="store_true", help="merge these modules into the file")
    parser.add_argument("--page", action="store_true", help="only fill the page from the file")
    parser.add_argument("--out", type=Path, help="the file (docs/benchmarks.json)")
    wanted = parser.parse_args()
    if unknown := set(wanted.only) - set(MODULES):
        parser.error(f"unknown module {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    names = [] if wanted.page else wanted.only or MODULES
    found = [one for name in names for one in run(name, wanted.brief)]
    out = wanted.out or FIGURES
    if wanted.update:
        found = merged(json.loads(out.read_text("utf-8"))["measures"], found)
    if wanted.update or wanted.out or not (wanted.only or wanted.page):
        document = {"machine": machine(), "measures": found}
        out.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if wanted.page or (not wanted.out and (wanted.update or not wanted.only)):
        figures = json.loads(FIGURES.read_text("utf-8"))
        PAGE.write_text(filled(PAGE.read_text("utf-8"), figures), encoding="utf-8")


def run(name: str, brief: bool) -> list[dict[str, Any]]:
    """One module's measurements as JSON, printed as soon as they are there."""
    print(f"{name} …", flush=True)
    # What the simulations before have left is not looked through again while threads are timed.
    gc.collect()
    gc.freeze()
    started = time.monotonic()
    found: list[Measure] = import_module(f"tests.bench.{name}").measures(brief)
    seconds = round(time.monotonic() - started, 1)
    for one in found:
        word = {True: "reached", False: "NOT reached", None: "no goal"}[one.reached]
        print(f"  {one.id} ({one.goal}): {word}")
        for line in one.lines:
            print(f"    {line.name:<50} {line.value:>10.4g} {line.unit}  {line.note}")
    print(f"  {seconds:.0f} s", flush=True)
    return [{**asdict(one), **origin(), "seconds": seconds} for one in found]


def merged(earlier: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The earlier measurements and the new ones, which replace those of the same id."""
    by_id = {one["id"]: one for one in earlier} | {one["id"]: one for one in found}
    return list(by_id.values())


if __name__ == "__main__":
    main()
