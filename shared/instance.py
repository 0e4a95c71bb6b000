"""What outlives an invocation of a function instance: connections, the key from KMS, the YAML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any, TypeVar

from shared.catalogue.errors import ErrorTable, load_errors
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue
from shared.catalogue.retry_policy import RetryPolicy, load_retry_policy
from shared.ledger.snapshots import QueueSnapshots, Sightings
from shared.modelstudio.api_key import FixedKey, KeySource, SecretKey
from shared.platform.clock import Clock
from shared.platform.concurrency import InThreads, MapFn, Places, Room, Workers, in_threads, in_turn
from shared.platform.running_code import running_code
from shared.platform.settings import Credentials, Settings
from shared.storage.oss import OssStore, open_session, open_store

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
    checked_buckets: dict[tuple[str, ...], None] = field(default_factory=dict)
    said_code: dict[tuple[str, str], None] = field(default_factory=dict)
    deployed_at: dict[tuple[str, str], float] = field(default_factory=dict)
    sessions: dict[str, Any] = field(default_factory=dict)
    bodies: Room = field(default_factory=lambda: Room(BODIES, BODY_PATIENCE))
    waiting: Places = field(default_factory=partial(Places, *WAITING))
    sightings: Sightings = field(default_factory=Sightings)
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

    def open_store(
        self, settings: Settings, credentials: Credentials, clock: Clock, rng: Random
    ) -> OssStore:
        """The bucket; where results have one of their own, both as one."""
        session = self.oss_session(settings.oss_endpoint)
        if settings.results_bucket:
            from shared.storage.two_buckets import open_two

            return open_two(settings, credentials, clock, rng, session)
        return open_store(settings, credentials, clock, rng, session)

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
