"""The ledger: everything the system keeps in the bucket about jobs, over one store."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cached_property

from shared.ledger.breaker import Breakers
from shared.ledger.deployed import Deployed
from shared.ledger.durations import Durations
from shared.ledger.job_index import JobIndex
from shared.ledger.lease import Lease, Timing
from shared.ledger.model_state import ModelStates
from shared.ledger.open_calls import OpenCalls
from shared.ledger.outbox import Endpoints, Outbox
from shared.ledger.permits import Permits
from shared.ledger.queue import Queue
from shared.ledger.records import Records
from shared.ledger.slots import Slots
from shared.ledger.task_claims import TaskClaims
from shared.ledger.wake import Wake
from shared.platform.clock import Clock, nonce
from shared.platform.webhook_settings import NO_WEBHOOKS, WebhookSettings
from shared.storage.objects import ObjectStore


@dataclass
class Ledger:
    """Records and the indexes over them, as one instance sees them. Parts are made on first use.

    `code`: what runs here (`shared.platform.running_code`). `most_calls`: calls of synchronous
    models that may be open at once. `webhooks`: who may be told of jobs.
    """

    store: ObjectStore
    clock: Clock
    rng: random.Random
    timing: Timing = field(default_factory=Timing)
    code: str = ""
    most_calls: int = 16
    webhooks: WebhookSettings = NO_WEBHOOKS

    @cached_property
    def records(self) -> Records:
        return Records(self.store, self.clock, self.rng)

    @cached_property
    def queue(self) -> Queue:
        return Queue(self.store)

    @cached_property
    def slots(self) -> Slots:
        return Slots(self.store, self.rng)

    @cached_property
    def lease(self) -> Lease:
        permits = Permits(self.clock)
        return Lease(self.store, self.clock, nonce(self.rng), permits, self.timing)

    @cached_property
    def open_calls(self) -> OpenCalls:
        return OpenCalls(self.store, self.clock, self.timing)

    @cached_property
    def wake(self) -> Wake:
        return Wake(self.store, self.clock, self.lease)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.store, self.clock, self.webhooks)

    @cached_property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.store, self.clock)

    @cached_property
    def deployed(self) -> Deployed:
        return Deployed(self.store, self.code)

    @cached_property
    def tasks(self) -> TaskClaims:
        return TaskClaims(self.store)

    @cached_property
    def index(self) -> JobIndex:
        return JobIndex(self.store)

    @cached_property
    def model_states(self) -> ModelStates:
        return ModelStates(self.store, self.clock)

    @cached_property
    def breakers(self) -> Breakers:
        return Breakers(self.model_states, self.clock, self.rng, self.most_calls)

    @cached_property
    def durations(self) -> Durations:
        return Durations(self.model_states)
