"""What a rebuild has found, and how far it has come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from shared.platform.clock import Clock, from_iso, iso
from shared.storage import layout
from shared.storage.objects import ObjectDamaged, ObjectMissing, ObjectStore, ObjectTooLarge

MOST_NAMED = 1000
PLACE_BYTES = 16 * 1024 * 1024
KEPT_FOR = 24 * 3600.0
"""Seconds after which a rebuild that was interrupted begins again: what it found is too old."""


@dataclass
class Rebuilt:
    """What a rebuild found missing or left over, by index.

    `damaged`: by job, why its records cannot be read; nothing was done for these jobs. `unnamed`:
    how often that was found after the first thousand jobs.
    """

    jobs: int = 0
    markers_made: int = 0
    markers_dropped: int = 0
    slots_made: int = 0
    slots_freed: int = 0
    claims_made: int = 0
    manifests_made: int = 0
    index_entries_made: int = 0
    outbox_entries_made: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    unnamed: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The numbers by name, as far as they are numbers."""
        return {name: number for name, number in vars(self).items() if name != "damaged"}

    def add(self, other: Rebuilt) -> None:
        """Add what was found elsewhere."""
        for name, number in other.counts.items():
            setattr(self, name, getattr(self, name) + number)
        for job, why in other.damaged.items():
            if job in self.damaged or len(self.damaged) < MOST_NAMED:
                self.damaged[job] = why
            else:
                self.unnamed += 1

    @contextmanager
    def apart(self, job: str) -> Iterator[None]:
        """For a step of one job, whose damaged records must not stop the others."""
        try:
            yield
        except (ObjectDamaged, ObjectTooLarge) as error:
            self.damaged[job] = str(error)
        except (ValueError, TypeError) as error:
            said = f"A record of the job {job} holds what no record can hold ({error})"
            self.damaged[job] = f"{said}: it was changed by hand. Put it back."


@dataclass
class Progress:
    """How far a rebuild has come: `after` is the last of the jobs that are done, in byte order.

    `before` of them were done by a run that was interrupted, at the time `at`. `indexed`: how many
    jobs the index holds, and so about how many there are; None until it is listed.
    """

    done: Rebuilt = field(default_factory=Rebuilt)
    after: str = ""
    at: str = ""
    before: int = 0
    indexed: int | None = None


@dataclass
class Place:
    """The object that remembers the progress. Every method may raise StoreError."""

    store: ObjectStore
    clock: Clock

    def load(self) -> Progress:
        """Where an interrupted rebuild stopped, if that was today; else the beginning."""
        try:
            said = json.loads(self.store.read(layout.REBUILD, PLACE_BYTES).body)
            found = _progress(said)
        except (ObjectMissing, ObjectTooLarge, ValueError, TypeError, KeyError, AttributeError):
            return Progress()
        fresh = abs(self.clock.now() - from_iso(found.at)) < KEPT_FOR
        return found if fresh and layout.is_job_id(found.after) else Progress()

    def save(self, progress: Progress) -> None:
        at = iso(self.clock.now())
        document = {"after": progress.after, "at": at, "done": asdict(progress.done)}
        self.store.put(layout.REBUILD, json.dumps(document, ensure_ascii=False).encode())

    def forget(self) -> Progress:
        """Begin again next time; the beginning."""
        self.store.delete(layout.REBUILD)
        return Progress()


def _progress(said: Mapping[str, Any]) -> Progress:
    """Raises TypeError, KeyError, ValueError, AttributeError for what was changed by hand."""
    counts = {name: int(said["done"][name]) for name in Rebuilt().counts}
    damaged = {str(job): str(why) for job, why in said["done"]["damaged"].items()}
    from_iso(said["at"])
    done = Rebuilt(**counts, damaged=damaged)
    return Progress(done, str(said["after"]), said["at"], before=done.jobs)
