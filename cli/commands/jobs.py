"""`wanx status`, `list`, `cancel`, `retry` and `adopt`."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import click

from cli import model_words as words
from cli.access import Access
from cli.backends.protocol import Backend, Submitted, View, Wanted
from cli.following import follow, say_missing, say_trouble
from cli.language import glue, said, tell
from cli.output import (
    age,
    clean,
    complain,
    counted,
    facts,
    local_time,
    print_json,
    print_table,
    say,
    span,
    state_text,
    table,
)
from cli.trouble import NOT_SO, Refused
from shared.catalogue.model_file import load_catalogue
from shared.jobfile import wording
from shared.ledger.record import STATES

AGO = re.compile(r"(\d{1,6})(m|min|h|d)\Z")
UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86400}


def show_status(access: Access, jobs: Sequence[str], wait: bool, as_json: bool) -> int:
    """Show jobs; the exit code. Raises Trouble."""
    backend = access.backend()
    if wait:
        return follow(access, backend, jobs, as_json=as_json)
    found = {job: backend.status(job) for job in jobs}
    views = [view for view in found.values() if view is not None]
    if as_json:
        print_json(views)
    elif len(views) > 1:
        _print_views(views)
        for view in views:
            say_trouble(view)
    elif views:
        _print_one(access, views[0])
    missing = [job for job, view in found.items() if view is None]
    say_missing(backend, missing)
    return NOT_SO if missing else 0


def _print_one(access: Access, view: View) -> None:
    result = view.get("result") or {}
    labels = ", ".join(f"{name}={text}" for name, text in (view.get("labels") or {}).items())
    price = result.get("price")
    facts(
        [
            ("job", view["job"]),
            ("state", state_text(view["state"])),
            ("model", view.get("model")),
            ("retry of", view.get("retried_from")),
            ("prompt", view.get("prompt")),
            ("labels", labels or None),
            (
                "created",
                tell(f"{local_time(view.get('created_at'))} ({age(view.get('created_at'))} ago)"),
            ),
            ("submitted", local_time(view["submitted_at"]) if view.get("submitted_at") else None),
            ("finished", _finished(view) if result else None),
            ("erased", _maybe_time(result.get("erased_at"))),
            ("give up at", None if result else _maybe_time(view.get("expires_at"))),
            ("attempt", view.get("attempt") or None),
            ("task", view.get("task_id")),
            ("price", tell(words.paid(price)) if price else None),
            ("message", result.get("message")),
            *(("image", image["key"]) for image in result.get("images") or ()),
            *(("warning", said(one)) for one in view.get("warnings") or ()),
        ]
    )
    say_trouble(view)
    if result.get("images"):
        say("\nTo download:")
        click.echo(f"  {access.command('get', view['job'])}")


def _finished(view: View) -> str:
    result = view["result"]
    took = span(result.get("created_at"), result.get("finished_at"))
    return tell(f"{local_time(result.get('finished_at'))} (after {took})")


def _maybe_time(at: str | None) -> str | None:
    return local_time(at) if at else None


def _print_views(views: Sequence[View]) -> None:
    shown = table("job", "state", "model", "age", right=("age",))
    for view in views:
        state = state_text(str(view.get("state") or "?"))
        model = clean(view.get("model") or "-")
        shown.add_row(view["job"], state, model, age(view.get("created_at")))
    print_table(shown)


@dataclass(frozen=True)
class ListOptions:
    """The options of `wanx list`, as they were written."""

    states: Sequence[str]
    model: str | None
    since: str | None
    until: str | None
    labels: Sequence[str]
    search: str
    limit: int

    def wanted(self, now: float) -> Wanted:
        """Raises click's error for a wrong option."""
        return Wanted(
            states_of(self.states),
            model_name(self.model),
            since_seconds(self.since, now),
            self.limit,
            since_seconds(self.until, now, "--until") if self.until else None,
            labels_of(self.labels),
            self.search,
        )


def show_list(access: Access, options: ListOptions, as_json: bool) -> None:
    """Print the newest jobs. Raises Trouble, and click's error for a wrong option."""
    wanted = options.wanted(time.time())
    backend = access.backend()
    listing = backend.listing(wanted)
    if as_json:
        print_json(listing.jobs)
        return
    if listing.jobs:
        _print_views(listing.jobs)
    text = f"{counted(len(listing.jobs), 'job')} of {backend.place}"
    say(f"{text}; {listing.more}." if listing.more else f"{text}.")


