"""What was learned of a model: how long its tasks take, and until when to leave it alone.

Advice, not truth: one object per model, last writer wins, and losing it costs nothing but time.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.errors import ErrorRule
from shared.catalogue.models import Model
from shared.modelstudio.client import ServiceError
from shared.platform.clock import Clock
from shared.platform.logs import about
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

REMEMBERED = 40
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
BLOCKED_PAUSE = 600.0
AHEAD_OFF = 3600.0
FRESH = 30.0
STATE_BYTES = 1024 * 1024
KEY = "~key"
"""Stands for the API key among the models' names; no model can be called so."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pause:
    """No submission for this model before `until`. `blocked`: a person has to do something."""

    until: float
    code: str
    message: str
    blocked: bool
    count: int = 1


@dataclass
class ModelState:
    """Durations in seconds, newest last. `ahead_off_until`: do not queue ahead before that."""

    durations: list[float] = field(default_factory=list)
    pause: Pause | None = None
    ahead_off_until: float = 0.0

    def paused_for(self, now: float) -> float:
        """Seconds until the breaker lets something through again, 0 if it does now."""
        return max(0.0, self.pause.until - now) if self.pause else 0.0

    def window(self, concurrent: int, ahead: int, now: float) -> int:
        """How many tasks may be in flight: what runs, and what waits at the service's own door.

        One, where the breaker was open until now: that one finds out whether it still has to be.
        """
        if self.pause is not None and self.pause.blocked:
            return 1
        return concurrent if now < self.ahead_off_until else concurrent + ahead


@dataclass
class ModelStates:
    """The states of all models: written when they change, read again after `FRESH` seconds.

    Another instance may have learned something, and a person may have closed a breaker.
    """

    store: ObjectStore
    clock: Clock
    rng: random.Random
    _known: dict[str, ModelState] = field(default_factory=dict, init=False)
    _read_at: dict[str, float] = field(default_factory=dict, init=False)

    def get(self, model: str) -> ModelState:
        now = self.clock.monotonic()
        if now - self._read_at.get(model, -FRESH) >= FRESH:
            self._known[model] = self._read(model)
            self._read_at[model] = now
        return self._known[model]

    def finished(self, model: str, duration: float) -> None:
        """Remember how long a task took. That one ended says nothing of a breaker."""
        state = self.get(model)
        state.durations = [*state.durations[1 - REMEMBERED :], round(duration, 3)]
        if state.pause is not None and not state.pause.blocked:
            state.pause = None
        self._write(model)

    def known(self, model: str) -> ModelState:
        """What was read or learned last; nothing is read now."""
        return self._known.get(model) or ModelState()

    def window(self, model: Model) -> int:
        """How many tasks of a model may be in flight now."""
        limits, state = model.limits, self.get(model.name)
        return state.window(limits.concurrent, limits.queue_ahead, self.clock.now())

    def paused_for(self, model: str, now: float) -> float:
        """Seconds until the model may be asked, by its own pause and the whole key's."""
        return max(self.get(model).paused_for(now), self.get(KEY).paused_for(now))

    def accepted(self, model: str) -> None:
        """The service took a task: whatever was wrong is over."""
        self.resume(model)
        self.resume(KEY)

    def resume(self, name: str) -> None:
        """Close the breaker of a model, or of the key (`KEY`)."""
        pause = self.get(name).pause
        if pause is not None:
            self.get(name).pause = None
            self._write(name)
            if pause.blocked:
                facts = about("breaker.closed", breaker=name, code=pause.code)
                log.info("the breaker of %s is closed", _shown(name), extra=facts)

    def refused(self, model: str, error: ServiceError, rule: ErrorRule, held_beyond: bool) -> None:
        """The service would not take a task: wait, longer each time, with jitter.

        `held_beyond`: more tasks were in flight than the model runs at once; then this account's
        service answers 429 instead of queueing, and queueing ahead is given up for an hour.
        """
        self.pause(KEY if rule.breaker == "key" else model, error, rule)
        if held_beyond and error.http == 429:
            self.get(model).ahead_off_until = self.clock.now() + AHEAD_OFF
            self._write(model)

    def pause(self, name: str, error: ServiceError, rule: ErrorRule) -> None:
        """Leave a model, or the key, alone for a while; for long where a person has to act."""
        state, now = self.get(name), self.clock.now()
        blocked = rule.breaker != "none"
        count = state.pause.count + 1 if state.pause else 1
        wait = BLOCKED_PAUSE if blocked else min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(count, 10))
        until = now + wait * (0.5 + self.rng.random() / 2)
        state.pause = Pause(until, error.code, error.message, blocked, count)
        self._write(name)
        _log_pause(name, state.pause, until - now, error)

    def _read(self, model: str) -> ModelState:
        try:
            body = self.store.read(layout.model_state(model), STATE_BYTES).body
            return _decode(json.loads(body))
        except (ObjectMissing, ValueError, TypeError, AttributeError):
            return ModelState()

    def _write(self, model: str) -> None:
        state = self.get(model)
        document = {
            "durations": state.durations,
            "pause": vars(state.pause) if state.pause else None,
            "ahead_off_until": state.ahead_off_until,
        }
        self.store.put(layout.model_state(model), json.dumps(document).encode())


def _shown(name: str) -> str:
    return "the API key" if name == KEY else name


def _log_pause(name: str, pause: Pause, wait: float, error: ServiceError) -> None:
    fields: dict[str, Any] = {
        "breaker": name,
        "code": pause.code,
        "wait_s": round(wait, 3),
        "count": pause.count,
        "request_id": error.request_id or None,
    }
    if pause.blocked:
        said = "the breaker of %s is open, next try in %d s: %s"
        log.warning(said, _shown(name), wait, error, extra=about("breaker.opened", **fields))
    else:
        said = "%s is left alone for %d s: %s"
        log.info(said, _shown(name), wait, error, extra=about("model.paused", **fields))


def _decode(document: Mapping[str, Any]) -> ModelState:
    pause = document.get("pause")
    return ModelState(
        durations=[float(value) for value in document.get("durations", ())],
        pause=Pause(**pause) if pause else None,
        ahead_off_until=float(document.get("ahead_off_until", 0.0)),
    )
