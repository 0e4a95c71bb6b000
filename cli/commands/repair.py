"""`wanx repair`: rebuild the indexes from the records."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.access import Access
from cli.language import glue, tell
from cli.output import clean, complain, console, local_time, say
from cli.trouble import NOT_SO
from shared.jobs.rebuilt import Progress, Rebuilt


def run(access: Access, from_start: bool) -> int:
    """Rebuild, and print what was missing or left over; the exit code. Raises Trouble.

    What shows how far it is goes to stderr.
    """
    with access.app("repair") as app, _line() as line:
        done = app.rebuild.run(partial(_tell, access, line), from_start)
    _print(done)
    return NOT_SO if done.damaged else 0


def _print(done: Rebuilt) -> None:
    for name, count in done.counts.items():
        if name != "unnamed":
            say(f"{tell(name.replace('_', ' '))}{glue(': ')}{count}")
    damaged = f"damaged: {len(done.damaged)}"
    say(f"{damaged} or more" if done.unnamed else damaged)
    for why in done.damaged.values():
        complain(clean(why))
    if done.unnamed:
        complain(f"Only the first {len(done.damaged)} jobs are named.")


class _Line:
    """Jobs done, and how many a minute since there is an index to compare with."""

    def __init__(self, bars: Bars) -> None:
        self._bars, self._began = bars, 0.0
        self._task = bars.add_task(tell("looking at the job index"), total=None)

    def show(self, progress: Progress, indexed: int) -> None:
        self._began = self._began or time.monotonic()
        done, minutes = progress.done.jobs, (time.monotonic() - self._began) / 60
        rate = (done - progress.before) / minutes if minutes else 0
        about = f"{done:,} of about {indexed:,}" if indexed >= done else f"{done:,}"
        self._bars.update(self._task, description=tell(f"{about} jobs, {rate:,.0f} a minute"))

    def begin(self) -> None:
        """From now on nothing else may be printed."""
        self._bars.start()


@contextmanager
def _line() -> Iterator[_Line]:
    """A line of a terminal that changes; elsewhere nothing."""
    out = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bars = Bars(*columns, console=out, transient=True, disable=not out.is_terminal)
    try:
        yield _Line(bars)
    finally:
        bars.stop()


def _tell(access: Access, line: _Line, progress: Progress) -> None:
    if progress.indexed is not None:
        line.show(progress, progress.indexed)
        return
    if progress.after:
        again = access.command("repair", "--from-start")
        complain(
            f"Goes on after the job {clean(progress.after)}: {progress.before:,} jobs were done"
            f" until {local_time(progress.at)}. To begin again: {again}"
        )
    line.begin()
