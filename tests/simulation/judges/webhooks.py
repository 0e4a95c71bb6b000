"""Whoever is to be told is told, of what happened and nothing else, or given up with a record."""

from __future__ import annotations

import json
from typing import Any

from greenlet import getcurrent  # type: ignore[import-untyped]

from shared.catalogue.retry_policy import DeliveryPolicy
from shared.ledger import wakeups
from shared.ledger.outbox import DELIVERED, EVENT_OF, FAILED, GIVEN_UP
from shared.platform.clock import from_iso
from shared.storage import layout
from tests.simulation.chains import Job, Link
from tests.simulation.judges.facts import Facts, Judge
from tests.simulation.receivers import GONE, NAMED, SKEW, Heard, Receivers, address

LATE = 150.0
"""Seconds within which a poller has started: an event may come again after a minute."""
POLICY = DeliveryPolicy()
TOLD = "whoever is to be told is told"


class Telling(Judge):
    """At each request to a receiver, at each change of outbox and deliveries, and at the end."""

    def __init__(self, facts: Facts, receivers: Receivers) -> None:
        super().__init__(facts)
        self._receivers = receivers
        self._ids: dict[str, str] = {}
        self._ended: dict[str, str] = {}
        receivers.hear = self._heard
        facts.bucket.watchers.append(self._changed)

    def _heard(self, heard: Heard) -> None:
        told = heard.body
        job = self.facts.jobs.get(told["subject"])
        seq = self._happened(job, told)
        if job is None or seq is None:
            what = f"{told['type']} of {told['subject']} at {told['time']}"
            self.violate("nothing is told that did not happen", what)
            return
        name = f"{job.name} {seq}"
        if self._ids.setdefault(name, heard.id) != heard.id or told["id"] != heard.id:
            self.violate("one id for one event", f"{name}: {heard.id}, {told['id']}")
        if sum(one == heard.id for one in self._ids.values()) > 1:
            self.violate("one id for one event", f"{heard.id} is of several")
        if address(job.records[seq - 1].record["webhook"]) != heard.url:
            self.violate("everybody hears of its own jobs", f"{name} is told to {heard.url}")
        shown = job.prompt and f'"{job.prompt}"' in heard.text
        if shown and heard.url != NAMED["shop"].url:
            self.violate("no prompt unless it is asked for", heard.text)

    def _happened(self, job: Job | None, told: dict[str, Any]) -> int | None:
        """The number of the record that an event is."""
        for link in job.records if job else ():
            event = EVENT_OF.get(link.state, "")
            is_it = (f"wanx.job.{event}", link.record["at"]) == (told["type"], told["time"])
            if is_it and told["data"]["state"] == link.state:
                return int(link.record["seq"])
        return None

    def _changed(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if key.startswith(layout.DELIVERIES):
            self._tried(key, before, after)
        elif key.startswith(layout.OUTBOX) and after is None and self._by_an_instance():
            _, number, _, seq, job = layout.parse_outbox(key)
            if layout.delivery(job, seq, number) not in self.facts.bucket.objects:
                self.violate("an entry stays until its try is written down", key)

    def _by_an_instance(self) -> bool:
        """A person may delete an index as a whole; then it is made again."""
        return getcurrent() in self.facts.studio.kernel.actors

    def _tried(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if before is not None or after is None:
            self.violate("what became of a try is immutable", key)
            return
        made = json.loads(after)
        name = f"{made['job']} {made['seq']}"
        if made["outcome"] in (DELIVERED, GIVEN_UP):
            self._ended[name] = made["outcome"]
        if made["outcome"] == DELIVERED and not self._was_taken(made["id"]):
            self.violate("delivered is what a receiver has taken", name)
        if made["outcome"] == GIVEN_UP and not self._may_give_up(made):
            self.violate("nobody is given up early", f"{name}, try {made['number']}")
        if made["outcome"] == FAILED:
            least = POLICY.after[made["place"] + 1]
            if made["next_ms"] / 1000 < from_iso(made["at"]) + least - SKEW:
                self.violate("tries keep their distance", f"{name}, try {made['number']}")

    def _was_taken(self, message: str) -> bool:
        return any(one.id == message and one.status == 204 for one in self._receivers.heard)

    def _may_give_up(self, made: dict[str, Any]) -> bool:
        """After the last try, after a day, or because the receiver wants to hear no more."""
        over = from_iso(made["since"]) + POLICY.within - SKEW <= self.facts.now
        link = self.facts.jobs[made["job"]].records[made["seq"] - 1]
        weather = self._receivers.weather.get(address(link.record["webhook"]))
        gone = weather is not None and weather.kind == GONE
        return over or gone or made["place"] + 1 == len(POLICY.after)

    def ticked(self) -> None:
        """In quiet weather nobody sleeps over what is due."""
        if self.facts.quiet_for(self.facts.now) < LATE:
            return
        for key in self.facts.bucket.keys(layout.OUTBOX):
            due = max(layout.parse_outbox(key)[0] / 1000, self._since(key), self.facts.quiet_since)
            is_late = self.facts.now > due + LATE and not self.facts.polled_since(due)
            if is_late and not self._is_done(key):
                late = self.facts.now - due
                what = f"{key}: {wakeups.DELIVERY}, due {late:.0f} s ago"
                self.violate("what is due is done in time", what)

    def _is_done(self, key: str) -> bool:
        """Whether another instance has made this try while the one that wrote the entry was frozen,
        and has entered the next one: then it is only to be removed, whenever that is."""
        _, number, _, seq, job = layout.parse_outbox(key)
        made = self.facts.bucket.body(layout.delivery(job, seq, number))
        if made is None:
            return False
        entries = map(layout.parse_outbox, self.facts.bucket.keys(layout.OUTBOX))
        has_next = any((one[1], *one[3:]) == (number + 1, seq, job) for one in entries)
        return has_next or json.loads(made).get("next_ms") is None

    def _since(self, key: str) -> float:
        return float(self.facts.bucket.objects[key].modified)

    def ended(self) -> None:
        left = self.facts.bucket.keys(layout.OUTBOX)
        if left:
            self.violate("nothing is left behind", ", ".join(left))
        for job in self.facts.jobs.values():
            for link in () if self.facts.is_replaced(job) else job.records:
                if _is_wanted(link) and f"{job.name} {link.record['seq']}" not in self._ended:
                    self.violate(TOLD, f"{job.name} is {link.state}: {link.record['webhook']}")


def _is_wanted(link: Link) -> bool:
    webhook, event = link.record.get("webhook"), EVENT_OF.get(link.state)
    if not webhook or not event:
        return False
    return event in (NAMED[webhook].events if webhook in NAMED else tuple(EVENT_OF.values())[:6])
