"""Breakers: one per model and one for the API key.

A refusal for too many requests is a short pause. A refused key, a bill that is due or a spent quota
opens the breaker until a person acts: every pause then ends with one attempt that finds out.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from shared.catalogue.errors import ErrorRule
from shared.catalogue.models import SYNC, Model
from shared.ledger.model_state import ModelStates, Pause
from shared.modelstudio.client import ServiceError
from shared.platform.clock import Clock
from shared.platform.logs import about

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
BLOCKED_PAUSE = 600.0
MOST_JOBS = 1000
"""Jobs of a row of refusals that are remembered. With as many refused jobs before it, a good one
waits for days: a pause for each."""
AHEAD_OFF = 3600.0
KEY = "~key"
"""The API key's name among the models; no model can have it."""

log = logging.getLogger(__name__)


class Doubt(Enum):
    """Whether a refusal may be the fault of the job: no; perhaps; it was refused alone before."""

    NONE, SOME, AGAIN = range(3)


@dataclass
class Breakers:
    """The breakers of all models and of the key; `most_calls` of a model may be open at once where
    the service names no bound. Every method may raise StoreError."""

    states: ModelStates
    clock: Clock
    rng: random.Random
    most_calls: int = 16

    def window(self, model: Model) -> int:
        """How many tasks of a model, or calls, may be in flight now."""
        limits, state = model.limits, self.states.get(model.name)
        unbounded = model.mode == SYNC and limits.concurrent is None
        lanes = self.most_calls if unbounded else limits.lanes
        return state.window(lanes, limits.queue_ahead, self.clock.now())

    def room(self, model: Model, own: int, shared: int) -> int:
        """How many more tasks of a model may be in flight beside `own`; `shared` are those of all
        models of its pool, its own among them."""
        window = self.window(model)
        return min(window - own, max(window, model.limits.lanes) - shared)

    def paused_for(self, model: str) -> float:
        """Seconds until the model may be asked, by its own pause and the whole key's."""
        own, key = self.states.get(model), self.states.get(KEY)
        now = self.clock.now()  # reading may have taken long
        return max(own.paused_for(now), key.paused_for(now))

    def waits_for_key(self, model: str) -> bool:
        """Whether it is the whole key's pause that a model waits for; nothing is read."""
        now = self.clock.now()
        key, own = self.states.known(KEY), self.states.known(model)
        return key.paused_for(now) >= own.paused_for(now)

    def is_open(self, model: str) -> bool:
        """Whether a person has to act, as far as this instance knows; nothing is read."""
        pauses = (self.states.known(model).pause, self.states.known(KEY).pause)
        return any(pause is not None and pause.blocked for pause in pauses)

    def accepted(self, model: str, sent_at: float) -> None:
        """The service took a task that was sent at `sent_at`, in seconds since 1970: what was wrong
        until then is over."""
        for name in (model, KEY):
            state = self.states.get(name)
            self.states.worked(name, sent_at)
            is_first = state.taken_at < state.doubted_at < sent_at
            state.taken_at = sent_at if is_first else state.taken_at
            row, state.refused = state.refused, []
            if state.pause is not None and state.pause.began <= sent_at:
                self.resume(name)
            elif is_first or row:
                self.states.save(name, state)

    def took_another(self, name: str, since: float) -> bool:
        """Whether the service took something of a model, or of the whole key (`KEY`), that was sent
        after `since`, in seconds since 1970, where it had refused something then."""
        return self.states.get(name).taken_at > since

    def doubt(self, name: str) -> None:
        """Note that a job of a model, or of the key, was refused as it alone may be."""
        state = self.states.get(name)
        state.doubted_at = self.clock.now()
        self.states.save(name, state)

    def key_works(self) -> None:
        """The key was taken for a question: what is refused now is refused for another reason."""
        self.states.get(KEY).taken_at = self.clock.now()
        self.resume(KEY)

    def resume(self, name: str) -> bool:
        """Close the breaker of a model, or of the key (`KEY`); whether it was paused."""
        state = self.states.get(name)
        pause, state.pause = state.pause, None
        if pause is None:
            return False
        self.states.save(name, state)
        if pause.blocked:
            facts = about("breaker.closed", breaker=name, code=pause.code)
            log.info("the breaker of %s is closed", _shown(name), extra=facts)
        return True

    def refused(
        self,
        model: str,
        error: ServiceError,
        rule: ErrorRule,
        job: str = "",
        *,
        doubt: Doubt = Doubt.NONE,
    ) -> None:
        """The service would not do what a job needs: wait, longer each time, with jitter.

        Where `doubt` says that it may be the job's own fault, the pause is a short one until others
        are refused as well. What seems to be wrong with the key is the model's alone if the key was
        taken for another one since the model was refused last.
        """
        about_key = rule.breaker == "key"
        if about_key and rule.job_alone:
            doubted_at = self.states.get(model).doubted_at
            about_key = not (doubted_at and self.took_another(KEY, doubted_at))
            self.doubt(model if about_key else KEY)
        name, state = KEY if about_key else model, self.states.get(model)
        others = [one for one in state.refused if one != job]
        pause = self.states.get(name).pause
        is_first = doubt is Doubt.SOME and (pause is None or not pause.doubted)
        lenient = is_first or (doubt is Doubt.AGAIN and not others)
        if job:
            state.refused = [*others, job][-MOST_JOBS:]
        if about_key:
            self.states.save(model, state)
        self.pause(name, error, rule, lenient=lenient)

    def not_ahead(self, model: str) -> None:
        """This account's service answers 429 instead of queueing: for an hour no more tasks are in
        flight than the model runs at once."""
        state = self.states.get(model)
        state.ahead_off_until = self.clock.now() + AHEAD_OFF
        self.states.save(model, state)

    def refused_in_a_row(self, model: str) -> set[str]:
        """The jobs that were refused since the service took one last: another one has to find out
        what is wrong."""
        return set(self.states.get(model).refused)

    def question_refused(self, model: str, error: ServiceError, rule: ErrorRule) -> None:
        """A question was refused for the account's sake: pause key or model, if not paused yet."""
        name = {"key": KEY, "model": model}.get(rule.breaker)
        if name is not None and self.states.get(name).paused_for(self.clock.now()) <= 0:
            self.pause(name, error, rule)

    def key_needs_probe(self) -> bool:
        """Whether the pause of a refused key is over and nothing has shown yet if it works."""
        state = self.states.get(KEY)
        return state.pause is not None and state.paused_for(self.clock.now()) <= 0

    def pause(
        self, name: str, error: ServiceError, rule: ErrorRule, *, lenient: bool = False
    ) -> None:
        """Pause a model, or the key: for minutes where a person has to act, else for seconds.

        `lenient`: where it may be the fault of the job, others are tried before. A pause that runs
        is never made shorter, and too many requests do not close a breaker: they say nothing of
        what a person has to do.
        """
        state, now = self.states.get(name), self.clock.now()
        before = state.pause
        blocked = rule.blocks and not (rule.job_alone and lenient)
        count = before.count + 1 if before else 1
        wait = BLOCKED_PAUSE if blocked else min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(count, 10))
        until = now + wait * (0.5 + self.rng.random() / 2)
        pause = Pause(until, error.code, error.message, blocked, count, now)
        if before is not None:
            kept = before if before.blocked and not blocked else pause
            pause = replace(kept, until=max(before.until, until), count=count, began=now)
        doubted = rule.job_alone or (before is not None and before.doubted)
        state.pause = replace(pause, doubted=doubted)
        if rule.job_alone:
            state.doubted_at = now
        self.states.save(name, state)
        _log_pause(name, pause, pause.until - now, error)


def _shown(name: str) -> str:
    return "the API key" if name == KEY else name


def _log_pause(name: str, pause: Pause, wait: float, error: ServiceError) -> None:
    fields: dict[str, Any] = {
        "breaker": name,
        "code": error.code,
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
