"""Run the simulation from the command line.

.venv/bin/python -m tests.simulation.run --seeds 0:2000 --jobs 2
.venv/bin/python -m tests.simulation.run --seed 7 --story
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.simulation.mutations import MUTATIONS
from tests.simulation.pool import Tally, in_parts, replay, run_seeds, workers


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 if every invariant held in every run, 1 otherwise."""
    options = _options(arguments)
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    if options.seed is not None:
        seeds = range(options.seed, options.seed + 1)
        tally = _one(options.seed, options.mutation, options.story)
    else:
        seeds = options.seeds
        tally = _many(seeds, options.mutation, options.jobs, console)
    _report(tally, options.mutation, time.monotonic() - started, options.story, console)
    return 1 if tally.broken else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.simulation.run", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seed", type=int, help="one run")
    which.add_argument("--seeds", type=_range, default=range(2000), help="first:last+1")
    parser.add_argument("--story", action="store_true", help="tell all that happened")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--mutation", choices=sorted(MUTATIONS), default="", help="a mistake")
    return parser.parse_args(arguments)


def _range(text: str) -> range:
    first, _, last = text.partition(":")
    return range(int(first), int(last))


def _one(seed: int, mutation: str, story: bool) -> Tally:
    with workers(1) as pool:
        return pool.submit(run_seeds, range(seed, seed + 1), mutation, False, story).result()


def _many(seeds: range, mutation: str, jobs: int, console: Console) -> Tally:
    whole = Tally()
    with workers(jobs) as pool, Progress(console=console, transient=True) as progress:
        bar = progress.add_task("seeds", total=len(seeds))
        for part in in_parts(pool, seeds, mutation):
            whole.add(part)
            progress.advance(bar, part.seeds)
    return whole


def _report(tally: Tally, mutation: str, took: float, story: bool, console: Console) -> None:
    if tally.told:
        print(tally.told)
    for seed, broken in sorted(tally.broken.items())[:20]:
        print(f"seed {seed} broke an invariant: {broken}\n  {replay(seed, mutation)}")
    if not story:
        console.print(_faults(tally.faults))
    count = max(1, tally.seeds)
    print(
        f"{tally.seeds} seeds, {len(tally.broken)} broken, {tally.calls} calls,"
        f" {tally.seconds / 3600:.0f} h simulated in {took:.1f} s ({1000 * took / count:.1f} ms"
        " a seed)"
    )


def _faults(faults: Counter[str]) -> Table:
    table = Table(title="faults injected", width=60)
    table.add_column("kind")
    table.add_column("times", justify="right")
    for kind, times in sorted(faults.items()):
        table.add_row(kind, str(times))
    return table


if __name__ == "__main__":
    sys.exit(main())
