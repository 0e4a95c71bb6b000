"""`wanx logs`: the history of a job from its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from rich.text import Text

from cli import model_words as words
from cli.access import Access
from cli.backends.protocol import View
from cli.language import said, tell
from cli.output import clean, complain, local_time, print_table, state_text, table
from cli.trouble import NOT_SO
from shared.platform.clock import from_iso


def show_history(access: Access, job: str) -> int:
    """Print the records; the exit code. Raises Trouble."""
    backend = access.backend()
    events = backend.events(job)
    if not events:
        complain(f"{clean(job)}: there is no such job in {backend.place}.")
        return NOT_SO
    click.echo(f"{job}, {local_time(events[0].get('at'))[:10]}")
    columns = ("time", "after", "state", "what happened")
    shown = table(*columns, right=("after",), wrap="what happened")
    began = _moment(events[0])
    for place, event in enumerate(events):
        at = _moment(event)
        when = datetime.fromtimestamp(at).strftime("%H:%M:%S.%f")[:-3]
        story = "\n".join(tell(clean(line)) for line in told(events, place))
        state = state_text(str(event.get("state")))
        shown.add_row(when, f"{at - began:.1f} s", state, Text(story))
    print_table(shown)
    return 0


def _moment(event: Mapping[str, Any]) -> float:
    try:
        return from_iso(str(event.get("at")))
    except ValueError:
        return 0.0


def told(events: Sequence[View], place: int) -> list[str]:
    """What a record says beyond its state, in words; a line each."""
    event = events[place]
    before = events[place - 1].get("state") if place else None
    lines_of = _LINES.get(str(event.get("state")), _ended)
    return lines_of(event, before) or ["-"]


def _queued(event: View, before: str | None) -> list[str]:
    lines = []
    if before is None or before == "REJECTED":
        source = event.get("source") or {}
        lines.append(f"accepted from {source.get('key', '?')}, document {source.get('document')}")
        lines += [f"retry of {event['retried_from']}"] if event.get("retried_from") else []
        lines += [f"priority {event.get('priority')}"]
        lines += (
            [f"gives up at {local_time(event['expires_at'])}"] if event.get("expires_at") else []
        )
        lines += [f"{tell('warning')}: {said(one)}" for one in event.get("warnings") or ()]
    else:
        lines.append("back in the queue")
        lines += _error(event)
    if event.get("not_before"):
        lines.append(f"not before {local_time(event['not_before'])}")
    return lines


def _submitting(event: View, _before: str | None) -> list[str]:
    if event.get("unknown"):
        return [f"outcome unknown ({event['unknown']}); it is looked up, not sent again"]
    return [f"attempt {event.get('attempt')}: is sent to the model service"]


def _pending(event: View, _before: str | None) -> list[str]:
    return [f"accepted by the model service: task {event.get('task_id')}"]


def _running(_event: View, _before: str | None) -> list[str]:
    return ["the model service is at work"]


def _rejected(event: View, _before: str | None) -> list[str]:
    return [said(one) for one in event.get("violations") or ()]


def _ended(event: View, _before: str | None) -> list[str]:
    manifest = event.get("manifest") or {}
    lines = [str(image.get("key")) for image in manifest.get("images") or ()]
    for one in manifest.get("failed_images") or ():
        lines.append(f"image {one.get('number')} failed: {said(one)}")
    price = manifest.get("price")
    if price:
        lines.append(f"price {words.paid(price)}")
    return lines + _error(manifest)


def _error(holder: Mapping[str, Any]) -> list[str]:
    error = holder.get("error") or {}
    if not error:
        return []
    lines = [f"{error.get('code')}: {said(error)}"]
    return lines + ([said(error, "hint")] if error.get("hint") else [])


_LINES = {
    "QUEUED": _queued,
    "SUBMITTING": _submitting,
    "PENDING": _pending,
    "RUNNING": _running,
    "REJECTED": _rejected,
}
