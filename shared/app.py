"""The wiring: everything a handler needs, built from environment and context."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

from shared.catalogue.errors import ErrorTable, load_errors
from shared.catalogue.models import Catalogue, load_catalogue
from shared.catalogue.retry_policy import RetryPolicy, load_retry_policy
from shared.jobs.accept import Dispatch
from shared.jobs.cancel import Cancellation
from shared.jobs.collect import Collection
from shared.jobs.input_urls import InputUrls
from shared.jobs.intake import Intake
from shared.jobs.reconcile import Reconciliation
from shared.jobs.requeue import Requeue
from shared.jobs.submit import Submission
from shared.jobs.transitions import Transitions
from shared.ledger.heartbeat import Heartbeat
from shared.ledger.model_state import ModelStates
from shared.ledger.queue import Queue, QueueSnapshots
from shared.ledger.records import Records
from shared.ledger.slots import Slots
from shared.ledger.tickets import Tickets
from shared.modelstudio.api_key import FixedKey, KeySource, KeyUnavailable, SecretKey
from shared.modelstudio.client import ModelStudio
from shared.modelstudio.download import Downloader
from shared.platform import logs
from shared.platform.clock import Clock, SystemClock, new_random, nonce
from shared.platform.concurrency import MapFn, in_threads, in_turn
from shared.platform.settings import (
    Credentials,
    Settings,
    load_credentials,
    load_settings,
    load_store_settings,
)
from shared.platform.slim_imports import requests
from shared.poller.in_flight import InFlightTasks
from shared.poller.metrics import Gauges
from shared.poller.poller import Poller
from shared.poller.scheduler import Scheduler
from shared.storage.objects import ObjectStore
from shared.storage.oss import open_session, open_store

catalogue_once = lru_cache(maxsize=1)(load_catalogue)
errors_once = lru_cache(maxsize=1)(load_errors)
policy_once = lru_cache(maxsize=1)(load_retry_policy)
session_once = lru_cache(maxsize=1)(open_session)
snapshots_once = lru_cache(maxsize=1)(lambda: QueueSnapshots(kept=True))
_checked_buckets: set[str] = set()
_secret_keys: dict[tuple[str, str], SecretKey] = {}


@dataclass
class App:
    """The parts of the system over one bucket and one account. Parts are made when first used.

    `each`: whether the documents of a file are taken in one after the other or several at once.
    """

    settings: Settings
    store: ObjectStore
    http: requests.Session
    clock: Clock
    rng: random.Random
    catalogue: Catalogue
    errors: ErrorTable
    policy: RetryPolicy = field(default_factory=lambda: policy_once())
    api_key: KeySource | None = None
    map_fn: MapFn = in_turn
    snapshots: QueueSnapshots = field(default_factory=QueueSnapshots)

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
    def states(self) -> ModelStates:
        return ModelStates(self.store, self.clock, self.rng)

    @cached_property
    def heartbeat(self) -> Heartbeat:
        return Heartbeat(self.store, self.clock, nonce(self.rng))

    @cached_property
    def transitions(self) -> Transitions:
        return Transitions(
            self.store,
            self.records,
            self.queue,
            self.slots,
            self.catalogue,
            self.clock,
            self.settings.model_region,
        )

    @cached_property
    def model_studio(self) -> ModelStudio:
        settings, key = self.settings, self.api_key or FixedKey(self.settings.api_key)
        with suppress(KeyUnavailable):
            key.value()  # now, so that no submission waits for it once it holds its ticket
        return ModelStudio(
            settings.base_url,
            key,
            self.http,
            settings.workspace,
            settings.create_timeout,
        )

    @cached_property
    def requeue(self) -> Requeue:
        return Requeue(self.records, self.slots, self.transitions, self.clock)

    @cached_property
    def submission(self) -> Submission:
        return Submission(
            catalogue=self.catalogue,
            errors=self.errors,
            model_studio=self.model_studio,
            records=self.records,
            slots=self.slots,
            queue=self.queue,
            tickets=Tickets(self.store, self.clock),
            states=self.states,
            transitions=self.transitions,
            requeue=self.requeue,
            policy=self.policy,
            clock=self.clock,
            rng=self.rng,
            input_urls=InputUrls(self.store, self.catalogue, self.settings.input_delivery),
        )

    @cached_property
    def intake(self) -> Intake:
        return Intake(
            self.catalogue,
            self.store,
            self.settings.oss_bucket,
            self.records,
            self.queue,
            self.transitions,
            self.clock,
            self.settings.job_file_bytes,
            self.settings.model_region,
            self.map_fn,
        )

    @cached_property
    def dispatch(self) -> Dispatch:
        return Dispatch(self.intake, self.queue, self.submission, self.heartbeat)

    @cached_property
    def cancellation(self) -> Cancellation:
        return Cancellation(self.records, self.transitions, self.model_studio)

    @cached_property
    def poller(self) -> Poller:
        in_flight = InFlightTasks(self.catalogue, self.states, self.clock)
        gauges = Gauges(self.catalogue, self.states, self.clock)
        return Poller(
            catalogue=self.catalogue,
            records=self.records,
            slots=self.slots,
            states=self.states,
            scheduler=self._scheduler(in_flight, gauges),
            gauges=gauges,
            in_flight=in_flight,
            collection=self._collection(),
            reconciliation=self._reconciliation(),
            requeue=self.requeue,
            transitions=self.transitions,
            model_studio=self.model_studio,
            errors=self.errors,
            heartbeat=self.heartbeat,
            clock=self.clock,
            rng=self.rng,
        )

    def _scheduler(self, in_flight: InFlightTasks, gauges: Gauges) -> Scheduler:
        return Scheduler(
            catalogue=self.catalogue,
            records=self.records,
            queue=self.queue,
            states=self.states,
            submission=self.submission,
            transitions=self.transitions,
            in_flight=in_flight,
            clock=self.clock,
            gauges=gauges,
        )

    def _collection(self) -> Collection:
        own_host = urlsplit(self.settings.base_url).hostname or ""
        return Collection(
            catalogue=self.catalogue,
            errors=self.errors,
            model_studio=self.model_studio,
            store=self.store,
            records=self.records,
            states=self.states,
            transitions=self.transitions,
            requeue=self.requeue,
            policy=self.policy,
            downloader=Downloader(self.http, self.settings.result_image_bytes),
            clock=self.clock,
            rng=self.rng,
            result_hosts=(own_host, *self.settings.result_hosts),
        )

    def _reconciliation(self) -> Reconciliation:
        return Reconciliation(
            catalogue=self.catalogue,
            model_studio=self.model_studio,
            store=self.store,
            records=self.records,
            slots=self.slots,
            submission=self.submission,
            transitions=self.transitions,
            clock=self.clock,
            grace=self.settings.unknown_grace,
            ask=self.settings.unknown_policy == "ask",
        )


def connect_store(environ: Mapping[str, str], context: object) -> ObjectStore:
    """The bucket alone, whatever else is wrong. Raises SettingsError."""
    logs.set_up(environ, context)
    settings, clock, rng = load_store_settings(environ), SystemClock(), new_random()
    credentials = load_credentials(environ, context)
    return open_store(settings, credentials, clock, rng, session_once(settings.oss_endpoint))


def for_invocation(environ: Mapping[str, str], context: object = None) -> App:
    """The service as the environment describes it.

    The first call of an instance asks whether the bucket has versioning and refuses to work on
    one that has. With a function's `context` the log becomes the function's: JSON lines.
    Raises SettingsError, VersionedBucket, StoreError.
    """
    if context is not None:
        logs.set_up(environ, context)
    settings = load_settings(environ)
    logs.set_level(settings.log_level)
    clock, rng = SystemClock(), new_random()
    credentials = load_credentials(environ, context)
    store = open_store(settings, credentials, clock, rng, session_once(settings.oss_endpoint))
    if settings.oss_bucket not in _checked_buckets:
        store.refuse_versioned()
        _checked_buckets.add(settings.oss_bucket)
    http = requests.Session()
    # Submissions share no connection with anything else: they must not meet a dead one.
    http.mount(f"{settings.base_url}/services/", requests.adapters.HTTPAdapter())
    return App(
        settings,
        store,
        http,
        clock,
        rng,
        catalogue_once(),
        errors_once(),
        api_key=_key_source(settings, credentials, clock),
        map_fn=in_threads,
        snapshots=snapshots_once(),
    )


def _key_source(settings: Settings, credentials: Credentials, clock: Clock) -> KeySource:
    """The instance's own, so that what it knows outlives the invocation."""
    if not settings.api_key_secret:
        return FixedKey(settings.api_key)
    place = (settings.kms_endpoint, settings.api_key_secret)
    if place not in _secret_keys:
        name, region = settings.api_key_secret, settings.oss_region
        _secret_keys[place] = SecretKey(name, settings.kms_endpoint, region, credentials, clock)
    _secret_keys[place].credentials = credentials
    return _secret_keys[place]
