"""`wanx webhooks`: named webhooks, deliveries, a test message, one more delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from cli.access import Access
from cli.backends.protocol import View
from cli.language import tell
from cli.output import clean, complain, local_time, print_json, print_table, say, table
from cli.trouble import NOT_SO
from shared.platform.clock import from_iso


def show(access: Access, job: str | None, as_json: bool) -> int:
    """Print the webhooks that have a name, or the deliveries of a job; the exit code.

    Raises Trouble.
    """
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
        print_json(found)
    elif job is None:
        _show_named(found)
    else:
        _show_tries(job, found["deliveries"])
    return 0


def _show_named(found: Mapping[str, Any]) -> None:
    shown = table("name", "state", "url", "events", wrap="events")
    for one in found.get("webhooks") or ():
        state = tell("answered 410") if one.get("disabled") else "-"
        events = ", ".join(one.get("events") or ())
        shown.add_row(*(clean(str(each)) for each in (one["name"], state, one["url"], events)))
    print_table(shown)
    for one in found.get("disabled") or ():
        say(clean(f"{one.get('url')}: answered 410 at {one.get('at')}; nothing is sent to it"))


def _show_tries(job: str, tries: list[View]) -> None:
    if not tries:
        say(f"{job}: no delivery yet")
        return
    columns = ("time", "event", "try", "outcome", "again after", "answer")
    shown = table(*columns, right=("try", "again after"), wrap="answer")
    for one in tries:
        why = tell(str(one.get("why") or one.get("status") or "-"))
        again = f"{pause:.0f} s" if (pause := _pause(one)) is not None else "-"
        row = (local_time(one["at"]), one["event"], one["try"], tell(str(one["outcome"])), again)
        shown.add_row(*(clean(str(each)) for each in (*row, f"{one['host']}: {why}")))
    print_table(shown)


def _pause(one: View) -> float | None:
    """Seconds from a try to the next one; None if there is none."""
    try:
        return from_iso(one.get("next_at") or "") - from_iso(one["at"])
    except ValueError:
        return None


def redeliver(access: Access, job: str) -> None:
    """Deliver the job's last event once more. Raises Trouble, Refused."""
    number = access.backend().redeliver(job)
    say(f"{job}: its webhook is delivered once more (try {number})")


def test(access: Access, webhook: str) -> int:
    """Send a test message; the exit code. Raises Trouble, Refused."""
    told = access.backend().test_webhook(webhook)
    said = f"answered {told['status']}" if told.get("status") else str(told.get("why"))
    say(clean(f"{webhook}: {said} after {told.get('seconds', 0):.2f} s"))
    return 0 if told.get("delivered") else NOT_SO


def enable(access: Access, webhook: str) -> None:
    """Deliver to a receiver again. Raises Trouble, Refused."""
    enabled = access.backend().enable_webhook(webhook)
    say(clean(f"{webhook}: {tell('enabled' if enabled else 'was not disabled')}"))


def secret(access: Access, webhook: str) -> None:
    """Print the secrets that a receiver verifies with. Raises Trouble, Refused."""
    for one in access.backend().webhook_secrets(webhook):
        click.echo(one)
