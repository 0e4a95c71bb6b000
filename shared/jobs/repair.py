"""What a person does to a live system: rebuild the indexes, put dead events back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from shared.app import App
from shared.ledger.job_index import JobIndex
from shared.ledger.queue import marker_of
from shared.ledger.record import holds, slot_of
from shared.ledger.records import FINAL, QUEUED, SUBMITTING, Record
from shared.ledger.slots import Slot
from shared.ledger.tickets import tick_length
from shared.platform.clock import from_iso
from shared.platform.fc.events import Event, OssEvent, UnknownEvent, read_event
from shared.storage import layout
from shared.storage.objects import ObjectMissing

DEAD_BYTES = 1024 * 1024
MANIFEST_BYTES = 64 * 1024 * 1024
TICKETS_FOR = 24 * 3600.0
"""Seconds for which the service's task list, and so the log of submissions, matters."""


@dataclass
class Rebuilt:
    """What a rebuild found missing or left over, by index."""

    jobs: int = 0
    markers_made: int = 0
    markers_dropped: int = 0
    slots_made: int = 0
    slots_freed: int = 0
    tickets_made: int = 0
    manifests_made: int = 0
    index_entries_made: int = 0


def rebuild(app: App) -> Rebuilt:
    """Make markers, slots, tickets, job index and manifests again from the records.

    Raises StoreError.

    Safe while the functions run: whatever is made too much is an index of something that is
    over, and is removed by whoever comes across it; a marker or slot is removed only where the
    job's chain says so.
    """
    done = Rebuilt()
    for job in _jobs(app):
        first, last = app.records.get(job, 1), app.records.last(job)
        if first is not None and last is not None:
            done.jobs += 1
            done.index_entries_made += JobIndex(app.store).add(first)
            _restore(app, last, done)
    _drop_leftovers(app, done)
    if app.slots.held() or not app.queue.empty():
        app.heartbeat.wake_if_nobody()
    return done


def redrive(app: App, key: str) -> list[str]:
    """Give a dead event to the system once more; returns what was done, in words.

    The file in `dead/` is removed only after that. A job file that was taken in already stays the
    job it is. Raises StoreError, UnknownEvent.
    """
    event, files = _dead_event(key, app.store.read(key, DEAD_BYTES).body)
    done = []
    if isinstance(event, OssEvent) and files:
        for file in files:
            taken = app.dispatch.job_file(file)
            done += [f"{file}: job {one.job} is {one.record.state}" for one in taken]
    else:
        app.heartbeat.wake()
        done.append("the poller was woken")
    app.store.delete(key)
    return done


def _dead_event(key: str, body: bytes) -> tuple[Event, list[str]]:
    try:
        document = json.loads(body)
        return read_event(json.dumps(document["event"]).encode()), list(document["job_files"])
    except (ValueError, KeyError, TypeError, UnknownEvent) as error:
        raise UnknownEvent(
            f"{key} is no dead event as rescue writes them ({type(error).__name__}: {error});"
            " look at it, put the job files it names into jobs/ again, and delete it."
        ) from None


def _jobs(app: App) -> Iterator[str]:
    seen = ""
    for entry in app.store.list(layout.RECORDS):
        job = entry.key[len(layout.RECORDS) :].split("/", 1)[0]
        if job != seen:
            seen = job
            yield job


def _restore(app: App, last: Record, done: Rebuilt) -> None:
    if last.state == QUEUED:
        done.markers_made += app.queue.add(last.job, last.data)
    if last.state in FINAL:
        done.manifests_made += _restore_manifest(app, last)
    slot = slot_of(last)
    if slot is None:
        return
    if holds(last, slot):
        done.slots_made += app.store.create(slot.key, b"").created
    at = from_iso(last.data.get("submitted_at") or last.at)
    if app.clock.now() - at < TICKETS_FOR:
        done.tickets_made += _restore_ticket(app, slot, at)


def _restore_ticket(app: App, slot: Slot, at: float) -> bool:
    """A ticket for a claim that has none; it says its time itself, and that it is no real one."""
    model = app.catalogue.get(slot.model)
    if model is None:
        return False
    length = tick_length(model.limits.submissions, model.limits.per_seconds)
    tick = int(at // length)
    near = app.store.list(layout.tickets_of(slot.model), after=layout.ticket(slot.model, tick - 60))
    claim = {"job": slot.job, "seq": slot.seq, "mark": slot.mark}
    for entry in near:
        if json.loads(app.store.read(entry.key, DEAD_BYTES).body).items() >= claim.items():
            return False
    key = layout.rebuilt_ticket(slot.model, tick, slot.job, slot.seq)
    return app.store.create(key, json.dumps(claim | {"at": at}).encode()).created


def _drop_leftovers(app: App, done: Rebuilt) -> None:
    for entry in app.store.list(layout.QUEUE):
        last = app.records.last(layout.job_of_marker(entry.key))
        live = last is not None and last.state in (QUEUED, SUBMITTING)
        if last is None or not live or marker_of(last.job, last.data) != entry.key:
            if last is not None and last.state in FINAL:
                done.manifests_made += _restore_manifest(app, last)
            app.queue.drop(entry.key)
            done.markers_dropped += 1
    for held in app.slots.held():
        last = app.records.last(held.slot.job)
        if last is not None and last.seq >= held.slot.seq and not holds(last, held.slot):
            app.transitions.clean_up(held.slot, last)
            done.slots_freed += 1


def _restore_manifest(app: App, last: Record) -> bool:
    """Write `result.json` again where it is missing or an older one; whether that was needed."""
    try:
        stored = json.loads(app.store.read(layout.result(last.job), MANIFEST_BYTES).body)
    except (ObjectMissing, ValueError):
        stored = None
    if stored == last.data.get("manifest"):
        return False
    app.transitions.restore_manifest(last)
    return True
