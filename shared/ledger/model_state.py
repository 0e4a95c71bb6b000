"""What was learned of a model: how long its tasks take, and until when it is paused.

Advice, not truth: one object per model, and losing it costs nothing but time. Two pollers may
write it, one that sends and one that waits for its last answers: so each adds what it has learned
to what is stored. `shared.ledger.breaker` and `shared.ledger.durations` interpret it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from threading import Lock
from typing import Any, TypeVar

from shared.platform.clock import Clock
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

T = TypeVar("T")

FRESH = 300.0
"""Seconds after which a state is read again: another instance may have learned something."""
PAUSE_FRESH = 1.0
"""The same while a model is paused: a person may have ended the pause, and waits for jobs to go."""
RARELY = 300.0
"""Seconds between two writings of what is only advice."""
STATE_BYTES = 1024 * 1024
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError)
"""What reading JSON of any other form raises."""
VERSION = 1
"""Of a state. One that names a higher one is neither used nor replaced."""


@dataclass(frozen=True)
class Pause:
    """No submission for this model before `until`. `blocked`: a person has to do something.

    `count`: how many refusals in a row; `began`: when the last one came, in seconds since 1970.
    `doubted`: one of them may be the fault of its job."""

    until: float
    code: str
    message: str
    blocked: bool
    count: int = 1
    began: float = 0.0
    doubted: bool = False


@dataclass
class ModelState:
    """Durations in seconds, newest last; `ends` of tasks and when the last ones were `made`, in
    seconds since 1970.

    `ahead_off_until`: do not queue ahead before that. `doubted_at`: when a job was refused last in
    a way that may be its own; `taken_at`: when one that was taken after that was sent. `refused`:
    the jobs that were refused since one was taken last, the last one last.
    """

    durations: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    made: list[tuple[str, float]] = field(default_factory=list)
    pause: Pause | None = None
    ahead_off_until: float = 0.0
    doubted_at: float = 0.0
    taken_at: float = 0.0
    refused: list[str] = field(default_factory=list)

    def copy(self) -> ModelState:
        """What is known now; lists are replaced and never changed, so that they can be shared."""
        return replace(self)

    def paused_for(self, now: float) -> float:
        """Seconds until the breaker lets something through again, 0 if it does now."""
        pause = self.pause  # another thread may end it
        return max(0.0, pause.until - now) if pause else 0.0

    def window(self, concurrent: int, ahead: int, now: float) -> int:
        """How many tasks may be in flight: those that run, and those queued at the service.

        One while a breaker is open: that task finds out whether the breaker can close.
        """
        pause = self.pause
        if pause is not None and pause.blocked:
            return 1
        return concurrent if now < self.ahead_off_until else concurrent + ahead


@dataclass
class ModelStates:
    """The states of all models, each written when it changes."""

    store: ObjectStore
    clock: Clock
    _known: dict[str, ModelState] = field(default_factory=dict, init=False)
    _base: dict[str, ModelState] = field(default_factory=dict, init=False)
    _read_at: dict[str, float] = field(default_factory=dict, init=False)
    _written_at: dict[str, float] = field(default_factory=dict, init=False)
    _unwritten: set[str] = field(default_factory=set, init=False)
    _changes: Counter[str] = field(default_factory=Counter, init=False)
    _of_newer: set[str] = field(default_factory=set, init=False)
    _worked_at: dict[str, float] = field(default_factory=dict, init=False)
    _writing: Counter[str] = field(default_factory=Counter, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def get(self, model: str) -> ModelState:
        """The state, at most `FRESH` seconds old, or `PAUSE_FRESH` if paused. Raises StoreError."""
        now = self.clock.monotonic()
        paused = self.known(model).pause is not None
        if self._writing[model] or (model in self._unwritten and not paused):
            return self._known[model]
        if now - self._read_at.get(model, -FRESH) >= (PAUSE_FRESH if paused else FRESH):
            changes = self._changes[model]
            read = self._read(model)
            if self._changes[model] == changes:  # else another thread knows better
                self._known[model] = self._with_new(model, read)
                self._base[model] = read.copy()
            self._read_at[model] = now
        return self._known[model]

    def look_for(self, models: Iterable[str]) -> None:
        """Find out with one listing of which of these nothing is stored: those need no reading.

        Raises StoreError.
        """
        now, stored = self.clock.monotonic(), {one.key for one in self.store.list(layout.MODELS)}
        for model in models:
            if model not in self._known and layout.model_state(model) not in stored:
                self._known[model], self._read_at[model] = ModelState(), now

    def known(self, model: str) -> ModelState:
        """What was read or learned last, without reading."""
        return self._known.get(model) or ModelState()

    def save(self, model: str, state: ModelState) -> None:
        """Write a state that `get` gave and that was changed since; not one of a newer release.
        Raises StoreError.

        It is what is known from now on, with what others have written meanwhile. Where another
        thread learned more while this one wrote, that is written again.
        """
        self._learned(model, state)
        with self._lock:
            self._writing[model] += 1
        try:
            while True:
                changes = self._changes[model]
                self._add_others(model)
                if model not in self._of_newer:
                    written = self._known[model].copy()
                    self.store.put(layout.model_state(model), _encode(written))
                    self._base[model] = written
                if self._changes[model] == changes:
                    break
        finally:
            with self._lock:
                self._writing[model] -= 1
        self._read_at[model] = self._written_at[model] = self.clock.monotonic()
        self._unwritten.discard(model)

    def save_soon(self, model: str, state: ModelState) -> None:
        """Write a state of which only advice was changed: at most every `RARELY` seconds.

        Raises StoreError.
        """
        now = self.clock.monotonic()
        self._learned(model, state)
        self._unwritten.add(model)
        if now - self._written_at.setdefault(model, now) >= RARELY:
            self.save(model, state)

    def worked(self, model: str, at: float) -> None:
        """What was sent at `at`, in seconds since 1970, was accepted: a pause that began before and
        is found in the store later, because another instance wrote it, is over."""
        self._worked_at[model] = max(at, self._worked_at.get(model, at))

    def flush(self) -> None:
        """Write what was put off. Raises StoreError."""
        for model in sorted(self._unwritten):
            self.save(model, self._known[model])

    def _learned(self, model: str, state: ModelState) -> None:
        with self._lock:
            self._changes[model] += 1
            self._known[model] = state

    def _add_others(self, model: str) -> None:
        """Take in what is stored. An object that was lost is made again from what is known.

        What was read while another thread wrote is older than what that thread knows: it is read
        again.
        """
        while True:
            base = self._base.get(model)
            stored = self._stored(model)
            with self._lock:
                if self._base.get(model) is base:
                    self._take_in(model, stored)
                    return

    def _take_in(self, model: str, stored: ModelState | None) -> None:
        if stored is None:
            return
        merged, known = self._with_new(model, stored), self._known[model]
        for one in fields(ModelState):
            if getattr(merged, one.name) != getattr(known, one.name):
                setattr(known, one.name, getattr(merged, one.name))
        self._base[model] = stored

    def _with_new(self, model: str, stored: ModelState) -> ModelState:
        """What is stored, with what was learned here since that was read or written last."""
        known, base = self.known(model), self._base.get(model, ModelState())
        pause = _newer_pause(stored.pause, base.pause, known.pause)
        if pause is not None and pause.began <= self._worked_at.get(model, -math.inf):
            pause = None
            self._unwritten.add(model)
        return ModelState(
            durations=_both(stored.durations, base.durations, known.durations),
            ends=_both(stored.ends, base.ends, known.ends),
            made=_both(stored.made, base.made, known.made),
            pause=pause,
            ahead_off_until=max(stored.ahead_off_until, known.ahead_off_until),
            doubted_at=max(stored.doubted_at, known.doubted_at),
            taken_at=max(stored.taken_at, known.taken_at),
            refused=stored.refused if known.refused == base.refused else known.refused,
        )

    def _read(self, model: str) -> ModelState:
        return self._stored(model) or ModelState()

    def _stored(self, model: str) -> ModelState | None:
        try:
            body = self.store.read(layout.model_state(model), STATE_BYTES).body
            document = json.loads(body)
            self._of_newer.discard(model)
            if document.get("version", VERSION) > VERSION:
                self._of_newer.add(model)
                return self.known(model)
            return _decode(document)
        except (ObjectMissing, *UNREADABLE):
            return None


def _both(stored: list[T], base: list[T], known: list[T]) -> list[T]:
    """What is stored, and then what was added to `known` since it was `base`."""
    kept = next((n for n in range(len(known), 0, -1) if known[:n] == base[-n:]), 0)
    return [*stored, *known[kept:]] if stored != base else known


def _newer_pause(stored: Pause | None, base: Pause | None, known: Pause | None) -> Pause | None:
    """The pause that was changed; where two have changed it, the one that began last."""
    if known == base:
        return stored
    if stored == base or stored is None:
        return known
    return known if known is not None and known.began >= stored.began else stored


def _encode(state: ModelState) -> bytes:
    document = {
        "durations": state.durations,
        "ends": state.ends,
        "made": state.made,
        "pause": vars(state.pause) if state.pause else None,
        "ahead_off_until": state.ahead_off_until,
        "doubted_at": state.doubted_at,
        "taken_at": state.taken_at,
        "refused": state.refused,
    }
    return json.dumps(document).encode()


def _decode(document: Mapping[str, Any]) -> ModelState:
    pause = document.get("pause")
    return ModelState(
        durations=[float(value) for value in document.get("durations", ())],
        ends=[float(value) for value in document.get("ends", ())],
        made=[(str(name), float(at)) for name, at in document.get("made", ())],
        pause=_pause(pause) if pause else None,
        ahead_off_until=float(document.get("ahead_off_until", 0.0)),
        doubted_at=float(document.get("doubted_at", 0.0)),
        taken_at=float(document.get("taken_at", 0.0)),
        refused=[str(job) for job in document.get("refused", ())],
    )


def _pause(document: Mapping[str, Any]) -> Pause:
    return Pause(
        float(document["until"]),
        str(document["code"]),
        str(document["message"]),
        bool(document["blocked"]),
        int(document.get("count", 1)),
        float(document.get("began", 0.0)),
        bool(document.get("doubted", False)),
    )
