"""What an observer wants to know of a run: counts and peaks, for each model."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from local.modelstudio.limits import SlidingWindow
from local.modelstudio.money import amount
from local.modelstudio.tasks import RUNNING, Task


class ModelStats:
    """One model's counts since the server started."""

    def __init__(self) -> None:
        self.creates_received = 0
        self.refused: Counter[str] = Counter()
        self.queries = 0
        self.images = 0
        self.billed = Decimal(0)
        self.accepted = SlidingWindow()
        self._tasks: list[Task] = []
        self._live: dict[str, Task] = {}
        self._peak_live = 0
        self._peak_running = 0

    def made(self, task: Task, now: float) -> None:
        """A task was made, or a call begun (`now` monotonic)."""
        self.accepted.add(now)
        self._tasks.append(task)
        self._live[task.task_id] = task
        self._peak_live = max(self._peak_live, len(self._live))

    def started(self, running: int) -> None:
        """A task began to run; `running` counts it."""
        self._peak_running = max(self._peak_running, running)

    def ended(self, task: Task) -> None:
        """A task is over, in whatever way; its good images are billed."""
        self._live.pop(task.task_id, None)
        self.images += task.good
        self.billed += task.billed

    @property
    def in_flight(self) -> int:
        """Tasks PENDING or RUNNING; calls have no lane."""
        return sum(not task.is_call for task in self._live.values())

    def report(self) -> dict[str, Any]:
        """All of it as JSON."""
        tasks = [task for task in self._tasks if not task.is_call]
        calls = [task for task in self._tasks if task.is_call]
        return {
            "creates_received": self.creates_received,
            "creates_refused": dict(self.refused),
            "tasks_made": len(tasks),
            "tasks_by_status": dict(Counter(task.status for task in tasks)),
            "calls_made": len(calls),
            "calls_by_status": dict(Counter(task.status for task in calls)),
            "images": self.images,
            "billed": amount(self.billed),
            "queries": self.queries,
            "in_flight": len(self._live),
            "running": sum(task.status == RUNNING for task in tasks),
            "max_submissions_in_a_second": self.accepted.peak,
            "max_in_flight": self._peak_live,
            "max_running": self._peak_running,
        }
