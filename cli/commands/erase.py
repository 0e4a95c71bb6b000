"""`wanx erase`: take the pictures and texts of jobs out of the bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import click

from cli.access import Access
from cli.backends.protocol import Backend, View, Wanted, is_over
from cli.commands.resolve import agreed
from cli.language import tell
from cli.output import (
    age,
    clean,
    complain,
    counted,
    print_json,
    print_table,
    say,
    state_text,
    table,
)
from cli.trouble import NOT_SO, Refused

MOST = 500
"""Jobs of one run; the same command goes on with the rest."""
MOST_SHOWN = 20
PAGE = 100


@dataclass(frozen=True)
class Options:
    """What was asked for: these jobs, or all with a label, or all whose ids begin with `prefix`."""

    jobs: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    prefix: str
    all_inputs: bool
    sure: bool
    as_json: bool


def run(access: Access, options: Options) -> int:
    """Show what will be erased, ask, and erase it; the exit code. Raises Trouble."""
    backend = access.backend()
    found, missing = _chosen(backend, options)
    more, found = len(found) > MOST, found[:MOST]
    for job in missing:
        complain(f"{clean(job)}: there is no such job; `wanx list` shows those there are.")
    if not found:
        say(f"No job of {backend.place} is left to erase.")
        return NOT_SO if missing else 0
    if not options.sure:
        _show(found, options.all_inputs)
    if not agreed(options.sure):
        say("Nothing was erased.")
        return NOT_SO
    failed = _erase(access, backend, [view["job"] for view in found], options)
    if more:
        say(f"These were the newest {MOST}; run the command again for the others.")
    return NOT_SO if failed or missing else 0


def _chosen(backend: Backend, options: Options) -> tuple[list[View], list[str]]:
    """The jobs to erase, and names that no job has."""
    if options.jobs:
        asked = {job: backend.status(job) for job in options.jobs}
        found = [view for view in asked.values() if view is not None]
        return found, [job for job, view in asked.items() if view is None]
    return list(islice(_matching(backend, options), MOST + 1)), []


def _matching(backend: Backend, options: Options) -> Iterator[View]:
    """Those that fit and are not erased yet, so that the same command goes on with the rest; the
    hidden ones come last."""
    for hidden in (False, True):
        for rows in backend.pages(Wanted(labels=options.labels, limit=PAGE, hidden=hidden)):
            for row in rows:
                if row["job"].startswith(options.prefix) and not row.get("erased_at"):
                    yield row


def _show(found: Sequence[View], all_inputs: bool) -> None:
    shown = table("job", "state", "age", right=("age",))
    for row in found[:MOST_SHOWN]:
        shown.add_row(row["job"], state_text(str(row.get("state"))), age(row.get("created_at")))
    print_table(shown)
    if len(found) > MOST_SHOWN:
        say(f"and {len(found) - MOST_SHOWN} more")
    say(
        f"\nThe pictures and texts of {counted(len(found), 'job')} are deleted for good, with the"
        " job files and uploaded pictures that no other job needs."
    )
    if all_inputs:
        say("All other input pictures of theirs are deleted too.")
    if any(not is_over(row) for row in found):
        say("Jobs that are under way are left out: cancel them first (wanx cancel).")


def _erase(access: Access, backend: Backend, jobs: Sequence[str], options: Options) -> int:
    """Erase each; a refusal of one does not stop the others. How many were refused."""
    failed, done = 0, list[dict[str, Any]]()
    for job in jobs:
        try:
            done.append(dict(backend.erase(job, options.all_inputs)))
        except Refused as error:
            failed += 1
            complain(f"{clean(job)}: not erased: {tell(clean(error.message))}")
            continue
        if not options.as_json:
            _say_one(done[-1])
    if options.as_json:
        print_json(done)
    elif done:
        _say_rest(access, done)
    return failed


def _say_one(erased: dict[str, Any]) -> None:
    removed = counted(len(erased["removed"]), "object")
    say(f"{erased['job']}: erased, {removed} deleted")
    for one in erased["kept"]:
        say(f"  kept {clean(one['key'])}: {clean(one['why'])}", "    ")


def _say_rest(access: Access, done: Sequence[dict[str, Any]]) -> None:
    erased = {one["job"] for one in done}
    retries = sorted({job for one in done for job in one["retries"]} - erased)
    if retries:
        say("\nJobs of the same request, which are not erased:")
        click.echo(f"  {access.command('erase', *retries)}")
    say("\nErasing does not reach:")
    for text in done[0]["remains"]:
        say(f"* {tell(text)}", "  ")
