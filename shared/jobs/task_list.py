"""The account's tasks as the service lists them, asked so that the answer can be believed.

No document says in which zone the list reads its times (task management page). So the zone is
proved once, with a task whose time the list itself shows in milliseconds since 1970, and
remembered. Until then the list is asked without times, which shows the last 24 hours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from shared.modelstudio.client import ListedTask, ListTooLong, ListWindow, ModelStudio
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

ZONES = (8, 0)
"""Hours ahead of UTC: times in answers are UTC+8 (wan2.5 API reference); UTC is the other guess."""
NOTE_BYTES = 4096


@dataclass
class TaskList:
    """The list. `store` keeps what was learned of it, which is advice and can be lost."""

    store: ObjectStore
    model_studio: ModelStudio
    _zone: int | None = field(default=None, init=False)

    def between(self, model: str, start: float, end: float) -> list[ListedTask]:
        """The tasks of a model that were made between two times, and maybe others.

        Raises ListTooLong where the zone is not proved and a day's tasks do not fit, ServiceError
        when the service cannot be asked, StoreError.
        """
        if self._zone is None:
            self._zone = self._remembered()
        if self._zone is None:
            try:
                found = self.model_studio.listed(model)
            except ListTooLong as error:
                self._prove(model, error.seen)
                if self._zone is None:
                    raise
            else:
                self._prove(model, found)
                return found
        return self.model_studio.listed(model, ListWindow(start, end, self._zone))

    def _prove(self, model: str, seen: list[ListedTask]) -> None:
        for task in seen[:1]:
            self._zone = zone_of(self.model_studio, model, task)
            if self._zone is not None:
                note = {"utc_offset_hours": self._zone, "proved_with": task.task_id}
                self.store.put(layout.TASK_LIST, json.dumps(note).encode())

    def _remembered(self) -> int | None:
        try:
            note = json.loads(self.store.read(layout.TASK_LIST, NOTE_BYTES).body)
            zone = note["utc_offset_hours"]
        except (ObjectMissing, ValueError, KeyError, TypeError):
            return None
        return zone if zone in ZONES else None


def zone_of(model_studio: ModelStudio, model: str, task: ListedTask) -> int | None:
    """The zone in which the list reads times, in hours ahead of UTC; None if it is none of ZONES.

    Asks for the second in which a listed task was made, in each zone: one answer shows it. Raises
    ServiceError.
    """
    for zone in ZONES:
        window = ListWindow(task.created - 1, task.created + 1, zone)
        shown = model_studio.listed(model, window)
        if any(one.task_id == task.task_id for one in shown):
            return zone
    return None
