"""Which task of the service's list belongs to which attempt of unknown outcome.

The list shows model, time and id of a task, nothing that the caller sent (task management page).
But every submission follows its record at once, and the store dates the record; so the time tells
attempts apart, unless two of them are both in doubt and close together. Other programs may use the
same account: a task that was made at another time is theirs, and one that cannot be told from an
attempt's own is put before a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from shared.modelstudio.client import ListedTask

EARLY = 1.0
"""Seconds by which the service's clock may be behind the store's."""
LATE = 4.0
"""Seconds after its record within which a submission is dated by the service, as a rule: a second
of the store's clock, the time until it is sent, and its way."""
SKEW = 5.0
"""Seconds by which the two clocks may differ at all."""
APART = LATE - 1.0
"""Seconds between the records of two submissions that cannot overtake each other: the later one's
way may be short, while the other waits to be sent and is long on its way."""


@dataclass(frozen=True)
class Sent:
    """When an attempt was sent: by the store's clock in seconds since 1970, and by the sender's
    own, which is finer: the epoch of its lease, and seconds since 1970."""

    at: float
    epoch: int
    own: float


@dataclass(frozen=True)
class Evidence:
    """What is known when an attempt is judged.

    `mine` and `others`: when this attempt and the others in doubt were sent; `tasks` are those of
    no job of ours. A submission may take `patience` seconds. `witnessed`: the list shows a task of
    ours that was made later than this attempt's can be, so it is not behind. `certain`: the task
    that this attempt has claimed already, or tasks that show its own prompt. `incomplete`: a task
    of ours that the list must show by now is not in it.
    """

    mine: Sent
    others: tuple[Sent, ...]
    tasks: tuple[ListedTask, ...]
    patience: float
    witnessed: bool = False
    certain: tuple[ListedTask, ...] = ()
    incomplete: bool = False

    def verdict(self) -> ListedTask | None:
        """The task of this attempt, if exactly one can be it."""
        if len(self.certain) == 1:
            return self.certain[0]
        if self._strange():
            return None  # another program uses the account
        own = [task for task in self._at(self.mine) if fits(self.mine, task)]
        if not self.others:
            return own[0] if own and len(self._at(self.mine)) == 1 else None
        if len(own) == 1 and not any(fits(other, own[0]) for other in self.others):
            return own[0] if self._is_alone(own[0]) else None
        return self._by_order()

    def possible(self) -> list[ListedTask]:
        """The tasks that may be this attempt's."""
        return [
            task
            for task in self._at(self.mine)
            if fits(self.mine, task) or not any(fits(other, task) for other in self.others)
        ]

    def judged(self, mine: set[str], not_mine: set[str]) -> Evidence:
        """The evidence after the prompts of some tasks were compared, by their ids."""
        tasks = tuple(task for task in self.tasks if task.task_id not in not_mine)
        return replace(
            self, tasks=tasks, certain=tuple(task for task in tasks if task.task_id in mine)
        )

    def _strange(self) -> list[ListedTask]:
        """The tasks that no attempt in doubt can have made: they are another program's."""
        attempts = (self.mine, *self.others)
        return [task for task in self.tasks if not any(task in self._at(one) for one in attempts)]

    def _at(self, sent: Sent) -> list[ListedTask]:
        """The tasks that a submission sent then can have made at all."""
        first, last = sent.at - SKEW, sent.at + self.patience + LATE
        return [task for task in self.tasks if first <= task.created <= last]

    def _is_alone(self, own: ListedTask) -> bool:
        """Whether every other task that could be this attempt's fits one of the others."""
        rest = [task for task in self._at(self.mine) if task != own]
        return all(any(fits(other, task) for other in self.others) for task in rest)

    def _by_order(self) -> ListedTask | None:
        """As many tasks as attempts, each at its attempt's time: they follow each other."""
        attempts = sorted((self.mine, *self.others), key=lambda sent: (sent.epoch, sent.own))
        near = {task.task_id: task for sent in attempts for task in self._at(sent)}
        tasks = sorted(near.values(), key=lambda task: task.created)
        if len(attempts) != len(tasks) or not _apart(attempts):
            return None
        if not all(fits(sent, task) for sent, task in zip(attempts, tasks, strict=True)):
            return None
        return tasks[attempts.index(self.mine)]


def fits(sent: Sent, task: ListedTask) -> bool:
    """Whether a task was made when a submission sent then arrives."""
    return sent.at - EARLY <= task.created <= sent.at + LATE


def _apart(attempts: list[Sent]) -> bool:
    """Whether none can have overtaken the one before it."""
    return all(
        two.epoch > one.epoch or two.own - one.own >= APART for one, two in pairwise(attempts)
    )
