"""Asynchronous events on disk: a file each, written before the sender hears that it was taken."""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

LOG = logging.getLogger("local.runtime")


@dataclass
class QueuedEvent:
    """An event on its way to a function; times in seconds since 1970."""

    function: str
    """The function's full name."""
    payload: str
    trigger: str = ""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    queued_at: float = field(default_factory=time.time)
    next_try_at: float = 0.0
    tries: int = 0
    """How often the handler was run and failed."""


class EventFolder:
    """The files of a folder; a name sorts by the time the event was queued."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, event: QueuedEvent) -> None:
        """Durable on return: written aside, synced, renamed, and the folder synced."""
        path = self._path(event)
        aside = path.with_suffix(".part")
        with aside.open("w", encoding="utf-8") as file:
            json.dump(asdict(event), file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        self._sync()

    def remove(self, event: QueuedEvent) -> None:
        self._path(event).unlink(missing_ok=True)

    def load(self) -> list[QueuedEvent]:
        """Every event left, oldest first; a file that holds none is named and passed over."""
        events = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                events.append(QueuedEvent(**json.loads(path.read_text(encoding="utf-8"))))
            except (ValueError, TypeError):
                LOG.warning("%s holds no queued event; look at it and delete it", path)
        return events

    def _path(self, event: QueuedEvent) -> Path:
        return self._folder / f"{event.queued_at:017.6f}-{event.request_id}.json"

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
