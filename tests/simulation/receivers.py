"""Receivers of webhooks: some are down for ten minutes, slow, redirect, or want to hear no more.

They verify signatures by what Standard Webhooks says, with code of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import requests

from shared.platform.webhook_settings import EVENTS, Receiver, WebhookSettings
from tests.simulation.kernel import START
from tests.simulation.network import Network
from tests.simulation.scenario import Scenario, Upload, document, job_file
from tests.simulation.wire import SimAnswer

OFTEN = 4
"""One world in so many has webhooks."""
KEYS = ("the master key of the simulation, new", "the master key of the simulation, old")
HOOKS = "https://hooks.invalid"
NAMED = {"shop": Receiver(f"{HOOKS}/shop?all", EVENTS, prompts=True, urls=True)}
SETTINGS = WebhookSettings(KEYS, NAMED, ("hooks.invalid",))
WEBHOOKS = (f"{HOOKS}/a", f"{HOOKS}/b", "shop")
DOWN, SLOW, ERROR, GONE, REDIRECT, BUSY, DEAD = (
    "down",
    "slow",
    "error",
    "gone",
    "redirect",
    "busy",
    "dead",
)
PASSING = (DOWN, SLOW, ERROR, REDIRECT, BUSY)
TEN_MINUTES = 600.0
SKEW = 2.5
"""Seconds by which an instance's clock may be off."""


@dataclass(frozen=True)
class Weather:
    """What is wrong with a receiver, and from when to when."""

    kind: str = ""
    start: float = 0.0
    end: float = 0.0


@dataclass(frozen=True)
class Webhooks:
    """The webhooks of one world. `weather`: of each address; `share`: of jobs that name one;
    `default`: that of the callers' token."""

    on: bool = False
    seed: int = 0
    share: float = 0.0
    default: str = ""
    weather: Mapping[str, Weather] = field(default_factory=dict)

    def plan(self, plan: Scenario) -> None:
        """Let jobs of a plan name webhooks."""
        if not self.on:
            return
        rng = random.Random(f"wrong {self.seed}")
        if rng.random() < 0.5:  # long after the others, when everybody may sleep
            wrong = job_file(document(min(plan.limits), "wrong", 9, {}))
            plan.uploads.append(Upload(300 + 400 * rng.random(), "jobs/wrong.json", wrong))
        plan.uploads[:] = [replace(one, body=self._wanting(one)) for one in plan.uploads]

    def _wanting(self, upload: Upload) -> bytes:
        read = json.loads(upload.body)
        for job in read if isinstance(read, list) else [read]:
            rng = random.Random(f"webhook {self.seed} {job['input']['prompt']}")
            if rng.random() < self.share:
                job["job"]["webhook"] = rng.choice(WEBHOOKS)
        return json.dumps(read).encode()

    def patience(self) -> float:
        """Seconds after which all receivers are well again, or never."""
        ends = (one.end for one in self.weather.values() if one.kind in PASSING)
        return max((end - START for end in ends), default=0.0)

    @property
    def is_endless(self) -> bool:
        """Whether a receiver never comes back."""
        return any(one.kind == DEAD for one in self.weather.values())


NO_WEBHOOKS = Webhooks()


def webhooks_of(seed: int, net: str) -> Webhooks:
    """Those of a seed's world. A receiver that is dead for good keeps a world busy for a day, so
    there is one only where no timer fires."""
    rng = random.Random(f"webhooks {seed}")
    if rng.randrange(OFTEN):
        return NO_WEBHOOKS
    weather = {}
    for webhook in WEBHOOKS:
        url = address(webhook)
        kinds = ("", "", *PASSING, GONE, *((DEAD,) if net and rng.random() < 0.3 else ()))
        start = START + rng.choice((0.0, 60.0)) * rng.random()
        length = rng.choice((5.0, 60.0, TEN_MINUTES))
        weather[url] = Weather(rng.choice(kinds), start, start + length)
    return Webhooks(True, seed, rng.choice((0.5, 1.0)), rng.choice(("", "shop")), weather)