def states_of(given: Sequence[str]) -> tuple[str, ...]:
    """States as people write them. Raises click's error."""
    states = tuple(word.strip().upper() for text in given for word in text.split(","))
    for state in states:
        if state not in STATES:
            near = wording.nearest(state, STATES)
            hint = f"did you mean {near}?" if near else f"they are {', '.join(STATES)}."
            raise click.BadParameter(f"{state} is not a state; {hint}", param_hint="--state")
    return states


def model_name(name: str | None) -> str | None:
    """A model that is known, or none. Raises click's error."""
    known = load_catalogue().names()
    if name is None or name in known:
        return name
    raise click.BadParameter(
        f"{name} is not known; the models are {', '.join(known)}.", param_hint="--model"
    )


def span_seconds(text: str) -> int | None:
    """The seconds of `30m`, `2h` or `3d`; None if it is none of them."""
    match = AGO.match(text)
    return int(match[1]) * UNITS[match[2]] if match else None


def labels_of(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Labels as people write them. Raises click's error."""
    for text in given:
        name, equals, _ = text.partition("=")
        if not name or not equals:
            wrong = f"{text!r} is not written as name=value."
            raise click.BadParameter(wrong, param_hint="--label")
    return tuple((name, value) for name, _, value in (text.partition("=") for text in given))


def since_seconds(text: str | None, now: float, option: str = "--since") -> float:
    """Seconds since 1970 of `2h`, `3d` or a local date with or without a time; 0 for none."""
    if text is None:
        return 0.0
    if (ago := span_seconds(text)) is not None:
        return max(0.0, now - ago)
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is not a time; write 30m, 2h, 3d, 2026-11-20 or 2026-11-20T12:00.",
            param_hint=option,
        ) from None


def cancel_jobs(access: Access, jobs: Sequence[str]) -> int:
    """Cancel each job; a refusal of one does not stop the others. Raises Trouble."""
    backend = access.backend()
    failed = 0
    for job in dict.fromkeys(jobs):
        try:
            click.echo(f"{job}: {backend.cancel(job)['state']}")
        except Refused as error:
            failed += 1
            complain(f"{clean(job)}: not canceled: {tell(clean(error.message))}")
    return NOT_SO if failed else 0


def adopt_task(access: Access, job: str, task: str) -> int:
    """Let a job go on with a task; the exit code. Raises Trouble."""
    try:
        view = access.backend().adopt(job, task)
    except Refused as error:
        complain(f"{clean(job)}: not adopted: {tell(clean(error.message))}")
        return NOT_SO
    say(f"{job}: {view['state']} with task {clean(task)}")
    _say_how_to_wait(access, [job])
    return 0


def retry_jobs(access: Access, jobs: Sequence[str]) -> int:
    """Retry each job; a refusal of one does not stop the others. Raises Trouble."""
    backend = access.backend()
    made, failed = [], 0
    for job in dict.fromkeys(jobs):
        try:
            made.append(_retry(backend, job))
        except Refused as error:
            failed += 1
            complain(f"{clean(job)}: not tried again: {tell(clean(error.message))}")
    if made:
        _say_how_to_wait(access, made)
    return NOT_SO if failed else 0


def _say_how_to_wait(access: Access, jobs: Sequence[str]) -> None:
    say("To wait for the images:")
    click.echo(f"  {access.command('status', '--wait', *dict.fromkeys(jobs))}")


def _retry(backend: Backend, job: str) -> str:
    """The retry's name; one that is under way or has succeeded is not doubled. Raises Refused."""
    made = backend.retry(job)
    if made.violations:
        raise Refused(glue("; ").join(said(one) for one in made.violations))
    say(_how(job, made))
    return made.job


def _how(job: str, made: Submitted) -> str:
    if made.new is not False:
        return f"{job}: runs again as {made.job}"
    if made.state == "SUCCEEDED":
        return f"{job}: was run again as {made.job} already, with success"
    return f"{job}: runs again as {made.job} already"
