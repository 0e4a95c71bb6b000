"""The outbox: who is still to be told of what, and what became of each try to do so.

An entry is an index: its name holds all it says, and it is made again from the record that it is
about. What became of a try is an immutable, numbered object like a record: whoever creates it owns
the try, every other one follows what it says. So an entry that comes twice, or is left over, leads
to the same next entry, and what was delivered is not delivered again.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from shared.ledger import record as states
from shared.ledger.record import Record
from shared.platform import webhook_settings as events
from shared.platform.addresses import address_of
from shared.platform.clock import Clock, from_iso, iso
from shared.platform.webhook_settings import NO_WEBHOOKS, WebhookSettings
from shared.storage import layout
from shared.storage.objects import FULL_PAGE, ObjectMissing, ObjectStore, ObjectTooLarge, walk

EVENT_OF: Mapping[str, str] = {
    states.SUCCEEDED: events.SUCCEEDED,
    states.FAILED: events.FAILED,
    states.REJECTED: events.REJECTED,
    states.NEEDS_ATTENTION: events.NEEDS_ATTENTION,
    states.EXPIRED: events.EXPIRED,
    states.CANCELED: events.CANCELED,
    states.PENDING: events.SUBMITTED,
}
"""The event that a record of this state is."""
DELIVERED, FAILED, GIVEN_UP = "delivered", "failed", "given_up"
"""What became of a try: answered with 2xx; another one follows; none does."""
TRY_BYTES = 16 * 1024
MOST_TRIES = 200
"""Tries of a job that are shown."""


@dataclass(frozen=True)
class Entry:
    """A try that is due at `due_ms`, in milliseconds since 1970. `number` counts the tries to tell
    of one record, `mark` stands for the receiver's host."""

    due_ms: int
    number: int
    mark: str
    seq: int
    job: str

    @property
    def key(self) -> str:
        return layout.outbox(self.due_ms, self.number, self.mark, self.seq, self.job)


@dataclass(frozen=True)
class Try:
    """What became of a try. Times are RFC 3339 UTC.

    `place`: of the try in the schedule, from 0; it begins again where a person asks for it.
    `since`: the time of place 0. `status`: of the answer, None if there was none. `next_ms`: when
    the next try is due, in milliseconds since 1970.
    """

    job: str
    seq: int
    number: int
    event: str
    id: str
    host: str
    outcome: str
    at: str
    since: str
    place: int = 0
    status: int | None = None
    why: str = ""
    took_s: float = 0.0
    next_ms: int | None = None

    @property
    def is_last(self) -> bool:
        """Whether no other try follows by itself."""
        return self.outcome != FAILED


