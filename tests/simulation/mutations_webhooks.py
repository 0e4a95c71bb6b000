"""Mistakes about who is told of what: an entry too late or gone too early, another id, given up."""

from __future__ import annotations

from itertools import count
from typing import Any

from shared.catalogue.retry_policy import DeliveryPolicy
from shared.jobs import deliveries, webhook_event
from shared.jobs.deliveries import Deliveries
from shared.jobs.intake import Intake
from shared.jobs.transitions import Transitions
from shared.jobs.webhook_event import Event
from shared.ledger.outbox import EVENT_OF, Entry, Outbox
from shared.ledger.record import CANCELED, EXPIRED, FAILED, Record
from shared.poller.poller import Poller
from shared.webhooks.delivery import Answer, Sender
from tests.simulation.mutating import Change, named, rewritten


def entry_after_marker() -> list[Change]:
    told, written = "    tell(ended)", "    self.restore_manifest(ended)"
    complete = rewritten(Transitions, "complete", told, written)[2]
    leave = rewritten(Transitions, "_leave", "self.tell_all(", "self.restore_manifest(")[2]

    def completing(self: Transitions, ended: Record, **how: Any) -> None:
        complete(self, ended, **how)
        self.tell(ended)

    def leaving(self: Transitions, slot: Any, last: Record, *rest: Any) -> None:
        leave(self, slot, last, *rest)
        self.tell(last)

    return [(Transitions, "complete", completing), (Transitions, "_leave", leaving)]


def entry_before_answer() -> list[Change]:
    tell = Deliveries.tell

    def hasty(self: Deliveries, entry: Entry) -> Entry | None:
        self.ledger.outbox.drop(entry)
        return tell(self, entry)

    return [(Deliveries, "tell", hasty)]


def entry_before_its_try() -> list[Change]:
    settle = Outbox.settle

    def hasty(self: Outbox, entry: Entry, made: Any) -> Any:
        self.drop(entry)
        return settle(self, entry, made)

    return [(Outbox, "settle", hasty)]


def new_id_for_each_try() -> list[Change]:
    numbers = count()
    return [(Event, "id", property(lambda _self: f"msg_{next(numbers)}"))]


def one_id_for_a_job() -> list[Change]:
    return [(Event, "id", property(lambda self: f"msg_{self.record.job}"))]


def told_of_the_last_record() -> list[Change]:
    exactly = "self.ledger.records.get(entry.job, entry.seq)"
    return [rewritten(Deliveries, "tell", exactly, "self.ledger.records.last(entry.job)")]


def another_end_is_told() -> list[Change]:
    table = EVENT_OF | {FAILED: EVENT_OF[CANCELED], EXPIRED: EVENT_OF[CANCELED]}  # type: ignore[operator]
    return [(webhook_event, "EVENT_OF", table)]


def given_up_early() -> list[Change]:
    return [rewritten(DeliveryPolicy, "next", "place >= len(self.after)", "place >= 2")]


def any_answer_will_do() -> list[Change]:
    return [(Answer, "is_good", property(lambda self: self.status is not None))]


def no_answer_will_do() -> list[Change]:
    return [(Answer, "is_good", property(lambda self: self.status in (None, 204)))]


def next_try_forgotten() -> list[Change]:
    return [rewritten(Outbox, "settle", 'self.store.create(following.key, b"")', "pass")]


def next_try_at_once() -> list[Change]:
    return [rewritten(DeliveryPolicy, "next", "now + self.after[place]", "now")]


def rejections_are_silent() -> list[Change]:
    return [
        rewritten(Intake, "_reject", "self.transitions.tell(", "self.transitions.restore_manifest(")
    ]


def rebuilt_without_outbox() -> list[Change]:
    return [(Outbox, "restore", lambda _self, _chain: 0)]


def rests_over_the_outbox() -> list[Change]:
    return [rewritten(Poller, "_rested", " and not self.courier.left", "")]


def rests_with_tries_left() -> list[Change]:
    names = ("_nothing_left", "_rested")
    return [rewritten(Poller, name, " and not self.courier.left", "") for name in names]


def redirects_followed() -> list[Change]:
    return [
        rewritten(Sender, "send", "allow_redirects=False", "allow_redirects=True"),
    ]


def signed_without_time() -> list[Change]:
    return [rewritten(deliveries, "signed", 'f"{message}.{at}."', 'f"{message}."')]


def signed_with_the_new_key_alone() -> list[Change]:
    return [rewritten(deliveries, "signed", "for key in keys", "for key in keys[:1]")]


def prompts_are_told() -> list[Change]:
    return [rewritten(Event, "_told", "if receiver.prompts", "if True")]


WEBHOOKS = named(
    ("marker and slot go before the entry of the outbox is there", entry_after_marker),
    ("the entry goes before the receiver has answered", entry_before_answer),
    ("the entry goes before its try is written down", entry_before_its_try),
    ("each try has an id of its own", new_id_for_each_try),
    ("all events of a job have one id", one_id_for_a_job),
    ("what is told is the job's last record", told_of_the_last_record),
    ("a failure is told as a cancellation", another_end_is_told),
    ("receivers are given up early", given_up_early),
    ("a receiver that answers 500 counts as told", any_answer_will_do),
    ("a receiver that does not answer counts as told", no_answer_will_do),
    ("the next try has no entry", next_try_forgotten),
    ("tries follow each other at once", next_try_at_once),
    ("nobody is told of rejections", rejections_are_silent),
    ("an outbox that was lost stays lost", rebuilt_without_outbox),
    ("a poller rests without a look at the outbox", rests_over_the_outbox),
    ("a poller rests though somebody is to be told later", rests_with_tries_left),
    ("redirects are followed", redirects_followed),
    ("the signature does not hold the time", signed_without_time),
    ("while keys change only the new one signs", signed_with_the_new_key_alone),
    ("prompts are told to everybody", prompts_are_told),
)
