"""The wiring: everything a handler needs, built from environment and context.

What only some functions need is imported where it is made: a cold start pays for every import.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from shared.catalogue.errors import ErrorTable, load_errors
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue
from shared.catalogue.retry_policy import RetryPolicy, load_retry_policy
from shared.catalogue.rules import Rules
from shared.jobfile.addresses import hosts_of
from shared.jobs.accept import Acceptance
from shared.jobs.input_urls import InputUrls
from shared.jobs.intake import Intake
from shared.jobs.submit import Submission
from shared.jobs.transitions import Transitions
from shared.ledger.lease import Timing
from shared.ledger.ledger import Ledger
from shared.ledger.snapshots import QueueSnapshots
from shared.modelstudio.api_key import FixedKey, KeySource, KeyUnavailable, SecretKey
from shared.modelstudio.client import ModelStudio
from shared.platform import logs
from shared.platform.clock import Clock, SystemClock, new_random
from shared.platform.concurrency import (
    InThreads,
    InTurn,
    MapFn,
    Places,
    Room,
    Workers,
    in_threads,
    in_turn,
)
from shared.platform.fc.context import function_name
from shared.platform.running_code import running_code
from shared.platform.settings import (
    SAFETY_NET,
    Credentials,
    Settings,
    load_credentials,
    load_settings,
    load_store_settings,
)
from shared.platform.slim_imports import requests
from shared.storage import layout
from shared.storage.objects import ObjectStore, StoreError
from shared.storage.oss import OssStore, open_session, open_store

if TYPE_CHECKING:
    from shared.jobs.adopt import Adoption
    from shared.jobs.cancel import Cancellation
    from shared.jobs.collect import Collection
    from shared.jobs.dead_letters import DeadLetters
    from shared.jobs.estimates import Estimates
    from shared.jobs.listing import JobListing
    from shared.jobs.rebuild import Rebuild
    from shared.jobs.reconcile import Reconciliation
    from shared.jobs.repair import Repair
    from shared.jobs.retry import Retries
    from shared.jobs.sweep import Sweep
    from shared.jobs.view import JobViews
    from shared.platform.fc.events import Event
    from shared.platform.fc.invoke import DelayedCalls
    from shared.poller.poller import Poller

K = TypeVar("K")
V = TypeVar("V")


BODIES = 16 * 1024 * 1024
"""Bytes of the request bodies that an instance works on at once: as many as the largest body has,
which becomes 100 MB of memory while it is read."""
BODY_PATIENCE = 30.0
WAITING = (25, 50)
"""Requests of one token, and of all, that may wait for a job at the same time: as many as an
instance takes at once (s.yaml), and half of them for one token."""


@dataclass
class Instance:
    """What outlives an invocation of one function instance; all of it can be made again.

    An instance serves one environment: its bucket, its account, its key. It may serve many
    requests at once, each with credentials of its own; nothing here keeps those, but a key from
    KMS, which is read with the latest.

    `map_fn` and `workers`: whether several things are done one after the other (None) or at once.
    `wsgi` holds the HTTP application by the folder of its page. `secret_keys` are the API keys read
    from KMS, by endpoint and secret. `bodies`: room for large request bodies.
    """

    map_fn: MapFn = in_turn
    snapshots: QueueSnapshots = field(default_factory=QueueSnapshots)
    wsgi: dict[Path, Any] = field(default_factory=dict)
    secret_keys: dict[tuple[str, str], SecretKey] = field(default_factory=dict)
    workers: Workers | None = None
    checked_buckets: dict[tuple[str, str], None] = field(default_factory=dict)
    said_code: dict[tuple[str, str], None] = field(default_factory=dict)
    sessions: dict[str, Any] = field(default_factory=dict)
    bodies: Room = field(default_factory=lambda: Room(BODIES, BODY_PATIENCE))
    waiting: Places = field(default_factory=partial(Places, *WAITING))
    _making: Lock = field(default_factory=Lock, init=False, repr=False)

    def once(self, held: dict[K, V], key: K, make: Callable[[], V]) -> V:
        """What `held` has under a key; what is missing is made once, however many threads ask.

        Raises what `make` raises; then nothing is kept.
        """
        if key not in held:
            with self._making:
                if key not in held:
                    held[key] = make()
        return held[key]

    @cached_property
    def yaml(self) -> tuple[Catalogue, ErrorTable, RetryPolicy]:
        """Models, errors and retry policy as schemas/ says them."""
        return load_catalogue(), load_errors(), load_retry_policy()

    @cached_property
    def code(self) -> str:
        """Which code runs here; empty where that is not known."""
        return running_code()

    def oss_session(self, endpoint: str) -> Any:
        """The connections to OSS."""
        return self.once(self.sessions, endpoint, partial(open_session, endpoint))

    def renew_key(self, settings: Settings, credentials: Credentials, clock: Clock) -> None:
        """Let a key from KMS be read with the credentials of this invocation from now on."""
        endpoint, name, region = settings.kms_endpoint, settings.api_key_secret, settings.oss_region
        if name:
            make = partial(SecretKey, name, endpoint, region, credentials, clock)
            self.once(self.secret_keys, (endpoint, name), make).credentials = credentials

    def key_source(self, settings: Settings) -> KeySource:
        """The API key; one from KMS is kept, so that what is known of it outlives the invocation.

        Raises KeyError for a key from KMS that was not renewed first.
        """
        if not settings.api_key_secret:
            return FixedKey(settings.api_key)
        return self.secret_keys[settings.kms_endpoint, settings.api_key_secret]


CONNECTIONS = 32
"""Connections kept to one host: as many as there are threads that ask or fetch."""
INSTANCE = Instance(in_threads, QueueSnapshots(kept=True), workers=InThreads())


@dataclass
class App:
    """The system for one invocation, over one bucket and account. Parts are made on first use.

    `itself`: makes what the function that runs calls itself with, later; `calls` is that, and None
    where a timer fires every minute.
    `code`: which code runs (`shared.platform.running_code`).
    """

    settings: Settings
    store: ObjectStore
    http: requests.Session
    clock: Clock
    rng: random.Random
    rules: Rules
    instance: Instance = field(default_factory=Instance)
    calls: DelayedCalls | None = None
    code: str = ""
    itself: Callable[[], DelayedCalls] | None = None

    def say_code(self) -> None:
        """Say, once an instance, which code is deployed, so that a poller of other code makes room.

        It is not worth an error, nor another try: the next instance says it too.
        """
        bucket = (self.settings.oss_endpoint, self.settings.oss_bucket)
        self.instance.once(self.instance.said_code, bucket, self._say_code)

    def _say_code(self) -> None:
        with suppress(StoreError):
            self.ledger.deployed.say()

    @property
    def catalogue(self) -> Catalogue:
        return self.rules.catalogue

    @cached_property
    def ledger(self) -> Ledger:
        timing = Timing(self.settings.lease_seconds, self.settings.create_timeout)
        return Ledger(self.store, self.clock, self.rng, timing, self.code)

    @cached_property
    def model_studio(self) -> ModelStudio:
        settings, key = self.settings, self.instance.key_source(self.settings)
        with suppress(KeyUnavailable):
            key.value()  # now, so that no submission waits for it once it holds its ticket
        return ModelStudio(
            settings.base_url,
            key,
            self.http,
            settings.workspace,
            settings.create_timeout,
            self.clock,
        )

    @cached_property
    def transitions(self) -> Transitions:
        return Transitions(self.ledger, self.rules)

    @cached_property
    def submission(self) -> Submission:
        urls = InputUrls(self.store, self.catalogue, self.settings.input_delivery)
        return Submission(self.ledger, self.rules, self.model_studio, self.transitions, urls)

    @cached_property
    def acceptance(self) -> Acceptance:
        settings = self.settings
        intake = Intake(
            self.ledger,
            self.rules,
            self.transitions,
            settings.oss_bucket,
            settings.job_file_bytes,
            self.instance.map_fn,
            _own_hosts(settings),
        )
        return Acceptance(self.ledger, intake, self.submission)

    @cached_property
    def retries(self) -> Retries:
        from shared.jobs.retry import Retries

        return Retries(self.ledger, self.acceptance)

    @cached_property
    def cancellation(self) -> Cancellation:
        from shared.jobs.cancel import Cancellation

        return Cancellation(self.ledger, self.transitions, self.model_studio)

    @cached_property
    def adoption(self) -> Adoption:
        from shared.jobs.adopt import Adoption

        return Adoption(self.ledger, self.submission, self.model_studio)

    @cached_property
    def repair(self) -> Repair:
        from shared.jobs.repair import Repair

        return Repair(self.ledger, self.rules, self.acceptance)

    @cached_property
    def sweep(self) -> Sweep:
        from shared.jobs.sweep import Sweep

        return Sweep(self.ledger, self.acceptance.intake)

    @cached_property
    def rebuild(self) -> Rebuild:
        from shared.jobs.rebuild import Rebuild

        return Rebuild(self.ledger, self.transitions, self.instance.map_fn)

    def estimates(self) -> Estimates:
        """Estimates for one answer."""
        from shared.jobs.estimates import Estimates

        return Estimates(self.ledger, self.rules, self.instance.snapshots)

    def views(self, base: str = "") -> JobViews:
        """Views for one answer; `base` is the URL that its links start with."""
        from shared.jobs.view import JobViews

        return JobViews(self.ledger, self.estimates(), base)

    def listing(self, sees: Callable[[str], bool] = lambda _job: True) -> JobListing:
        """The list of the jobs a caller sees."""
        from shared.jobs.listing import JobListing

        return JobListing(self.ledger, self.views().link, sees, self.instance.map_fn)

    @cached_property
    def poller(self) -> Poller:
        from shared.poller.alarm import Alarm
        from shared.poller.backoff import Backoff
        from shared.poller.follower import Follower
        from shared.poller.guard import Guard
        from shared.poller.in_flight import InFlightTasks
        from shared.poller.metrics import Gauges
        from shared.poller.poller import Poller
        from shared.poller.schedule import Schedule
        from shared.poller.scheduler import Scheduler
        from shared.poller.sender import Sender

        ledger, submission, transitions = self.ledger, self.submission, self.transitions
        workers = self.instance.workers or InTurn(self.clock.sleep)
        guard = Guard(ledger.lease, Schedule(self.clock, Backoff(self.clock, self.rng)))
        in_flight = InFlightTasks(self.catalogue, ledger)
        sender = Sender(ledger, submission, transitions, in_flight, workers, guard)
        gauges = Gauges(self.catalogue, ledger)
        scheduler = Scheduler(ledger, submission, sender, guard, gauges)
        following = (self._collection(), self._reconciliation(), transitions, workers, guard)
        follower = Follower(ledger, scheduler, *following)
        alarm = Alarm(ledger, guard.schedule, self.calls)
        return Poller(ledger, scheduler, follower, workers, guard, alarm)

    def answered(self, event: Event) -> str | None:
        """What poll answers `wanx verify-cloud`; None for an event of any other kind.

        Raises StoreError.
        """
        from shared.platform.fc.events import LookEvent, OssEvent

        if not isinstance(event, LookEvent | OssEvent) or self.itself is None:
            return None
        if isinstance(event, OssEvent) and all(one.key == layout.WAKE for one in event.changes):
            return None
        from shared.poller.inside import Inside

        key = self.instance.key_source(self.settings)
        inside = Inside(self.settings, self.store, self.clock, key, self.itself())
        if isinstance(event, LookEvent):
            return inside.answer(event)
        return "noted" if inside.noted(event) else None

    def _collection(self) -> Collection:
        from shared.jobs.collect import Collection
        from shared.modelstudio.download import Downloader

        settings = self.settings
        own_host = urlsplit(settings.base_url).hostname or ""
        return Collection(
            self.ledger,
            self.rules,
            self.model_studio,
            self.transitions,
            Downloader(self.http, settings.result_image_bytes, own_host, self.clock),
            settings.result_hosts,
            self.instance.map_fn,
        )

    def _reconciliation(self) -> Reconciliation:
        from shared.jobs.reconcile import Reconciliation
        from shared.jobs.task_list import TaskList

        return Reconciliation(
            self.ledger,
            self.rules,
            TaskList(self.store, self.model_studio),
            self.submission,
            self.transitions,
            grace=self.settings.unknown_grace,
            ask=self.settings.unknown_policy == "ask",
        )


def dead_letters(environ: Mapping[str, str], context: object) -> DeadLetters:
    """The bucket's dead events, whatever else is wrong with the settings. Raises SettingsError."""
    from shared.jobs.dead_letters import DeadLetters

    logs.set_up(environ, context)
    settings = load_store_settings(environ)
    credentials = load_credentials(environ, context)
    clock, rng = SystemClock(), new_random()
    store = _open(settings, credentials, clock, rng, INSTANCE)
    return DeadLetters(store, Ledger(store, clock, rng))


