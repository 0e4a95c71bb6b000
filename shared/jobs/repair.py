"""What a person does to a live system: rebuild indexes, put dead events back, resume a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.rules import Rules
from shared.jobs.accept import Acceptance
from shared.jobs.dead_letters import DEAD_BYTES
from shared.jobs.transitions import Transitions
from shared.ledger.breaker import KEY
from shared.ledger.ledger import Ledger
from shared.ledger.manifest import read_manifest
from shared.ledger.queue import marker_of
from shared.ledger.record import FINAL, PENDING, QUEUED, SUBMITTING, Record
from shared.ledger.slots import Slot
from shared.platform.clock import from_iso
from shared.platform.fc.events import Event, OssEvent, UnknownEvent, read_event
from shared.storage import layout
from shared.storage.objects import ObjectDamaged

CLAIMS_FOR = 24 * 3600.0
"""Seconds for which the service's task list, and so the owner of a task, matters."""


class UnknownModel(Exception):
    """The catalogue has no model of this name. `known` are the names it has."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no model {name[:80]!r}; the models are {', '.join(known)}.")
        self.known = known


@dataclass
class Rebuilt:
    """What a rebuild found missing or left over, by index.

    `damaged`: by job, why its records cannot be read; nothing was done for these jobs.
    """

    jobs: int = 0
    markers_made: int = 0
    markers_dropped: int = 0
    slots_made: int = 0
    slots_freed: int = 0
    claims_made: int = 0
    manifests_made: int = 0
    index_entries_made: int = 0
    damaged: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def apart(self, job: str) -> Iterator[None]:
        """For a step of one job, whose damaged records must not stop the others."""
        try:
            yield
        except ObjectDamaged as error:
            self.damaged[job] = str(error)
        except (ValueError, TypeError) as error:
            said = f"A record of the job {job} holds what no record can hold ({error})"
            self.damaged[job] = f"{said}: it was changed by hand. Put it back."


@dataclass
class Repair:
    """Repairs one ledger. Every method may raise StoreError."""

    ledger: Ledger
    rules: Rules
    transitions: Transitions
    acceptance: Acceptance

    def rebuild(self) -> Rebuilt:
        """Make markers, slots, task claims, job index and manifests again from the records.

        Safe while the functions run: an entry made for a job that ends meanwhile is stale, and the
        instance that comes across it removes it. A marker or slot is removed only where the job's
        chain says so.
        """
        done, ledger = Rebuilt(), self.ledger
        for job in self._jobs():
            with done.apart(job):
                self._job(job, done)
        for entry in ledger.store.list(layout.QUEUE):
            if layout.is_ours(entry.key, layout.QUEUE):
                with done.apart(layout.job_of_marker(entry.key)):
                    self._drop_marker(entry.key, done)
        for held in ledger.slots.held():
            with done.apart(held.slot.job):
                self._free_slot(held.slot, done)
        if ledger.slots.held() or not ledger.queue.empty():
            ledger.wake.if_nobody_polls()
        return done

    def redrive(self, key: str) -> list[str]:
        """Give a dead event to the system once more; returns what was done, in words.

        The file in `dead/` is removed only after that. A job file that was taken in already stays
        the job it is. Raises UnknownEvent.
        """
        event, files = _dead_event(key, self.ledger.store.read(key, DEAD_BYTES).body)
        done = []
        if isinstance(event, OssEvent) and files:
            for file in files:
                taken = self.acceptance.job_file(file)
                done += [f"{file}: job {one.job} is {one.record.state}" for one in taken]
        else:
            self.ledger.wake.now()
            done.append("the poller was woken")
        self.ledger.store.delete(key)
        return done

    def resume(self, name: str) -> bool:
        """Close the breaker of a model, or of the API key (`KEY`); whether it was paused.

        Wakes a poller even if one is alive: that one may be going to rest because of the pause.
        Raises UnknownModel.
        """
        known = self.rules.catalogue.names()
        if name not in (KEY, *known):
            raise UnknownModel(name, known)
        resumed = self.ledger.breakers.resume(name)
        self.ledger.wake.now()
        return resumed

    def _jobs(self) -> Iterator[str]:
        seen = ""
        for entry in self.ledger.store.list(layout.RECORDS):
            if not layout.is_ours(entry.key, layout.RECORDS):
                continue
            job = entry.key[len(layout.RECORDS) :].split("/", 1)[0]
            if job != seen:
                seen = job
                yield job

    def _job(self, job: str, done: Rebuilt) -> None:
        first, last = self.ledger.records.get(job, 1), self.ledger.records.last(job)
        if first is not None and last is not None:
            done.jobs += 1
            done.index_entries_made += self.ledger.index.add(first)
            self._restore(last, done)

    def _restore(self, last: Record, done: Rebuilt) -> None:
        ledger, slot = self.ledger, last.slot
        if last.state == QUEUED:
            done.markers_made += ledger.queue.add(last)
        if last.state in FINAL:
            done.manifests_made += self._restore_manifest(last)
        if slot is not None and last.holds(slot):
            done.slots_made += ledger.store.create(slot.key, b"").created
        if last.attempt and ledger.clock.now() - from_iso(last.at) < CLAIMS_FOR:
            done.claims_made += self._restore_claims(last.job)

    def _restore_claims(self, job: str) -> int:
        """Name the job under the ids of all tasks it has had; how many had no name."""
        made = 0
        chain = self.ledger.records.chain(job)
        for record in chain:
            over = record.slot is not None and not chain[-1].holds(record.slot)
            if record.state == PENDING and record.task_id and record.slot and over:
                known = self.ledger.tasks.owner(record.task_id) is not None
                made += not known and self.ledger.tasks.claim(record.task_id, record.slot)
        return made

    def _drop_marker(self, marker: str, done: Rebuilt) -> None:
        """Drop a marker whose job does not wait there."""
        last = self.ledger.records.last(layout.job_of_marker(marker))
        if last is not None and last.state in (QUEUED, SUBMITTING):
            if marker_of(last) == marker:
                return
        elif last is not None and last.state in FINAL:
            done.manifests_made += self._restore_manifest(last)
        self.ledger.queue.drop(marker)
        done.markers_dropped += 1

    def _free_slot(self, slot: Slot, done: Rebuilt) -> None:
        """Free a slot whose attempt is over."""
        last = self.ledger.records.last(slot.job)
        if last is not None and last.seq >= slot.seq and not last.holds(slot):
            self.transitions.clean_up(slot, last)
            done.slots_freed += 1

    def _restore_manifest(self, last: Record) -> bool:
        """Write `result.json` again where it is missing or an older one; whether it was needed."""
        if read_manifest(self.ledger.store, last.job) == last.manifest:
            return False
        self.transitions.restore_manifest(last)
        return True


def _dead_event(key: str, body: bytes) -> tuple[Event, list[str]]:
    try:
        document = json.loads(body)
        files = document["job_files"]
        if not isinstance(files, list) or not all(map(_is_job_file, files)):
            raise ValueError("job_files must be a list of keys below jobs/")
        return read_event(json.dumps(document["event"]).encode()), files
    except (ValueError, KeyError, TypeError, RecursionError, UnknownEvent) as error:
        raise UnknownEvent(
            f"{key} is not a dead event as rescue writes them ({type(error).__name__}: {error});"
            " look at it, put the job files it names into jobs/ again, and delete it."
        ) from None


def _is_job_file(key: Any) -> bool:
    return isinstance(key, str) and key.startswith(layout.JOB_FILES) and key.isprintable()
