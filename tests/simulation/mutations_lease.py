"""Mistakes about the lease, permits, slots and task claims."""

from __future__ import annotations

from typing import Any

from shared.jobs.reconcile import Reconciliation
from shared.jobs.submit import Submission
from shared.ledger.lease import Lease
from shared.ledger.permits import Permit, Permits
from shared.ledger.task_claims import TaskClaims
from shared.poller.in_flight import InFlightTasks
from shared.poller.poller import Poller
from tests.simulation.mutating import Change, named, rewritten


def permit_not_awaited() -> list[Change]:
    return [(Permits, "_wait", lambda _self, _model, _limits, _ahead: 0.0)]


def permit_back_when_sent() -> list[Change]:
    back = "permit.back_at = self.clock.monotonic() + permit.limits.per_seconds"
    return [rewritten(Permits, "spend", "line.pop(0)", f"line.pop(0); {back}")]


def line_not_kept() -> list[Change]:
    """Any of the threads that wait for a permit takes it."""

    def spend(self: Permits, permit: Permit) -> bool:
        if self._wait(permit.model, permit.limits, 0) > 0:
            return False
        self._line[permit.model].remove(permit)
        self._spent.setdefault(permit.model, []).append(permit)
        return True

    def turn(self: Permits, permit: Permit) -> tuple[float, bool]:
        return self._wait(permit.model, permit.limits, 0), True

    return [(Permits, "spend", spend), (Permits, "turn", turn)]


def sending_takes_no_room() -> list[Change]:
    old = " + len(self._sending(model).difference(held))"
    return [rewritten(InFlightTasks, "_flying", old, "")]


def sent_is_taken_for_unsent() -> list[Change]:
    return [rewritten(Submission, "_send", "self._unsent.discard(attempt.slot)", "pass")]


def works_not_finished() -> list[Change]:
    """A poller hands over while its threads go on."""
    old = "self.workers.busy(*BEFORE_RELEASE) or self.scheduler.sender.is_writing()"
    return [
        rewritten(Poller, "_hand_over", old, "False"),
        (Poller, "_drain", lambda _self: None),
    ]


def permits_not_handed_over() -> list[Change]:
    return [(Permits, "restore", lambda _self, _state, _request, _ago=0.0: None)]


def lease_taken_early() -> list[Change]:
    early = "dead = kind == POLLER and newest.age > 5"
    return [
        rewritten(
            Lease, "_take", "dead = kind == POLLER and newest.age > self.timing.dead_after", early
        )
    ]


def lease_of_two() -> list[Change]:
    """A lease that somebody else took is held all the same."""
    return [rewritten(Lease, "_take", ".created:", ".at < 0:")]


def successor_not_seen() -> list[Change]:
    seen = "[one.key for one in self._listed(1)] != [key]"
    return [rewritten(Lease, "renew", seen, "False"), (Lease, "may_send", lambda self: True)]


def slots_not_counted() -> list[Change]:
    room = InFlightTasks.room

    def roomy(self: InFlightTasks, model: Any) -> int:
        return max(1, room(self, model))

    return [(InFlightTasks, "room", roomy)]


def late_submitter_sends() -> list[Change]:
    return [
        (Submission, "_is_fresh", lambda _self, _began: True),
        (Lease, "may_send", lambda _self: True),
    ]


def known_task_adopted() -> list[Change]:
    ours = "if task.task_id not in ours"
    return [
        rewritten(Reconciliation, "_evidence", ours, "if True"),
        (TaskClaims, "owner", lambda _self, _task: None),
        (TaskClaims, "claim", lambda _self, _task, _slot: True),
    ]


LEASE = named(
    ("a submission does not wait for its permit", permit_not_awaited),
    ("a permit returns before the answer", permit_back_when_sent),
    ("threads do not keep their place in line", line_not_kept),
    ("a job that is being sent takes no room", sending_takes_no_room),
    ("an attempt that was sent is withdrawn", sent_is_taken_for_unsent),
    ("a poller hands over while its threads go on", works_not_finished),
    ("permits are not handed over with the lease", permits_not_handed_over),
    ("a lease is taken from a holder that lives", lease_taken_early),
    ("a lease that somebody else took is held", lease_of_two),
    ("a holder does not look for its successor", successor_not_seen),
    ("a job is submitted without room", slots_not_counted),
    ("a submitter that was given up sends all the same", late_submitter_sends),
    ("a task that another job is known to own is adopted", known_task_adopted),
)