def for_invocation(
    environ: Mapping[str, str], context: object = None, instance: Instance = INSTANCE
) -> App:
    """The system as the environment describes it.

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
    store = _open(settings, credentials, clock, rng, instance)
    bucket = (settings.oss_endpoint, settings.oss_bucket)
    instance.once(instance.checked_buckets, bucket, store.refuse_versioned)
    http = requests.Session()
    # Submissions share no connection with anything else: they must not meet a dead one.
    for prefix in ("https://", "http://", f"{settings.base_url}/services/"):
        http.mount(prefix, requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
    instance.renew_key(settings, credentials, clock)
    catalogue, errors, policy = instance.yaml
    region = settings.model_region
    rules = Rules(catalogue.in_region(region), errors, policy, region)
    app = App(settings, store, http, clock, rng, rules, instance, code=instance.code)
    app.itself = partial(_own_function, environ, context, app, credentials)
    if settings.poll_timer == SAFETY_NET:
        app.calls = app.itself()
    return app


def _own_function(
    environ: Mapping[str, str], context: object, app: App, keys: Credentials
) -> DelayedCalls:
    """The function that runs, at the Function Compute endpoint of its account."""
    from shared.platform.fc.invoke import OwnFunction

    account, region = environ.get("FC_ACCOUNT_ID", ""), environ.get("FC_REGION", "")
    endpoint = app.settings.invoke_endpoint or f"https://{account}.{region}.fc.aliyuncs.com"
    name = function_name(environ, context)
    return OwnFunction(endpoint, name, keys, app.http, app.clock, app.rng)


def _open(
    settings: Settings,
    credentials: Credentials,
    clock: Clock,
    rng: random.Random,
    instance: Instance,
) -> OssStore:
    session = instance.oss_session(settings.oss_endpoint)
    return open_store(settings, credentials, clock, rng, session)


def _own_hosts(settings: Settings) -> frozenset[str] | None:
    """The endpoints of the bucket; None where the model service itself is on this machine, for
    then it reaches what this machine reaches."""
    if (urlsplit(settings.base_url).hostname or "") in ("127.0.0.1", "::1", "localhost"):
        return None
    return hosts_of(settings.oss_endpoint, settings.oss_public_endpoint)
