"""How long the tasks of each model take, as observed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.ledger.model_state import ModelState, ModelStates
from shared.storage.objects import StoreError

REMEMBERED = 40
ENDS = 64
MADE = 3


@dataclass
class Durations:
    """The last durations of each model, in seconds, newest last."""

    states: ModelStates

    def of(self, model: str) -> Sequence[float]:
        """What was learned, by any instance; where that cannot be read, what is known of it."""
        return self._readable(model).durations

    def look_for(self, models: Iterable[str]) -> None:
        """Before `of` for each of many: with one listing, those of which nothing was learned are
        not read. Where that cannot be listed, they are."""
        with suppress(StoreError):
            self.states.look_for(models)

    def known(self, model: str) -> Sequence[float]:
        """What this instance read or learned last, without reading."""
        return self.states.known(model).durations

    def made(self, model: str) -> dict[str, float]:
        """The last tasks of a model that were accepted, and when: seconds since 1970.

        Raises StoreError.
        """
        return dict(self.states.get(model).made)

    def accepted(self, model: str, task_id: str, at: float) -> None:
        """Remember a task that was accepted: the list of tasks must show it. Raises StoreError."""
        state = self.states.get(model)
        if task_id in dict(state.made):
            return
        state.made = [*state.made[1 - MADE :], (task_id, at)]
        self.states.save_soon(model, state)

    def ends(self, model: str) -> Sequence[float]:
        """When the last tasks of a model ended, in seconds since 1970; as far as in `of`."""
        return self._readable(model).ends

    def ended(self, model: str, at: float) -> None:
        """A task ended: a task that waited behind it began then. Raises StoreError."""
        state = self.states.get(model)
        state.ends = [*state.ends[1 - ENDS :], round(at, 3)]
        self.states.save_soon(model, state)

    def learn(self, model: str, seconds: float) -> None:
        """Remember how long a task took. A task that ended says nothing about a breaker."""
        state = self.states.get(model)
        state.durations = [*state.durations[1 - REMEMBERED :], round(seconds, 3)]
        pause = state.pause
        if pause is not None and not pause.blocked:
            state.pause = None
            self.states.save(model, state)
        else:
            self.states.save_soon(model, state)

    def called(self, model: str, seconds: float) -> None:
        """Remember how long a call took, which ends no pause: others may have been refused since.

        Raises StoreError.
        """
        state = self.states.get(model)
        state.durations = [*state.durations[1 - REMEMBERED :], round(seconds, 3)]
        self.states.save_soon(model, state)

    def _readable(self, model: str) -> ModelState:
        with suppress(StoreError):
            return self.states.get(model)
        return self.states.known(model)
