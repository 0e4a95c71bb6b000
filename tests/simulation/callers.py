"""Programs and people that use HTTP: they repeat themselves, and click twice.

The real HTTP application answers them. Whoever gets no answer, or one of the 500s, asks again.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from shared.api.jobs_api import create_app
from shared.app import App
from shared.ledger.record import RETRYABLE
from shared.platform.settings import Token
from shared.storage.objects import StoreError
from tests.simulation import wsgi
from tests.simulation.chains import Job
from tests.simulation.cloud import Cloud
from tests.simulation.invariants import Invariants
from tests.simulation.judges import Judge
from tests.simulation.scenario import Scenario, document

TOKEN = "token-of-the-simulation"
WAYS = ("key", "put", "id")


@dataclass(frozen=True)
class Request:
    """One request, to be sent more than once. `name` tells it from others."""

    name: str
    method: str
    path: str
    body: bytes = b""
    key: str = ""

    def sent(self) -> wsgi.Request:
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        if self.key:
            headers["idempotency-key"] = self.key
        return wsgi.Request(self.method, self.path, headers, self.body)


GOES_ON = re.compile(r"The job is (PENDING|RUNNING|SUCCEEDED);")


class Callers:
    """What they plan, and what they were answered: one job for one request, however often sent."""

    def __init__(
        self,
        plan: Scenario,
        cloud: Cloud,
        invariants: Invariants,
        rng: random.Random,
        busy: bool,
    ) -> None:
        """Without `busy` nobody calls."""
        self._cloud = cloud
        self._violate = invariants.violate
        self._rng = rng
        self._last = 0.0
        self._answers: dict[str, str] = {}
        self._served: set[str] = set()

        if busy:
            for number in range(rng.choice((1, 2, 3))):
                self._plan(plan, number)
            invariants.judges.append(Clicks(invariants.judges[0].facts, self))

    def last_act(self) -> float:
        """When all that was planned has been sent, in seconds from the beginning."""
        return self._last

    def click_retry(self, job: str) -> None:
        """A person clicks on retry, impatiently; some pages send an Idempotency-Key along."""
        key = f"again-{job}" if self._rng.random() < 0.5 else ""
        for _ in range(self._rng.choice((1, 2, 3))):
            self._cloud.pending += 1
            delay = self._rng.choice((1.0, 40.0)) * self._rng.random()
            request = Request(f"retry-{job}", "POST", f"/jobs/{job}/retry", key=key)
            self._cloud.kernel.after(delay, partial(self._click, request))

    def _click(self, request: Request) -> None:
        self._cloud.pending -= 1
        self._send(request)

    def _plan(self, plan: Scenario, number: int) -> None:
        rng, prompt = self._rng, f"http-{number}"
        plan.prompts.add(prompt)
        request = _request(rng.choice(WAYS), rng.choice(list(plan.limits)), prompt)
        at = 60 * rng.random()
        for _ in range(rng.choice((2, 3))):
            self._cloud.kernel.after(at, partial(self._send, request))
            self._last = max(self._last, at)
            at += rng.choice((0.05, 2.0, 90.0)) * rng.random()

    def _send(self, request: Request) -> None:
        self._cloud.errand("http", partial(self._answered, request), insist=True)

    def _answered(self, request: Request, app: App) -> None:
        app.instance.wsgi = built()
        answer = wsgi.call(create_app(app), request.sent())
        status, said = answer.status, answer.body.decode()
        if status >= 500:
            raise StoreError(f"{request.name}: {status}")
        if status == 409 and GOES_ON.search(said) and request.name not in self._served:
            return  # its task was found before the person's first click
        if status not in (200, 202):
            self._violate("a request that is sent again is answered", f"{request}: {said}")
            return
        self._served.add(request.name)
        if request.key or request.method == "PUT":
            self._same(request, json.loads(said)["job"])

    def _same(self, request: Request, job: str) -> None:
        if self._answers.setdefault(request.name, job) != job:
            what = f"{request.name}: {job}, before {self._answers[request.name]}"
            self._violate("the same request is the same job", what)


class Clicks(Judge):
    """Jobs that came to nothing are tried again by hand, once for each of them."""

    def __init__(self, facts: Any, callers: Callers) -> None:
        super().__init__(facts)
        self._callers = callers

    def recorded(self, job: Job) -> None:
        if job.state in RETRYABLE and job.prompt and not job.retried_from:
            self._callers.click_retry(job.name)


def _request(way: str, model: str, prompt: str) -> Request:
    own = {"id": prompt} if way == "id" else {}
    body = json.dumps(document(model, prompt, 1, own)).encode()
    if way == "put":
        return Request(prompt, "PUT", f"/jobs/{prompt}", body)
    return Request(prompt, "POST", "/jobs", body, key=f"key-{prompt}" if way == "key" else "")


def tokens(webhook: str = "") -> tuple[Token, ...]:
    """The one token that the callers have, and whom its jobs are told to."""
    return (Token(hashlib.sha256(TOKEN.encode()).hexdigest(), "submit", webhook=webhook),)


@lru_cache(maxsize=1)
def built() -> dict[Path, Any]:
    """The HTTP application's routes, made once for all runs."""
    return {}
