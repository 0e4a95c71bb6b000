"""Steps of a round: what goes wrong with one of them delays that one alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared.ledger.lease import Lease
from shared.ledger.slots import Slot
from shared.modelstudio.client import ServiceError
from shared.platform.logs import about
from shared.poller.schedule import Schedule
from shared.storage.objects import ObjectDamaged, ObjectForbidden, StoreError

PASSING = 5.0
TROUBLE = 300.0
"""The longest pauses of a task that fails: for trouble that passes, and for what stays wrong."""

log = logging.getLogger(__name__)

Step = Callable[[], None]
R = TypeVar("R")


class NotBegun(Exception):
    """A work whose turn came when nothing was to be begun any more. Nothing is wrong with it."""


@dataclass
class Guard:
    """Does steps while the lease is held, and notes in the schedule what is in trouble."""

    lease: Lease
    schedule: Schedule

    def may_begin(self) -> bool:
        """Whether something new may be done. Renews the lease when it is time, so that a slow step
        is not taken for a dead poller. Raises StoreError."""
        return not self.schedule.closing and self.lease.renew()

    def unless_closing(self, work: Callable[[], R]) -> R:
        """What a work returns that waited for its turn. Raises what it raises, and NotBegun."""
        if self.schedule.closing:
            raise NotBegun
        return work()

    def part(self, what: str, step: Step) -> None:
        """A part of a round, which needs the lease."""

        def with_the_lease() -> None:
            if self.lease.renew():
                step()

        self.outcome(what, with_the_lease)

    def outcome(self, what: str, step: Step) -> None:
        """What something led to, which is noted in any case. After a failure something is left to
        do: the next round finds out."""
        try:
            step()
        except (ServiceError, StoreError) as error:
            self.schedule.look_again()
            log.warning("%s: %s", what, error, extra=about("round.trouble", step=what))
        except Exception:
            self.schedule.look_again()
            log.exception(
                "%s: unexpected trouble; the others go on",
                what,
                extra=about("round.failed", step=what),
            )

    def task(self, slot: Slot, step: Step) -> None:
        """A step of one task: what is wrong with it delays this task alone, longer each time, until
        `succeeded`."""
        self.apart(slot.key, slot.job, step)

    def apart(self, key: str, job: str, step: Step) -> None:
        """A step of one thing of a job, likewise."""
        trouble = self.schedule.trouble
        try:
            step()
        except NotBegun:
            pass
        except (ObjectDamaged, ObjectForbidden) as error:
            _say_trouble(job, error, trouble.failed(key, TROUBLE))
        except (ServiceError, StoreError) as error:
            _say_trouble(job, error, trouble.failed(key, PASSING))
        except Exception:
            trouble.failed(key, TROUBLE)
            log.exception(
                "job %s: unexpected trouble; the others go on",
                job,
                extra=about("round.failed", step=job),
            )

    def succeeded(self, slot: Slot) -> None:
        """Everything that was to be done for a task has been done."""
        self.schedule.trouble.succeeded(slot.key)

    def job(self, job: str, step: Step) -> None:
        """A step of a queued job; one that cannot be read delays itself alone."""
        trouble = self.schedule.trouble
        try:
            step()
        except (ObjectDamaged, ObjectForbidden) as error:
            _say_trouble(job, error, trouble.failed(job))
        else:
            trouble.succeeded(job)


def _say_trouble(job: str, error: Exception, wait: float) -> None:
    extra = about("round.trouble", step=job)
    log.warning("job %s is left alone for %.0f s: %s", job, wait, error, extra=extra)
