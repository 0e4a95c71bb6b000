"""What people do about webhooks: look at them, try one, tell once more, enable one again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.jobs.deliveries import Deliveries
from shared.ledger.outbox import EVENT_OF, Entry
from shared.ledger.record import Record
from shared.ledger.wakeups import ANNOUNCED
from shared.platform.clock import iso, nonce
from shared.platform.webhook_settings import EXPECTED, Receiver, WrongWebhook
from shared.webhooks.delivery import Answer
from shared.webhooks.signing import secret_of

TEST = "wanx.test"


class NotTold(Exception):
    """Nobody is to hear of the job; the message says why and what to do."""


@dataclass
class Webhooks:
    """The webhooks of one deployment. Every method may raise StoreError."""

    deliveries: Deliveries

    def listed(self) -> dict[str, list[dict[str, Any]]]:
        """Those that have a name, and the receivers that are told nothing any more."""
        ledger = self.deliveries.ledger
        disabled = [dict(one) for one in ledger.endpoints.disabled()]
        off = {one.get("url") for one in disabled}
        named = [
            {
                "name": name,
                "url": one.url,
                "events": list(one.events),
                "prompts": one.prompts,
                "urls": one.urls,
                "disabled": one.url in off,
            }
            for name, one in sorted(ledger.webhooks.named.items())
        ]
        return {"webhooks": named, "disabled": disabled}

    def test(self, webhook: str) -> Answer:
        """Tell a receiver that this is a test, now. Raises WrongWebhook."""
        receiver, ledger = self._receiver(webhook), self.deliveries.ledger
        message = f"msg_{nonce(ledger.rng)}"
        document = {
            "specversion": "1.0",
            "id": message,
            "source": f"oss://{self.deliveries.bucket}",
            "type": TEST,
            "time": iso(ledger.clock.now()),
            "datacontenttype": "application/json",
            "data": {"message": "This is a test; no job is meant."},
        }
        return self.deliveries.send(message, receiver.url, json.dumps(document).encode())

    def redeliver(self, last: Record) -> Entry:
        """Let the receiver of a job hear of its last record once more, at once. Raises NotTold."""
        ledger = self.deliveries.ledger
        if last.webhook is None:
            raise NotTold("The job names no webhook; `job.webhook` in a job file does.")
        if last.state not in EVENT_OF:
            raise NotTold(f"The job is {last.state}; its receiver hears of it when it is over.")
        try:
            receiver = self._receiver(last.webhook)
        except WrongWebhook as error:
            raise NotTold(f"Its webhook cannot be told: {error}.") from None
        if ledger.endpoints.is_disabled(receiver.url):
            raise NotTold(
                "Its receiver answered 410 and is told nothing any more; enable it first:"
                " wanx webhooks enable, or POST /webhooks/enable."
            )
        entry = ledger.outbox.again(last)
        if entry is None:
            raise NotTold(f"Its webhook does not want to hear of jobs that are {last.state}.")
        ledger.wake.because(ANNOUNCED)
        return entry

    def enable(self, webhook: str) -> bool:
        """Tell a receiver of jobs again; whether it was disabled. Raises WrongWebhook."""
        return self.deliveries.ledger.endpoints.enable(self._receiver(webhook).url)

    def secrets(self, webhook: str) -> list[str]:
        """With which its receiver verifies: of the key, and of the one before. Raises
        WrongWebhook."""
        receiver, keys = self._receiver(webhook), self.deliveries.ledger.webhooks.keys
        return [secret_of(key, receiver.url) for key in keys]

    def _receiver(self, webhook: str) -> Receiver:
        self.deliveries.ledger.webhooks.check(webhook)
        receiver = self.deliveries.ledger.webhooks.find(webhook)
        if receiver is None:
            raise WrongWebhook(EXPECTED, "no webhook of this name is configured")
        return receiver
