"""Whose a task of the service is.

The service's list of tasks shows all tasks of the account, other programs' too, and nothing that
tells whose they are (task management page). So each attempt that has a task leaves its name under
the task's id before its slot is freed, and an attempt that is given up without an answer leaves
a doubt, because its task may exist. Both matter as long as the list shows a task: 24 hours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.ledger.slots import Slot, newer_attempt
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

CLAIM_BYTES = 4096


@dataclass
class TaskClaims:
    """The claims of all tasks. Every method may raise StoreError."""

    store: ObjectStore

    def claim(self, task_id: str, slot: Slot) -> bool:
        """Name the attempt a task belongs to; False if the task is another attempt's."""
        key, mine = layout.task(task_id), {"job": slot.job, "seq": slot.seq}
        if self.store.create(key, json.dumps(mine).encode()).created:
            return True
        return self.owner(task_id) == (slot.job, slot.seq)

    def owner(self, task_id: str) -> tuple[str, int] | None:
        """The job that a task belongs to, and the first record of its attempt; None if no job has
        claimed it."""
        said = self._read(layout.task(task_id))
        if said is None:
            return None
        job, seq = said.get("job"), said.get("seq")
        return (job, seq) if isinstance(job, str) and isinstance(seq, int) else ("", 0)

    def doubt(self, slot: Slot) -> None:
        """Remember an attempt that is given up although its task may exist."""
        key = layout.doubt(slot.api_key, slot.model, slot.job, slot.seq, slot.mark)
        self.store.create(key, b"")

    def doubts(self, model: str, since: float) -> list[Slot]:
        """The attempts of a model that were given up after `since` (store's clock).

        Raises ObjectNewer if one of them was given up by a newer release, and cannot be read.
        """
        given_up = []
        for entry in self.store.list(layout.DOUBTS):
            if entry.modified < since:
                continue
            if layout.is_of_newer(entry.key, layout.DOUBTS):
                raise newer_attempt(entry.key)
            if layout.is_ours(entry.key, layout.DOUBTS):
                given_up.append(Slot(*layout.parse_doubt(entry.key)))
        return [slot for slot in given_up if slot.model == model]

    def _read(self, key: str) -> dict[str, Any] | None:
        """What an object says; {} if it cannot be read, None if it is not there."""
        try:
            said = json.loads(self.store.read(key, CLAIM_BYTES).body)
        except ObjectMissing:
            return None
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}
