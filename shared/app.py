"""The wiring: everything a handler needs, built from environment and context.

What only some functions need is imported where it is made: a cold start pays for every import.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.catalogue.models import Catalogue
from shared.catalogue.rules import Rules
from shared.instance import CONNECTIONS, INSTANCE, Instance
from shared.jobfile.addresses import own_hosts
from shared.jobs.accept import Acceptance
from shared.jobs.calls import CallAttempts
from shared.jobs.input_urls import InputUrls
from shared.jobs.intake import Intake
from shared.jobs.refusals import Refusals
from shared.jobs.submit import Submission
from shared.jobs.transitions import Transitions
from shared.ledger.lease import Timing
from shared.ledger.ledger import Ledger
from shared.modelstudio.api_key import KeyUnavailable
from shared.modelstudio.calls import Calls, KeepAliveAdapter
from shared.modelstudio.client import ModelStudio
from shared.platform import logs
from shared.platform.clock import Clock, SystemClock, new_random
from shared.platform.concurrency import InTurn
from shared.platform.fc.context import function_name
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

if TYPE_CHECKING:
    from shared.jobs.adopt import Adoption
    from shared.jobs.cancel import Cancellation
    from shared.jobs.collect import Collection
    from shared.jobs.dead_letters import DeadLetters
    from shared.jobs.deliveries import Deliveries
    from shared.jobs.erase import Erasure
    from shared.jobs.estimates import Estimates
    from shared.jobs.hide import Hiding
    from shared.jobs.listing import JobListing
    from shared.jobs.lost_calls import LostCalls
    from shared.jobs.rebuild import Rebuild
    from shared.jobs.reconcile import Reconciliation
    from shared.jobs.repair import Repair
    from shared.jobs.retry import Retries
    from shared.jobs.sweep import Sweep
    from shared.jobs.view import JobViews
    from shared.jobs.webhooks import Webhooks
    from shared.platform.fc.events import Event
    from shared.platform.fc.invoke import DelayedCalls
    from shared.poller.poller import Poller
    from shared.storage.links import Links


@dataclass
class App:
    """The system for one invocation, over one bucket and account. Parts are made on first use.

    `itself`: makes what the function that runs calls itself with, later; `calls` is that, and None
    where a timer fires every minute.
    `code`: which code runs (`shared.platform.running_code`). `receivers`: the session in which
    receivers of webhooks are told; None: one is made when it is needed.
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
    receivers: requests.Session | None = None

    def say_code(self) -> None:
        """Say, once an instance, which code is deployed, so that a poller of other code makes room.

        It is not worth an error, nor another try: the next instance says it too.
        """
        self.instance.once(self.instance.said_code, self._bucket, self._say_code)

    @property
    def _bucket(self) -> tuple[str, str]:
        return self.settings.oss_endpoint, self.settings.oss_bucket

    def _deployed_at(self) -> float:
        held, since = self.instance.deployed_at, self.ledger.deployed.since
        return self.instance.once(held, self._bucket, since)

    def _say_code(self) -> None:
        with suppress(StoreError):
            self.ledger.deployed.say()

    @property
    def catalogue(self) -> Catalogue:
        return self.rules.catalogue

    @cached_property
    def ledger(self) -> Ledger:
        timing = Timing(self.settings.lease_seconds, self.settings.create_timeout)
        most_calls = self.settings.most_open_calls
        of_code = (self.code, most_calls, self.settings.webhooks)
        return Ledger(self.store, self.clock, self.rng, timing, *of_code)

    @cached_property
    def links(self) -> Links:
        from shared.storage.links import Links

        return Links(self.store, self.settings.result_base_url)

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
        map_fn = self.instance.map_fn
        return Transitions(self.ledger, self.rules, map_fn, self._deployed_at)

    @cached_property
    def submission(self) -> Submission:
        urls = InputUrls(self.store, self.catalogue, self.settings.input_delivery)
        parts = (self.ledger, self.rules, self.model_studio, self.transitions)
        return Submission(*parts, urls, self._call_attempts, self._refusals)

    @cached_property
    def _refusals(self) -> Refusals:
        return Refusals(self.ledger, self.rules, self.transitions)

    @cached_property
    def _call_attempts(self) -> CallAttempts:
        calls = Calls(self.model_studio, self.settings.call_timeout)
        return CallAttempts(self.ledger, self.rules, calls, self.transitions, self._refusals)

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
            own_hosts(settings.base_url, settings.oss_endpoint, settings.oss_public_endpoint),
        )
        return Acceptance(self.ledger, intake, self.submission)

    @cached_property
    def retries(self) -> Retries:
        from shared.jobs.retry import Retries

        return Retries(self.ledger, self.acceptance)

    @cached_property
    def lost_calls(self) -> LostCalls:
        from shared.jobs.lost_calls import LostCalls

        return LostCalls(self.ledger, self.transitions, self.retries)

    @cached_property
    def cancellation(self) -> Cancellation:
        from shared.jobs.cancel import Cancellation

        return Cancellation(self.ledger, self.transitions, self.model_studio)

    @cached_property
    def erasure(self) -> Erasure:
        from shared.jobs.erase import Erasure

        chosen = self.settings
        parts = (self.ledger, chosen.oss_bucket, chosen.job_file_bytes, self.instance.map_fn)
        return Erasure(*parts)

    @cached_property
    def hiding(self) -> Hiding:
        from shared.jobs.hide import Hiding

        return Hiding(self.ledger)

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

        return JobViews(self.ledger, self.estimates(), self.links, base)

    def listing(self, sees: Callable[[str], bool] = lambda _job: True) -> JobListing:
        """The list of the jobs a caller sees."""
        from shared.jobs.listing import JobListing

        return JobListing(self.ledger, self.views().link, sees, self.instance.map_fn)

    @cached_property
    def poller(self) -> Poller:
        from shared.poller.alarm import Alarm
        from shared.poller.backoff import Backoff
        from shared.poller.courier import Courier
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
        sender.answered = follower.fetch_answer
        alarm = Alarm(ledger, guard.schedule, self.calls)
        courier = Courier(ledger, lambda: self.deliveries, workers, guard)
        return Poller(ledger, scheduler, follower, workers, guard, alarm, courier)

    @cached_property
    def webhooks(self) -> Webhooks:
        from shared.jobs.webhooks import Webhooks

        return Webhooks(self.deliveries)

    @cached_property
    def deliveries(self) -> Deliveries:
        from shared.jobs.deliveries import Deliveries
        from shared.webhooks.connection import ReceiverSession
        from shared.webhooks.delivery import Sender

        session = self.receivers or ReceiverSession(self.settings.webhooks.trusts)
        sender, policy = Sender(session, self.clock), self.rules.policy.webhooks
        return Deliveries(self.ledger, sender, policy, self.settings.oss_bucket, self.links)

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
    store = INSTANCE.open_store(settings, credentials, clock, rng)
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
    store = instance.open_store(settings, credentials, clock, rng)
    buckets = filter(None, (settings.oss_bucket, settings.results_bucket))
    checked = (settings.oss_endpoint, *buckets)
    instance.once(instance.checked_buckets, checked, store.refuse_versioned)
    http = requests.Session()
    for prefix in ("https://", "http://"):
        http.mount(prefix, requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
    # Submissions share no connection with anything else: they must not meet a dead one.
    http.mount(f"{settings.base_url}/services/", KeepAliveAdapter(pool_maxsize=CONNECTIONS))
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
