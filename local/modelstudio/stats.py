"""What an observer wants to know of a run: counts and peaks, for each model."""

from __future__ import annotations

from collections import Counter
from typing import Any

from local.modelstudio.limits import SlidingSecond
from local.modelstudio.tasks import RUNNING, Task


class ModelStats:
    """One model's counts since the server started."""

    def __init__(self) -> None:
        self.creates_received = 0
        self.refused: Counter[str] = Counter()
        self.queries = 0
        self.images = 0
        self.accepted = SlidingSecond()
        self._tasks: list[Task] = []
        self._live: set[str] = set()
        self._peak_live = 0
        self._peak_running = 0

    def made(self, task: Task, now: float) -> None:
        """A task was made (`now` monotonic)."""
        self.accepted.add(now)
        self._tasks.append(task)
        self._live.add(task.task_id)
        self._peak_live = max(self._peak_live, len(self._live))

    def started(self, running: int) -> None:
        """A task began to run; `running` counts it."""
        self._peak_running = max(self._peak_running, running)

    def ended(self, task: Task) -> None:
        """A task is over, in whatever way; its good images are billed."""
        self._live.discard(task.task_id)
        self.images += task.good

    @property
    def in_flight(self) -> int:
        """Tasks PENDING or RUNNING."""
        return len(self._live)

    def report(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "creates_received": self.creates_received,
            "creates_refused": dict(self.refused),
            "tasks_made": len(self._tasks),
            "tasks_by_status": dict(Counter(task.status for task in self._tasks)),
            "images": self.images,
            "queries": self.queries,
            "in_flight": self.in_flight,
            "running": sum(task.status == RUNNING for task in self._tasks),
            "max_submissions_in_a_second": self.accepted.peak,
            "max_in_flight": self._peak_live,
            "max_running": self._peak_running,
        }
