"""Mistakes about the queue: order, pauses, expiry, markers."""

from __future__ import annotations

from collections.abc import Callable

from shared.jobs.intake import Intake
from shared.jobs.submit import Submission
from shared.jobs.transitions import Transitions
from shared.ledger import breaker
from shared.ledger.breaker import Breakers
from shared.ledger.queue import Queue
from shared.ledger.wake import Wake
from shared.poller.scheduler import Scheduler
from tests.simulation.mutating import Change, named, rewritten

_LONGER = "max(own.paused_for(now), key.paused_for(now))"


def priority_ignored() -> list[Change]:
    return [rewritten(Intake, "_draft", "priority=spec.priority", "priority=5")]


def last_in_first_out() -> list[Change]:
    head: Callable[[Queue, str, int], list[str]] = Queue.head
    heads: Callable[[Queue, int], dict[str, list[str]]] = Queue.heads
    return [
        (Queue, "head", lambda self, model, _limit: head(self, model, 1000)[::-1]),
        (
            Queue,
            "heads",
            lambda self, each: {name: mine[::-1] for name, mine in heads(self, each).items()},
        ),
    ]


def place_lost() -> list[Change]:
    wrong = "queued_ms=int(self.ledger.clock.now() * 1000)"
    return [rewritten(Transitions, "requeue", "queued_ms=place", wrong)]


def own_pause_ignored() -> list[Change]:
    old = "if last.not_before else 0.0"
    return [rewritten(Submission, "_pause", old, "if False else 0.0")]


def pause_of_model_ignored() -> list[Change]:
    return [rewritten(Breakers, "paused_for", _LONGER, "key.paused_for(now)")]


def pause_of_key_ignored() -> list[Change]:
    return [rewritten(Breakers, "paused_for", _LONGER, "own.paused_for(now)")]


def throttled_pause_too_short() -> list[Change]:
    return [(breaker, "FIRST_PAUSE", 0.001)]


def blocked_pause_too_short() -> list[Change]:
    return [(breaker, "BLOCKED_PAUSE", 5.0)]


def pause_not_written() -> list[Change]:
    return [
        rewritten(Breakers, "pause", "replace(pause, doubted=doubted)", "replace(pause, until=now)")
    ]


def one_model_stops_all() -> list[Change]:
    return [rewritten(Breakers, "refused", "KEY if about_key else model", "KEY")]


def breaker_never_closes() -> list[Change]:
    return [(Breakers, "accepted", lambda _self, _model: None)]


def expired_at_once() -> list[Change]:
    old = "until is None or self.ledger.clock.now() < from_iso(until)"
    return [rewritten(Submission, "expire", old, "until is None")]


def never_expired() -> list[Change]:
    return [(Submission, "expire", lambda _self, _last: None)]


def expired_late() -> list[Change]:
    old = "self.ledger.clock.now() < from_iso(until)"
    return [rewritten(Submission, "expire", old, f"{old} + 600")]


def reminder_not_written() -> list[Change]:
    return [rewritten(Queue, "_add", "if record.expires_at:", "if False:")]


def reminders_not_looked_at() -> list[Change]:
    return [(Scheduler, "end_expired", lambda _self: None)]


def marker_not_written() -> list[Change]:
    written = rewritten(Transitions, "begin", "partial(ledger.queue.add, made)", "bool")
    return [written, (Queue, "promise", lambda _self, _draft: None)]


def marker_not_written_again() -> list[Change]:
    return [rewritten(Transitions, "_leave", "self.ledger.queue.add(last)", "pass")]


def nobody_is_woken() -> list[Change]:
    return [(Wake, "because", lambda _self, _kind: None)]


QUEUE = named(
    ("priority is ignored", priority_ignored),
    ("last in, first out", last_in_first_out),
    ("a job that goes back into the queue loses its place", place_lost),
    ("a job is tried again at once", own_pause_ignored),
    ("the pause of a model is ignored", pause_of_model_ignored),
    ("the pause of the key is ignored", pause_of_key_ignored),
    ("a throttled model is asked again at once", throttled_pause_too_short),
    ("a blocked model or key is asked every few seconds", blocked_pause_too_short),
    ("a pause ends as it begins", pause_not_written),
    ("a model that is blocked stops all models", one_model_stops_all),
    ("a breaker never closes", breaker_never_closes),
    ("jobs expire at once", expired_at_once),
    ("jobs never expire", never_expired),
    ("jobs expire ten minutes late", expired_late),
    ("nobody is reminded of a job that expires", reminder_not_written),
    ("reminders are not looked at", reminders_not_looked_at),
    ("an accepted job gets no marker", marker_not_written),
    ("a job that goes back gets no marker", marker_not_written_again),
    ("a job is accepted and nobody is woken", nobody_is_woken),
)
