"""`wanx webhooks`: who is told of jobs, trying one, telling once more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from cli.access import Access
from cli.backends.protocol import View
from cli.output import clean, complain, local_time, print_table, table
from cli.trouble import NOT_SO
from shared.platform.clock import from_iso


def show(access: Access, job: str | None, as_json: bool) -> int:
    """Print the webhooks that have a name, or what became of the tries to tell of a job; the exit
    code. Raises Trouble."""
    backend = access.backend()
    if job is None:
        found: Mapping[str, Any] = backend.webhooks()
    else:
        view = backend.status(job)
        if view is None:
            complain(f"{clean(job)}: there is no such job in {backend.place}.")
            return NOT_SO
        found = {"job": job, "deliveries": view.get("deliveries") or []}
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    elif job is None:
        _show_named(found)
    else:
        _show_tries(job, found["deliveries"])
    return 0


def _show_named(found: Mapping[str, Any]) -> None:
    shown = table("name", "state", "url", "events", wrap="events")
    for one in found.get("webhooks") or ():
        state = "answered 410" if one.get("disabled") else "-"
        events = ", ".join(one.get("events") or ())
        shown.add_row(*(clean(str(each)) for each in (one["name"], state, one["url"], events)))
    print_table(shown)
    for one in found.get("disabled") or ():
        click.echo(clean(f"{one.get('url')}: answered 410 at {one.get('at')}; it is told nothing"))


def _show_tries(job: str, tries: list[View]) -> None:
    if not tries:
        click.echo(f"{job}: nobody was told of it yet")
        return
    columns = ("time", "event", "try", "outcome", "again after", "answer")
    shown = table(*columns, right=("try", "again after"), wrap="answer")
    for one in tries:
        answer = f"{one['host']}: {one.get('why') or one.get('status') or '-'}"
        again = f"{pause:.0f} s" if (pause := _pause(one)) is not None else "-"
        row = (local_time(one["at"]), one["event"], one["try"], one["outcome"], again, answer)
        shown.add_row(*(clean(str(each)) for each in row))
    print_table(shown)


def _pause(one: View) -> float | None:
    """Seconds from a try to the next one; None if there is none."""
    try:
        return from_iso(one.get("next_at") or "") - from_iso(one["at"])
    except ValueError:
        return None


def redeliver(access: Access, job: str) -> None:
    """Let the job's receiver hear of it once more. Raises Trouble, Refused."""
    number = access.backend().redeliver(job)
    click.echo(f"{job}: its webhook is told once more (try {number})")


def test(access: Access, webhook: str) -> int:
    """Send a test message; the exit code. Raises Trouble, Refused."""
    told = access.backend().test_webhook(webhook)
    said = f"answered {told['status']}" if told.get("status") else str(told.get("why"))
    click.echo(clean(f"{webhook}: {said} after {told.get('seconds', 0):.2f} s"))
    return 0 if told.get("delivered") else NOT_SO


def enable(access: Access, webhook: str) -> None:
    """Tell a receiver of jobs again. Raises Trouble, Refused."""
    enabled = access.backend().enable_webhook(webhook)
    click.echo(clean(f"{webhook}: {'enabled' if enabled else 'was not disabled'}"))


def secret(access: Access, webhook: str) -> None:
    """Print with what a receiver verifies. Raises Trouble, Refused."""
    for one in access.backend().webhook_secrets(webhook):
        click.echo(one)