@dataclass
class Outbox:
    """Entries and tries of all jobs. `news`: entries made by this instance, which its poller need
    not look for. Every method may raise StoreError."""

    store: ObjectStore
    clock: Clock
    webhooks: WebhookSettings = NO_WEBHOOKS

    def __post_init__(self) -> None:
        self.news: deque[Entry] = deque()

    def announce(self, record: Record) -> bool:
        """Let the job's receiver hear of a record, if it wants to; whether there is an entry.

        Done again it makes the same entry, however late.
        """
        entry = self._first(record)
        if entry is None:
            return False
        self._add(entry)
        return True

    def restore(self, chain: Sequence[Record]) -> int:
        """Make the entries of a job's records again where nothing shows that its receiver was told
        of one, or is going to be; how many were made."""
        wanted = {one.seq: entry for one in chain if (entry := self._first(one)) is not None}
        told = {one.seq: one for one in self.tries(chain[0].job)} if wanted else {}
        made = 0
        for seq, entry in wanted.items():
            latest = told.get(seq)
            if latest is None:
                made += self._add(entry)
            elif not latest.is_last:
                made += self._add(self._after(latest, entry.mark))
        return made

    def hears_of(self, record: Record, state: str) -> bool:
        """Whether the job's receiver wants to hear of a state."""
        event = EVENT_OF.get(state)
        if record.webhook is None or event is None:
            return False
        receiver = self.webhooks.find(record.webhook)
        return event in (events.ENDS if receiver is None else receiver.events)

    def again(self, record: Record) -> Entry | None:
        """Let the receiver hear of a record once more, at once; None if nobody is to."""
        first = self._first(record)
        if first is None:
            return None
        told = [one.number for one in self.tries(record.job) if one.seq == record.seq]
        due, number = int(self.clock.now() * 1000), max(told, default=0) + 1
        entry = Entry(due, number, first.mark, record.seq, record.job)
        self._add(entry)
        return entry

    def due(self, most: int) -> tuple[list[Entry], Entry | None]:
        """The entries that are due, the earliest first, and the first one that is not."""
        now, found = self.clock.now(), list[Entry]()
        for one in walk(self.store, layout.OUTBOX, first=min(most, FULL_PAGE)):
            if not layout.is_ours(one.key, layout.OUTBOX):
                continue
            entry = Entry(*layout.parse_outbox(one.key))
            if entry.due_ms > now * 1000 or len(found) >= most:
                return found, entry
            found.append(entry)
        return found, None

    def tried(self, job: str, seq: int, number: int) -> Try | None:
        """What became of a try; None if nothing is known of it."""
        try:
            body = self.store.read(layout.delivery(job, seq, number), TRY_BYTES).body
            return _try_of(json.loads(body))
        except (ObjectMissing, ObjectTooLarge, ValueError, TypeError):
            return None

    def tries(self, job: str) -> list[Try]:
        """The tries to tell of a job, in order of records and tries; the first MOST_TRIES."""
        found = self.store.list(layout.deliveries_of(job), limit=MOST_TRIES)
        keys = (one.key for one in found if layout.is_ours(one.key, layout.DELIVERIES))
        read = (self.tried(*layout.parse_delivery(key)) for key in keys)
        return [one for one in read if one is not None]

    def settle(self, entry: Entry, made: Try) -> tuple[Try, Entry | None]:
        """Write down what became of an entry's try, make the next entry, drop this one.

        Returns the try that counts, which may be another instance's, and the next entry.
        """
        key = layout.delivery(made.job, made.seq, made.number)
        body = json.dumps(asdict(made), ensure_ascii=False, separators=(",", ":")).encode()
        if not self.store.create(key, body).created:
            made = self.tried(made.job, made.seq, made.number) or made
        following = self._after(made, entry.mark) if not made.is_last else None
        if following is not None:
            self.store.create(following.key, b"")
        self.drop(entry)
        return made, following

    def drop(self, entry: Entry) -> None:
        """Remove an entry."""
        self.store.delete(entry.key)

    def _first(self, record: Record) -> Entry | None:
        """The entry of the first try; None for a record that nobody is to hear of."""
        if record.webhook is None or not self.hears_of(record, record.state):
            return None
        due = int(from_iso(record.at) * 1000)
        return Entry(due, 1, self._mark(record.webhook), record.seq, record.job)

    def _mark(self, webhook: str) -> str:
        """Of the receiver's host: addresses often name the job, and one server answers them all."""
        receiver = self.webhooks.find(webhook)
        address = address_of(receiver.url) if receiver else None
        return mark_of(address.host if address else webhook)[:12]

    def _after(self, made: Try, mark: str) -> Entry:
        return Entry(made.next_ms or 0, made.number + 1, mark, made.seq, made.job)

    def _add(self, entry: Entry) -> bool:
        made = self.store.create(entry.key, b"").created
        self.news.append(entry)
        return made


def mark_of(webhook: str) -> str:
    """Stands for a receiver in keys: 32 hex digits."""
    return hashlib.sha256(webhook.encode()).hexdigest()[:32]


def _try_of(document: Mapping[str, Any]) -> Try:
    known = {one.name for one in fields(Try)}
    return Try(**{name: value for name, value in document.items() if name in known})


@dataclass
class Endpoints:
    """Receivers that said 410: they are told nothing until a person enables them again. Every
    method may raise StoreError."""

    store: ObjectStore
    clock: Clock

    def is_disabled(self, url: str) -> bool:
        """Whether the receiver at an address is told nothing."""
        try:
            self.store.read_range(layout.endpoint(mark_of(url)), 0, 1)
        except ObjectMissing:
            return False
        return True

    def disable(self, url: str, job: str) -> None:
        """Tell the receiver nothing any more; `job`: for which it said so."""
        document = {"url": url, "at": iso(self.clock.now()), "job": job}
        self.store.put(layout.endpoint(mark_of(url)), json.dumps(document).encode())

    def enable(self, url: str) -> bool:
        """Tell the receiver of jobs again; whether it was disabled."""
        disabled = self.is_disabled(url)
        if disabled:
            self.store.delete(layout.endpoint(mark_of(url)))
        return disabled

    def disabled(self, most: int = 100) -> list[Mapping[str, Any]]:
        """Address, time and job of those that are disabled."""
        found: list[Mapping[str, Any]] = []
        for one in self.store.list(layout.ENDPOINTS, limit=most):
            try:
                said = json.loads(self.store.read(one.key, TRY_BYTES).body)
            except (ObjectMissing, ObjectTooLarge, ValueError):
                continue
            if isinstance(said, dict):
                found.append(said)
        return found
