"""Removing what `verify-cloud` left behind, this run or an earlier one that was interrupted.

Jobs that are not over are canceled where that is possible, and else left to the functions: their
records say what is paid. Task claims stay: without one, a task could be taken for another job's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cli.backends.bucket import open_bucket
from cli.trouble import Refused, Trouble
from cli.verify.trial import FOLDER, NAME, Trial
from shared.ledger.record import Record
from shared.platform.clock import from_iso
from shared.storage import layout

PLACES = (
    FOLDER,
    layout.WAKE_LOOK,
    layout.LOOK_NOTES,
    f"{layout.JOB_FILES}{NAME}",
    f"{layout.INPUTS}{NAME}",
)
"""Where a run writes, besides its job. Job files go first of all: without one no job is made."""
SETTLES_SECONDS = 20.0
"""Longest wait until the functions have removed the markers of a job that is over."""


@dataclass
class Removed:
    """How many objects were removed, and the jobs that are not over yet."""

    objects: int = 0
    unfinished: list[str] = field(default_factory=list)


def clean_up(trial: Trial) -> Removed:
    """Remove what every run left in the bucket. Raises StoreError."""
    done = Removed()
    for place in reversed(PLACES):
        for entry in list(trial.store.list(place)):
            trial.store.delete(entry.key)
            done.objects += 1
    for job in _jobs(trial):
        last = trial.ledger.records.last(job)
        if last is not None and not last.is_final:
            last = _canceled(trial, job) or last
        if last is not None and not last.is_final:
            done.unfinished.append(job)
        else:
            done.objects += _forget(trial, job, last)
    return done


def _jobs(trial: Trial) -> list[str]:
    """The jobs of all runs, by their records."""
    keys = (entry.key for entry in trial.store.list(f"{layout.RECORDS}{NAME}"))
    return sorted({layout.parse_record(key)[0] for key in keys})


def _canceled(trial: Trial, job: str) -> Record | None:
    """The job's last record after an attempt to cancel it."""
    try:
        open_bucket(trial.access.environ).cancel(job)
    except (Refused, Trouble):
        return None
    return trial.ledger.records.last(job)


def _settled(trial: Trial, job: str) -> bool | None:
    """True once no marker is left of a job that is over; None before."""
    held = any(one.slot.job == job for one in trial.ledger.slots.held())
    there = any(True for _ in trial.store.list(layout.result(job), limit=1))
    return True if there and not held else None


def _forget(trial: Trial, job: str, last: Record | None) -> int:
    """Remove a job that is over. Of one whose removal was interrupted only records are left, and
    not the first."""
    keys = [] if last is None else list(_traces(trial, last))
    keys += [one.key for one in trial.store.list(f"{layout.RECORDS}{job}/")]
    for key in keys:
        trial.store.delete(key)
    return len(keys)


def _traces(trial: Trial, last: Record) -> Iterator[str]:
    """What a job that is over has besides its records, once nobody writes to it any more."""
    trial.awaited(lambda: _settled(trial, last.job), SETTLES_SECONDS)
    yield from [one.key for one in trial.store.list(f"{layout.RESULTS}{last.job}/")]
    if last.expires_at is not None:
        yield layout.reminder(round(from_iso(last.expires_at) * 1000), last.job)
    first = trial.ledger.records.get(last.job, 1)
    if first is not None:
        yield layout.indexed(round(from_iso(first.at) * 1000), last.job)
