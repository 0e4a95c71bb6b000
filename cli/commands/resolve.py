"""`wanx resolve`: what a person decides about jobs whose call was lost, many at once."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from cli.access import Access
from cli.backends.protocol import Backend, View, Wanted
from cli.commands.jobs import model_name, since_seconds
from cli.language import glue, said, tell
from cli.output import age, clean, complain, counted, print_table, say, table
from cli.trouble import NOT_SO, Refused
from shared.jobs.lost_calls import FAILED, LOST, RETRY
from shared.ledger.record import NEEDS_ATTENTION

MOST = 500
"""Jobs of one run; the same command goes on with the rest."""
MOST_SHOWN = 20
PAGE = 100


@dataclass(frozen=True)
class Options:
    """What was asked for. `decision` is retry or failed."""

    decision: str
    model: str | None
    since: str | None
    sure: bool


def run(access: Access, options: Options) -> int:
    """Show what will be done and what it costs, ask, and do it; the exit code. Raises Trouble."""
    backend = access.backend()
    lost = list(_lost(backend, options))
    more, lost = len(lost) > MOST, lost[:MOST]
    if not lost:
        say(f"No job of {backend.place} needs a decision about a lost call.")
        return 0
    _show(backend, lost, options.decision)
    if more:
        say(f"These are the newest {MOST}; run the command again for the others.")
    if not agreed(options.sure):
        say("Nothing was done.")
        return NOT_SO
    return _decide(backend, [view["job"] for view in lost], options.decision)


def _lost(backend: Backend, options: Options) -> Iterator[View]:
    """The jobs to decide about, newest first: one more than can be done, to tell that there are."""
    since = since_seconds(options.since, time.time())
    wanted = Wanted((NEEDS_ATTENTION,), model_name(options.model), since, PAGE)
    found = 0
    for rows in backend.pages(wanted):
        for row in rows:
            if (row.get("error") or {}).get("code") == LOST:
                found += 1
                yield row
            if found > MOST:
                return


def _show(backend: Backend, lost: Sequence[View], decision: str) -> None:
    shown = table("job", "model", "age", right=("age",))
    for row in lost[:MOST_SHOWN]:
        shown.add_row(row["job"], clean(row.get("model") or "-"), age(row.get("created_at")))
    print_table(shown)
    if len(lost) > MOST_SHOWN:
        say(f"and {len(lost) - MOST_SHOWN} more")
    cost = _cost(backend, lost)
    say(
        f"\nThe answers to the calls of {counted(len(lost), 'job')} were lost; what they made may"
        f" have been billed ({cost} at most) and cannot be fetched."
    )
    if decision == RETRY:
        say(f"Each is run again as a new job, which costs {cost} at most, and ends as FAILED.")
    else:
        say("Each ends as FAILED and is not run again, which costs nothing more.")


def _cost(backend: Backend, lost: Sequence[View]) -> str:
    """What all of them cost if every image succeeds, by currency."""
    total: Counter[str] = Counter()
    unknown = 0
    for row in lost:
        price = (backend.status(row["job"]) or {}).get("price_at_most")
        if price is None:
            unknown += 1
        else:
            total[price["currency"]] += round(price["total"] * 10_000)
    parts = [f"{name} {amount / 10_000:.2f}" for name, amount in total.items()]
    parts += [f"the price of {counted(unknown, 'job')}, which is not known"] if unknown else []
    return " and ".join(parts)


def agreed(sure: bool) -> bool:
    """Whether to go on. Raises click's error where nobody can be asked."""
    if sure:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: add --yes.")
    return click.confirm(tell("Go on?"), err=True)


def _decide(backend: Backend, jobs: Sequence[str], decision: str) -> int:
    """Decide about each; a refusal of one does not stop the others."""
    done: Counter[str] = Counter()
    for job in jobs:
        try:
            made = backend.decide(job, decision)
            if made.violations:
                raise Refused(glue("; ").join(said(one) for one in made.violations))
        except Refused as error:
            done["refused"] += 1
            complain(f"{clean(job)}: not decided: {tell(clean(error.message))}")
            continue
        if decision == FAILED:
            done["ended"] += 1
            click.echo(f"{job}: {made.state}")
        else:
            done["again" if made.new else "already"] += 1
            if made.new:
                say(f"{job}: runs again as {made.job}")
            else:
                say(f"{job}: runs again as {made.job} already")
    say(_summary(done))
    return NOT_SO if done["refused"] else 0


def _summary(done: Counter[str]) -> str:
    told = {
        "again": f"{done['again']} run again",
        "already": f"{done['already']} run again before",
        "ended": f"{done['ended']} ended",
        "refused": f"{done['refused']} not decided",
    }
    return f"{glue(', ').join(tell(text) for key, text in told.items() if done[key])}{glue('.')}"
