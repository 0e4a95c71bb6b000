"""One run of `verify-cloud`: what its checks ask, each part made on first use and kept."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import requests

from cli.access import Access
from cli.bucket_checks import TIMEOUT, Bucket
from cli.verify.facts import PaidJob, Untried
from shared.ledger.ledger import Ledger
from shared.ledger.record import Record
from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import ListedTask, ModelStudio
from shared.platform.clock import Clock
from shared.platform.fc.invoke import CallFailed, CallRefused, OwnFunction
from shared.storage import layout
from shared.storage.objects import ObjectMissing
from shared.storage.oss import OssStore

T = TypeVar("T")
FOLDER = "state/doctor/verify/"
"""Below doctor's folder, whose lifecycle rule is that of a day."""
NAME = "verify-cloud-"
"""What the names of job, job file and image begin with."""
NOTE_BYTES = 4096
THROTTLED = 429
TRIES = 10


@dataclass(frozen=True)
class PaidRun:
    """What came of the job. `listed`: its task as the list showed it, `lag` seconds at the latest
    after it was submitted; None where the list was not asked or did not show it."""

    last: Record
    task_id: str = ""
    submitted: float = 0.0
    listed: ListedTask | None = None
    lag: float = 0.0


@dataclass
class Trial:
    """The deployment under trial. `run`: 12 hex digits, which no other run has; `delay`: of the
    delayed call, in seconds, 0 for none; `stack`: what the functions' names begin with."""

    access: Access
    bucket: Bucket
    clock: Clock
    rng: random.Random
    job: PaidJob
    stack: str = "wanx"
    delay: int = 0
    pause: float = 0.5
    run: str = field(init=False)
    http: requests.Session = field(default_factory=requests.Session)
    paid: PaidRun | Untried | None = field(default=None, init=False)
    _answer: Mapping[str, Any] | Untried | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.run = f"{self.rng.getrandbits(48):012x}"

    @property
    def store(self) -> OssStore:
        return self.bucket.store

    @property
    def folder(self) -> str:
        """Where this run writes what only it reads."""
        return f"{FOLDER}{self.run}/"

    @property
    def api_key(self) -> str:
        return str(self.access.environ.get("DASHSCOPE_API_KEY") or "")

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.store, self.clock, self.rng)

    @cached_property
    def model_studio(self) -> ModelStudio:
        """The service under the key of the settings. Raises Untried without one."""
        if not self.api_key:
            raise Untried("DASHSCOPE_API_KEY is not in these settings; add it and run again.")
        settings = self.bucket.settings
        return ModelStudio(settings.base_url, FixedKey(self.api_key), self.http, settings.workspace)

    @property
    def seen(self) -> Mapping[str, Any]:
        """What poll answers, asked once. Raises Untried, StoreError."""
        if self._answer is None:
            self._answer = self._look()
        if isinstance(self._answer, Untried):
            raise self._answer
        return self._answer

    def _look(self) -> Mapping[str, Any] | Untried:
        asked = json.dumps({"look": {"run": self.run, "delay": self.delay}}).encode()
        try:
            seen = json.loads(self._asked(asked))
            bucket = str(seen["bucket"])
        except CallRefused as error:
            return Untried(_refused(error))
        except (CallFailed, ValueError, KeyError, TypeError) as error:
            return Untried(f"poll did not answer ({error}); deploy this version of the functions.")
        if bucket != self.bucket.settings.oss_bucket:
            return Untried(
                f"{self.stack}-poll works on bucket {bucket}; name that one in OSS_BUCKET, or the"
                " functions of this bucket with --stack."
            )
        return dict(seen)

    def _asked(self, event: bytes) -> bytes:
        """There is one instance of poll: while it works, others are refused."""
        for _ in range(TRIES - 1):
            try:
                return self._poll.ask(event)
            except CallRefused as error:
                if error.status != THROTTLED:
                    raise
            self.clock.sleep(self.pause * 4)
        return self._poll.ask(event)

    @cached_property
    def _poll(self) -> OwnFunction:
        settings, keys = self.bucket.settings, self.bucket.credentials
        assert keys is not None
        endpoint = settings.invoke_endpoint or (
            f"https://{self.store.owner()}.{settings.oss_region}.fc.aliyuncs.com"
        )
        name = f"{self.stack}-poll"
        return OwnFunction(endpoint, name, keys, self.http, self.clock, self.rng)

    def api(self, path: str, **headers: str) -> requests.Response:
        """What the HTTP API answers to a GET. Raises Untried, requests' errors, Trouble."""
        url, token = self.access.url, self.access.checked_token()
        if not url:
            raise Untried("API_URL is not in these settings; add it and run again.")
        headers = {"Authorization": f"Bearer {token}", **headers}
        return self.http.get(
            f"{url}{path}", headers=headers, timeout=TIMEOUT, allow_redirects=False
        )

    def await_note(self, what: str, seconds: float) -> Mapping[str, Any] | None:
        """What poll noted, as soon as it did; None if it did not. Raises StoreError."""
        return self.awaited(lambda: self._note(layout.look_note(self.run, what)), seconds)

    def awaited(self, look: Callable[[], T | None], seconds: float) -> T | None:
        """What `look` finds, asked again and again for so many seconds."""
        end = self.clock.monotonic() + seconds
        while True:
            found = look()
            if found is not None or self.clock.monotonic() >= end:
                return found
            self.clock.sleep(self.pause)

    def _note(self, key: str) -> Mapping[str, Any] | None:
        try:
            return dict(json.loads(self.store.read(key, NOTE_BYTES).body))
        except ObjectMissing:
            return None


def _refused(error: CallRefused) -> str:
    if error.status == THROTTLED:
        return "poll is at work all the time; run this when no job waits or runs."
    if error.status == 404:
        return f"{error} Or name the functions' stack with --stack, and deploy first."
    return str(error)
