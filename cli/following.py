"""Waiting for jobs: progress bars in a terminal, a line a change when piped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from cli import model_words as words
from cli.access import Access
from cli.backends.protocol import Backend, View, is_over
from cli.language import said, tell
from cli.output import (
    clean,
    complain,
    console,
    counted,
    local_time,
    print_json,
    print_table,
    say,
    span,
    state_text,
    table,
)
from cli.trouble import INTERRUPTED, NOT_SO, Trouble
from shared.catalogue.model_file import load_catalogue

SHARE = {"QUEUED": 5.0, "SUBMITTING": 15.0, "PENDING": 25.0, "RUNNING": 40.0}
"""Where the bar of each state begins, in per cent; it then moves on with time."""
MOST_BARS = 10
PATIENCE = 60.0
"""Seconds without an answer after which the waiting is given up; the jobs go on all the same."""
SHORTEST, LONGEST = 0.3, 3.0
"""Seconds between two looks: short at first, longer for tasks of minutes."""


@dataclass
class Followed:
    """A job that is followed; `view` is the last look at it. `known`: there is such a job."""

    job: str
    known: bool = False
    typical: float = 30.0
    began: float = field(default_factory=time.monotonic)
    view: View = field(default_factory=dict)

    @property
    def state(self) -> str:
        return str(self.view.get("state") or "QUEUED")

    @property
    def share(self) -> float:
        """Per cent: what the state says, and how much of the typical duration is over."""
        if is_over(self.view):
            return 100.0
        floor = SHARE.get(self.state, 0.0)
        waited = time.monotonic() - self.began
        return floor + (95.0 - floor) * (1 - 1 / (1 + waited / self.typical))


def follow(
    access: Access, backend: Backend, jobs: Sequence[str], made: bool = False, as_json: bool = False
) -> int:
    """Wait until all jobs are over, then show them; the exit code. Ctrl-C stops the waiting.

    `made`: they were submitted just now. A name that nobody knows does not stop the others.
    """
    followed = [Followed(job, known=made) for job in dict.fromkeys(jobs)]
    try:
        found = first_look(backend, followed)
        if not all(is_over(one.view) for one in found):
            _wait(backend, found, as_json)
    except (KeyboardInterrupt, Trouble) as error:
        _say_interrupted(access, followed, as_json, isinstance(error, Trouble))
        if isinstance(error, Trouble):
            raise
        return INTERRUPTED
    views = [one.view for one in found]
    if as_json:
        print_json(views)
    code = _code(views) if as_json else summary(access, views)
    missing = [one.job for one in followed if not one.view]
    say_missing(backend, missing)
    return NOT_SO if missing else code


def say_missing(backend: Backend, jobs: Sequence[str]) -> None:
    """Names that nobody knows."""
    for job in jobs:
        complain(f"{clean(job)}: there is no such job in {backend.place}.")


def first_look(backend: Backend, followed: Sequence[Followed]) -> list[Followed]:
    """Those that there are."""
    catalogue = load_catalogue()
    for one in followed:
        one.view = backend.status(one.job) or {}
        one.known = bool(one.view)
        model = catalogue.get(str(one.view.get("model")))
        one.typical = model.typical_seconds if model else one.typical
    return [one for one in followed if one.view]


def _wait(backend: Backend, followed: Sequence[Followed], as_json: bool) -> None:
    if as_json:
        for _ in looks(backend, followed):
            pass
    elif console().is_terminal:
        _bars(backend, followed)
    else:
        _lines(backend, followed)


def _bars(backend: Backend, followed: Sequence[Followed]) -> None:
    columns = (
        TextColumn("{task.description}"),
        TextColumn("{task.fields[state]:<10}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    single = len(followed) <= MOST_BARS
    with Progress(*columns, console=console(), refresh_per_second=8) as progress:
        shown = [_shortened(one.job) for one in followed] if single else [tell("all jobs")]
        bars = [progress.add_task(name, total=100, state="") for name in shown]
        for _ in looks(backend, followed):
            if single:
                for bar, one in zip(bars, followed, strict=True):
                    _move(progress, bar, one)
            else:
                _move_all(progress, bars[0], followed)


def _move(progress: Progress, bar: TaskID, one: Followed) -> None:
    progress.update(bar, completed=one.share, state=one.state)
    if is_over(one.view):
        progress.stop_task(bar)


def _move_all(progress: Progress, bar: TaskID, followed: Sequence[Followed]) -> None:
    over = sum(is_over(one.view) for one in followed)
    share = sum(one.share for one in followed) / len(followed)
    progress.update(bar, completed=share, state=tell(f"{over} of {len(followed)}"))


def _lines(backend: Backend, followed: Sequence[Followed]) -> None:
    told: dict[str, str] = {}
    for _ in looks(backend, followed):
        for one in followed:
            if told.get(one.job) != one.state:
                told[one.job] = one.state
                click.echo(f"{local_time(one.view.get('at'))}  {one.state:<15}  {one.job}")


def looks(backend: Backend, followed: Sequence[Followed]) -> Iterator[None]:
    """Look at the jobs again and again, until all are over."""
    began = answered = time.monotonic()
    yield
    while not all(is_over(one.view) for one in followed):
        time.sleep(min(LONGEST, max(SHORTEST, (time.monotonic() - began) / 20)))
        try:
            for one in followed:
                if not is_over(one.view):
                    one.view = backend.status(one.job) or one.view
            answered = time.monotonic()
        except Trouble:
            if time.monotonic() - answered > PATIENCE:
                raise
        yield


def summary(access: Access, views: Sequence[View]) -> int:
    """A table of jobs that are over, what failed and why, and how to fetch the images; the exit
    code."""
    if not views:
        return 0
    shown = table("job", "state", "images", "took", "price", right=("images", "took", "price"))
    for view in views:
        shown.add_row(view["job"], state_text(view["state"]), *_numbers(view))
    print_table(shown)
    for view in views:
        say_trouble(view)
    good = [view["job"] for view in views if view["state"] == "SUCCEEDED"]
    if good:
        say(f"\nTo download the images of {counted(len(good), 'job')}:")
        click.echo(f"  {access.command('get', *good)}")
    return _code(views)


def _code(views: Sequence[View]) -> int:
    return 0 if all(view["state"] == "SUCCEEDED" for view in views) else NOT_SO


def _numbers(view: View) -> tuple[str, str, str]:
    result: Mapping[str, object] = view.get("result") or {}
    images, price = result.get("images"), result.get("price")
    start, end = result.get("created_at"), result.get("finished_at")
    cost = tell(words.paid(price)) if isinstance(price, Mapping) else "-"
    seconds = span(str(start), str(end)) if start and end else "-"
    return str(len(images) if isinstance(images, list) else 0), seconds, cost


def say_trouble(view: View) -> None:
    """Why a job is not what was hoped for, and what to do."""
    error, result = view.get("error") or {}, view.get("result") or {}
    if error:
        say(f"{view['job']}: {clean(said(error))}", indent="    ")
        if error.get("hint"):
            say(f"    {clean(said(error, 'hint'))}", indent="    ")
    for one in result.get("violations") or ():
        say(f"{view['job']}: {clean(said(one))}", indent="    ")
    for one in result.get("failed_images") or ():
        say(f"{view['job']}: image {one['number']} failed: {clean(said(one))}", indent="    ")


def _shortened(job: str) -> str:
    return job if len(job) <= 30 else f"{job[:20]}…{job[-9:]}"


def _say_interrupted(
    access: Access, followed: Sequence[Followed], as_json: bool, gave_up: bool
) -> None:
    """How to wait again. Nothing is claimed of a job that was never seen."""
    known = [one for one in followed if one.known and not is_over(one.view)]
    if known:
        rest = "which goes on without you" if len(known) == 1 else "which go on without you"
        left = f"{counted(len(known), 'job')} not over yet, {rest}."
        complain(f"\nStopped waiting; {left} To wait again:")
    elif gave_up:
        return
    else:
        complain("\nStopped waiting. To wait again:")
    jobs = [one.job for one in followed if not is_over(one.view)]
    words = ("status", "--wait", *(["--json"] if as_json else []), *jobs)
    click.echo(f"  {access.command(*words)}", err=True)
