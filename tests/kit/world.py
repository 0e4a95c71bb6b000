"""The whole library over the simulation's bucket and account, calm, for any number of instances."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, cast

import requests

from shared.app import App
from shared.catalogue.errors import (
    ACCOUNT,
    CALLER,
    INPUT_FETCH,
    QUOTA,
    TRANSIENT,
    ErrorRule,
    ErrorTable,
)
from shared.catalogue.models import ASYNC, SYNC, Catalogue, Limits, Model
from shared.catalogue.retry_policy import RetryPolicy
from shared.catalogue.rules import Rules
from shared.instance import INSTANCE, Instance
from shared.jobs.intake import Source
from shared.jobs.submit import RetryLater
from shared.ledger.lease import SUBMIT
from shared.ledger.record import Record
from shared.platform.settings import Settings
from shared.storage import layout
from tests.kit.store import Bucket, Store
from tests.kit.studio import BASE_URL, ONE_BY_ONE, ImageHost, ScriptedSession, ScriptedStudio
from tests.simulation.kernel import InstanceClock, Kernel
from tests.simulation.scenario import inpainting
from tests.simulation.synchronous import Synchronous
from tests.simulation.threads import SimWorkers

TOKEN = "letmein"
API_KEY = "sk-not-a-real-key"
MODEL = "brush"
OTHER = "pencil"
LONG = 600.0
WSGI: dict[Path, Any] = {}
"""Routes are built once for all tests, as they are once for an instance."""


def settings(**changes: Any) -> Settings:
    """Settings as the environment of a deployment would give them."""
    base = Settings(
        oss_endpoint="http://127.0.0.1:1",
        oss_public_endpoint="http://127.0.0.1:1",
        oss_bucket="studio",
        oss_region="cn-beijing",
        base_url=BASE_URL,
        api_key=API_KEY,
        token_hashes=(hashlib.sha256(TOKEN.encode()).hexdigest(),),
    )
    return replace(base, **changes)


def model(
    name: str = MODEL,
    limits: Limits = ONE_BY_ONE,
    price: float = 0.0,
    prompt_key: str | None = None,
    mode: str = ASYNC,
) -> Model:
    """Takes what the inpainting model takes, under limits and at a price of the test's own.

    `prompt_key`: where its results show the prompt.
    """
    real = inpainting()
    cost = replace(real.price, per_image=price, by_region={})
    changes: dict[str, Any] = {"limits": limits, "price": cost, "prompt_key": prompt_key}
    return replace(real, name=name, mode=mode, **changes)


def error_table() -> ErrorTable:
    """One rule of each class."""
    rows = [
        ("Throttling*", TRANSIENT, "after_backoff", "pause"),
        ("Unreachable", TRANSIENT, "after_backoff", "none"),
        ("InternalError*", TRANSIENT, "after_backoff", "none"),
        ("Arrearage", ACCOUNT, "never", "key"),
        ("AllocationQuota*", QUOTA, "never", "model"),
        ("InputDownload*", INPUT_FETCH, "few", "none"),
        ("*", CALLER, "never", "none"),
    ]
    return ErrorTable(
        tuple(
            ErrorRule(code, None, None, kind, retry, breaker, "h", "h")
            for code, kind, retry, breaker in rows
        )
    )


def job_file(prompt: str = "a cat", **own: Any) -> bytes:
    """A job file that is in order; `own` is what is under `job`, beside model, parameters."""
    name, parameters = own.pop("model", MODEL), own.pop("parameters", None)
    document: dict[str, Any] = {
        "model": name,
        "input": {
            "prompt": prompt,
            "base_image_url": "https://pictures.invalid/base.png",
            "mask_image_url": "https://pictures.invalid/mask.png",
        },
    }
    if parameters is not None:
        document["parameters"] = parameters
    if own:
        document["job"] = own
    return json.dumps(document).encode()


@dataclass
class World:
    """Everything outside the functions. Nothing goes wrong in it but what the test asks for."""

    timeline: Kernel = field(default_factory=Kernel)
    models: tuple[Model, ...] = field(default_factory=lambda: (model(), model(OTHER)))
    bucket: Bucket = field(init=False)
    studio: ScriptedStudio = field(init=False)
    images: ImageHost = field(default_factory=ImageHost)
    policy: RetryPolicy = field(default_factory=lambda: INSTANCE.yaml[2])
    errors: ErrorTable = field(default_factory=error_table)
    _instances: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.bucket = Bucket(self.timeline, most_calls=20_000)
        self.studio = ScriptedStudio(self.timeline)
        called = frozenset(model.name for model in self.models if model.mode == SYNC)
        self.studio.synchronous = Synchronous(called)

    def app(self, instance: str = "a", skew: float = 0.0, **changes: Any) -> App:
        """One instance of a function, wired as `shared.app` wires it."""
        chosen = settings(**changes)
        rules = Rules(Catalogue(self.models), self.errors, self.policy, chosen.model_region)
        store = Store(self.bucket, instance)
        return App(
            chosen,
            store,
            cast("requests.Session", ScriptedSession(store.network, self.studio, self.images)),
            InstanceClock(self.timeline, skew),
            random.Random(f"{instance} {next(self._instances)}"),
            rules,
            Instance(wsgi=WSGI, workers=SimWorkers(self.timeline)),
        )

    def queued(
        self, job: str, model_name: str = MODEL, prompt: str | None = None, **own: Any
    ) -> Record:
        """A job that has been taken in and waits."""
        body = job_file(prompt or f"prompt of {job}", id=job, model=model_name, **own)
        taken = self.app("intake").acceptance.intake.take(body, Source(f"jobs/{job}.json", "ETAG"))
        self.timeline.wait(0.001)
        assert not taken[0].violations, taken[0].violations
        return taken[0].record

    def states(self, job: str) -> list[str]:
        """The states of a job's records, in order."""
        chain = [
            json.loads(self.bucket.peek(key))
            for key in self.bucket.keys(f"{layout.RECORDS}{job}/0")
        ]
        return [link["state"] for link in chain]

    def state(self, job: str) -> str:
        return self.states(job)[-1]

    def record(self, job: str) -> dict[str, Any]:
        """A job's last record as it is stored."""
        stored: dict[str, Any] = json.loads(
            self.bucket.peek(self.bucket.keys(f"{layout.RECORDS}{job}/")[-1])
        )
        return stored

    def manifest(self, job: str) -> dict[str, Any]:
        """A job's result.json."""
        read: dict[str, Any] = json.loads(self.bucket.peek(layout.result(job)))
        return read

    def lease_is_free(self) -> bool:
        """Whether nobody has ever held the lease, or its last holder has given it back."""
        epochs = self.bucket.keys(layout.LEASE)
        newest = epochs[:1]  # their keys count down
        return not newest or "released" in json.loads(self.bucket.peek(newest[0]))

    def markers(self) -> list[str]:
        """The jobs that wait, in service order within each model."""
        return [layout.job_of_marker(key) for key in self.bucket.keys(layout.QUEUE)]

    def slots(self) -> list[str]:
        """The keys of the slots that exist."""
        return self.bucket.keys(layout.SLOTS)

    def held(self) -> list[str]:
        """The attempts that hold a slot, as model/job~number."""
        return [key.rsplit("~", 1)[0].split("/", 3)[3] for key in self.slots()]


def store_of(app: App) -> Store:
    """An instance's store, for its hooks."""
    assert isinstance(app.store, Store)
    return app.store


def run(world: World, seconds: float = LONG, app: App | None = None) -> str:
    """Let a poller run, for at most `seconds`; returns the word it ends with."""
    app = app or world.app("poller")
    return app.poller.run(app.clock.monotonic() + seconds)


def submit(where: World | App, job: str, patience: float = 2.5) -> Record | RetryLater | None:
    """Submit a queued job as `submit` does: under a lease that it takes and gives back.

    None also where another instance holds the lease. In a world, a new instance submits, and must
    succeed or stay in doubt.
    """
    app = where.app("submit") if isinstance(where, World) else where
    last = app.ledger.records.last(job)
    assert last is not None
    if app.ledger.lease.take(SUBMIT):
        try:
            outcome = app.submission.submit(last, patience)
        finally:
            app.ledger.lease.release()
    else:
        outcome = None
    assert isinstance(outcome, Record) or where is app
    return outcome
