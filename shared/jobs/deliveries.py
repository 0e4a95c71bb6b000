"""Telling receivers of jobs: one try, from the record to what is written down of it.

The body is made of the record when it is sent, so the outbox holds no prompt and nothing is told
that did not happen. What became of the try is written down before the entry goes: an instance that
dies in between leaves the entry, and whoever finds it sends the same message once more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.catalogue.retry_policy import DeliveryPolicy
from shared.jobs.webhook_event import CONTENT_TYPE, Event
from shared.ledger.ledger import Ledger
from shared.ledger.outbox import DELIVERED, EVENT_OF, FAILED, GIVEN_UP, Entry, Try
from shared.ledger.record import Record
from shared.platform.addresses import address_of
from shared.platform.clock import from_iso, iso
from shared.platform.logs import about
from shared.platform.webhook_settings import Receiver, WrongWebhook
from shared.storage.links import Links
from shared.webhooks.delivery import GONE, Answer, Sender
from shared.webhooks.signing import signed

LINK_SECONDS = 24 * 3600
"""A link to an image is made for so long; it ends earlier with the credentials of its maker."""

log = logging.getLogger(__name__)


@dataclass
class Deliveries:
    """Tells receivers of the jobs of `bucket`. Every method may raise StoreError."""

    ledger: Ledger
    sender: Sender
    policy: DeliveryPolicy
    bucket: str
    links: Links

    def tell(self, entry: Entry) -> Entry | None:
        """Make the try of an entry, unless it was made before; the entry of the next try."""
        outbox = self.ledger.outbox
        record = self.ledger.records.get(entry.job, entry.seq)
        if record is None or record.webhook is None or record.state not in EVENT_OF:
            outbox.drop(entry)  # its records were deleted, or somebody made the entry by hand
            return None
        known = outbox.tried(entry.job, entry.seq, entry.number)
        made = known or self._try(entry, record)
        counts, following = outbox.settle(entry, made)
        if known is None:
            _log(counts, record)
        return following

    def _try(self, entry: Entry, record: Record) -> Try:
        """Tell the receiver, once."""
        number = entry.number
        before = self.ledger.outbox.tried(entry.job, entry.seq, number - 1) if number > 1 else None
        now = iso(self.ledger.clock.now())
        place, since = 0, now
        if before is not None and not before.is_last:
            place, since = before.place + 1, before.since
        event, receiver = Event(self.bucket, record), self._receiver(record)
        answer = self._refusal(record, receiver)
        if answer is None and receiver is not None:
            answer = self._send(event, receiver)
        assert answer is not None
        outcome, next_at = self._outcome(answer, place, from_iso(since))
        if answer.status == GONE and receiver is not None:
            self.ledger.endpoints.disable(receiver.url, record.job)
            _log_disabled(record, receiver)
        return Try(
            job=record.job,
            seq=record.seq,
            number=number,
            event=event.name,
            id=event.id,
            host=_host(receiver),
            outcome=outcome,
            at=now,
            since=since,
            place=place,
            status=answer.status,
            why=answer.why,
            took_s=round(answer.took, 3),
            next_ms=None if next_at is None else int(next_at * 1000),
        )

    def _receiver(self, record: Record) -> Receiver | None:
        return self.ledger.webhooks.find(record.webhook or "")

    def _refusal(self, record: Record, receiver: Receiver | None) -> Answer | None:
        """Why nobody is told, as the settings are now; None if somebody is."""
        if receiver is None:
            return Answer(None, "no webhook of this name is configured any more")
        try:
            self.ledger.webhooks.check(record.webhook or "")
        except WrongWebhook as error:
            return Answer(None, str(error))
        if self.ledger.endpoints.is_disabled(receiver.url):
            why = "it answered 410 before, and was not enabled again since"
            return Answer(None, why, for_good=True)
        return None

    def _send(self, event: Event, receiver: Receiver) -> Answer:
        body = event.body(receiver, lambda key: self.links.show(key, LINK_SECONDS))
        return self.send(event.id, receiver.url, body)

    def send(self, message: str, url: str, body: bytes) -> Answer:
        """Send a message, signed for the receiver at an address."""
        at, keys = int(self.ledger.clock.now()), self.ledger.webhooks.keys
        headers = signed(keys, url, message, at, body)
        return self.sender.send(url, body, {**headers, "Content-Type": CONTENT_TYPE})

    def _outcome(self, answer: Answer, place: int, since: float) -> tuple[str, float | None]:
        """What became of the try, and when the next one is due."""
        if answer.is_good:
            return DELIVERED, None
        now, next_at = self.ledger.clock.now(), None
        if not answer.for_good:
            next_at = self.policy.next(place + 1, now, since, answer.retry_after)
        return (GIVEN_UP, None) if next_at is None else (FAILED, next_at)


def _log(made: Try, record: Record) -> None:
    facts = {
        "told": made.event,
        "host": made.host,
        "tries": made.number,
        "http": made.status or 0,
        "duration_s": made.took_s,
    }
    said = (made.job, made.event, made.host, made.why)
    if made.outcome == DELIVERED:
        extra = about("webhook.delivered", record, **facts)
        log.info("job %s: told %s to %s%s", *said, extra=extra)
    elif made.outcome == FAILED:
        extra = about("webhook.failed", record, **facts)
        log.warning("job %s: %s is told to %s later: %s", *said, extra=extra)
    else:
        extra = about("webhook.given_up", record, **facts)
        log.error("job %s: %s is not told to %s any more: %s", *said, extra=extra)


def _log_disabled(record: Record, receiver: Receiver) -> None:
    extra = about("webhook.disabled", record, host=_host(receiver))
    log.error("%s answered 410: it is told nothing any more", _host(receiver), extra=extra)


def _host(receiver: Receiver | None) -> str:
    address = address_of(receiver.url) if receiver else None
    return address.host if address else ""
