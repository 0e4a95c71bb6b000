"""Mistakes about calls: made twice, given up too early, not written down, sent too late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.jobs.accept import Acceptance
from shared.jobs.calls import CallAttempts
from shared.jobs.reconcile import Reconciliation
from shared.ledger import permits
from shared.ledger.open_calls import OpenCalls
from shared.ledger.permits import Permits
from shared.ledger.record import Record
from shared.poller.follower import Follower
from shared.poller.poller import Poller
from tests.simulation.mutating import Change, named, rewritten

RECORDED = "self.ledger.records.append(draft) or self._met(draft)"


def answer_not_recorded() -> list[Change]:
    return [rewritten(CallAttempts, "_answered", RECORDED, "draft")]


def answer_fetched_first() -> list[Change]:
    """The images are stored, and only then it is written down where they are."""
    right = CallAttempts._answered

    def wrong(
        self: CallAttempts, sent: Record, answer: Mapping[str, Any], took: float
    ) -> Record | None:
        for item in answer["output"]["results"]:
            if "url" in item:
                self.calls.model_studio.session.get(item["url"])
        return right(self, sent, answer, took)

    return [(CallAttempts, "_answered", wrong)]


def answer_left_out() -> list[Change]:
    return [rewritten(CallAttempts, "_answered", "answer=answer,", "")]


def lost_call_repeated() -> list[Change]:
    old = "spec is None or spec.on_unknown != RESEND or model is None"
    return [rewritten(CallAttempts, "_may_repeat", old, "spec is None or model is None")]


def call_repeated_without_end() -> list[Change]:
    return [(CallAttempts, "_may_repeat", lambda _self, _last, _spec, _images: True)]


def call_looked_up() -> list[Change]:
    return [rewritten(Reconciliation, "resolve", "if last.call:", "if False:")]


def answer_written_once() -> list[Change]:
    """Where the store does not take the answer at once, it is lost."""
    return [(CallAttempts, "insist", lambda _self, act, _seconds=0.0: act())]


def drained_without_a_sign() -> list[Change]:
    return [(Poller, "_says_calls_are_open", lambda _self: True)]


def sign_never_renewed() -> list[Change]:
    old = "self.epoch == epoch and now - self._written < self.timing.renew_after"
    return [rewritten(OpenCalls, "announce", old, "self.epoch == epoch")]


def open_call_given_up() -> list[Change]:
    return [(OpenCalls, "may_be_answered", lambda _self, _epoch: False)]


def call_sent_too_late() -> list[Change]:
    return [(CallAttempts, "have_time", lambda _self: True)]


def call_sent_by_submit() -> list[Change]:
    old = "and not (model is not None and model.mode == SYNC)"
    return [rewritten(Acceptance, "_may_go", old, "")]


def permit_back_when_written() -> list[Change]:
    old = "permit.limits.per_seconds + ON_ITS_WAY"
    return [rewritten(Permits, "written", old, "0.0")]


def way_forgotten() -> list[Change]:
    return [(permits, "ON_ITS_WAY", 0.0)]


def slot_of_answered_call_freed() -> list[Change]:
    old = "self.ledger.queue.remove(sent)"
    new = f"{old}; self.ledger.slots.free(made.slot)"
    return [rewritten(CallAttempts, "_answered", old, new)]


def answer_fetched_by_its_poller_alone() -> list[Change]:
    """A call whose images could not be fetched at once is asked for like a task."""
    old = "if inflight.last.answer is not None:"
    return [rewritten(Follower, "_ask", old, "if False:")]


CALLS = named(
    ("the answer to a call is not recorded", answer_not_recorded),
    ("images of a call are fetched before its answer is recorded", answer_fetched_first),
    ("the record of an answer lacks the answer", answer_left_out),
    ("a call whose answer was lost is sent again, unasked", lost_call_repeated),
    ("a call is sent again without end", call_repeated_without_end),
    ("a call is looked up in the list of tasks", call_looked_up),
    ("an answer is written only once", answer_written_once),
    ("a poller that drains gives no sign of life", drained_without_a_sign),
    ("the sign of life is not renewed", sign_never_renewed),
    ("calls of a poller that drains are given up", open_call_given_up),
    ("a call is sent shortly before the end", call_sent_too_late),
    ("submit calls", call_sent_by_submit),
    ("the permit of a call is back once it is written", permit_back_when_written),
    ("a call arrives when it is written", way_forgotten),
    ("the slot of an answered call is free", slot_of_answered_call_freed),
    ("an answered call is asked for like a task", answer_fetched_by_its_poller_alone),
)