def address(webhook: str) -> str:
    """Where the events of a webhook go."""
    return NAMED[webhook].url if webhook in NAMED else webhook


@dataclass(frozen=True)
class Heard:
    """A request to a receiver, and what it was answered; 0: the answer was lost on its way."""

    at: float
    url: str
    id: str
    status: int
    body: dict[str, Any]
    text: str


@dataclass
class Receivers:
    """All receivers. `hear`: is told of each request that came to one."""

    network: Network
    weather: Mapping[str, Weather]
    heard: list[Heard] = field(default_factory=list)
    hear: Callable[[Heard], object] = lambda _heard: None
    _rng: random.Random = field(default_factory=lambda: random.Random(0))

    def post(
        self, url: str, *, data: bytes, headers: Mapping[str, str], allow_redirects: bool, **_: Any
    ) -> SimAnswer:
        """As much of requests.Session.post as is used."""
        if allow_redirects:
            self.network.violate("no redirect is followed", url)
        effect = partial(self._answer, url, data, headers)
        return self.network.call(f"TELL {url.rpartition('/')[2]}", "tell", effect)

    def _answer(self, url: str, data: bytes, headers: Mapping[str, str], fault: str) -> SimAnswer:
        weather, now = self.weather.get(url, Weather()), self.network.kernel.now
        bad = weather.kind if weather.start <= now < weather.end else ""
        if weather.kind in (DEAD, GONE) and now >= weather.start:
            bad = weather.kind
        if bad in (DOWN, DEAD) or fault == "tell_refused":
            raise requests.ConnectionError("refused")
        status = {ERROR: 500, GONE: 410, REDIRECT: 302, BUSY: 429}.get(bad, 204)
        if fault == "tell_500":
            status = 500
        if not is_fresh(headers, now):
            # An instance was frozen after it had signed. A receiver takes that for a replay.
            return SimAnswer(400, b"", {})
        self._note(url, data, headers, status, fault)
        if bad == SLOW or fault == "tell_timeout":
            self.network.kernel.wait(15.0)
            raise requests.ReadTimeout
        if fault == "tell_cut":
            raise requests.ConnectionError("cut")
        waits = {"Retry-After": "40"} if bad == BUSY else {}
        return SimAnswer(status, b"", {"Location": f"{HOOKS}/elsewhere", **waits})

    def _note(
        self, url: str, data: bytes, headers: Mapping[str, str], status: int, fault: str
    ) -> None:
        name = headers["webhook-id"]
        if not verifies(url, data, headers):
            self.network.violate("signatures verify", f"{url}: {name}")
        lost = fault in ("tell_timeout", "tell_cut") or self._is_slow(url)
        made = Heard(
            self.network.kernel.now,
            url,
            name,
            0 if lost else status,
            json.loads(data),
            data.decode(),
        )
        self.heard.append(made)
        self.network.tell("receiver", f"hears {made.body['type']} of {made.body['subject']}")
        self.hear(made)

    def _is_slow(self, url: str) -> bool:
        weather = self.weather.get(url, Weather())
        return weather.kind == SLOW and weather.start <= self.network.kernel.now < weather.end


def is_fresh(headers: Mapping[str, str], now: float) -> bool:
    """Whether a receiver takes the message for one of these minutes (Standard Webhooks)."""
    return abs(now - int(headers["webhook-timestamp"])) < 5 * 60


def verifies(url: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether a receiver that has the secret of the older key takes the message as genuine."""
    at = headers["webhook-timestamp"]
    secret = hmac.new(KEYS[1].encode(), f"webhook {url}".encode(), hashlib.sha256).digest()
    signed = f"{headers['webhook-id']}.{at}.".encode() + body
    right = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    given = [one.partition(",") for one in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and value == right for version, _, value in given)
