"""Which task of the service's list belongs to which attempt of unknown outcome.

The list shows model, time and id of a task, nothing that the caller sent (task management page).
But every submission holds a ticket that the store dated, and is sent within a second of it; so
the time tells attempts apart, unless two of them are both in doubt and close together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.modelstudio.client import ListedTask

EARLY = 1.0
"""Seconds by which the service's clock may be behind the store's."""
LATE = 3.0
"""Seconds after its ticket within which a submission is dated by the service, as a rule."""


@dataclass(frozen=True)
class Evidence:
    """What is known when an attempt is judged.

    `mine` and `others` are the ticket times of this attempt and of the others in doubt, in
    seconds since 1970 by the store's clock; `tasks` are those that no job of ours is known to own.
    """

    mine: float
    others: tuple[float, ...]
    tasks: tuple[ListedTask, ...]

    def verdict(self) -> ListedTask | None:
        """The task of this attempt, if exactly one can be it."""
        if not self.others:
            return self.tasks[0] if len(self.tasks) == 1 else None
        own = [task for task in self.tasks if fits(self.mine, task)]
        if len(own) == 1 and not any(fits(other, own[0]) for other in self.others):
            return own[0]
        return self._by_order()

    def possible(self) -> list[ListedTask]:
        """The tasks that may be this attempt's: without others in doubt, all of them."""
        if not self.others:
            return list(self.tasks)
        return [
            task
            for task in self.tasks
            if fits(self.mine, task) or not any(fits(other, task) for other in self.others)
        ]

    def _by_order(self) -> ListedTask | None:
        """As many tasks as attempts, each at its attempt's time: they follow each other."""
        tickets = sorted((self.mine, *self.others))
        tasks = sorted(self.tasks, key=lambda task: task.created)
        distinct = len(set(tickets)) == len(tickets)
        if not distinct or len(tickets) != len(tasks) or not _all_fit(tickets, tasks):
            return None
        return tasks[tickets.index(self.mine)]


def fits(ticket: float, task: ListedTask) -> bool:
    """Whether a task was made when a submission with this ticket arrives."""
    return ticket - EARLY <= task.created <= ticket + LATE


def _all_fit(tickets: Sequence[float], tasks: Sequence[ListedTask]) -> bool:
    return all(fits(ticket, task) for ticket, task in zip(tickets, tasks, strict=True))
