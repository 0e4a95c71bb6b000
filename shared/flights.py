"""The tasks in flight as one poller run knows them, and when to ask for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.modelstate import ModelStates
from shared.pacing import first_question, next_question
from shared.records import PENDING, Record
from shared.slots import Held, Slot

BEHIND = 5.0
"""Seconds between questions for a task that cannot have begun: it may have, if others died."""


@dataclass
class Flight:
    """A held slot and its job's last record. Times on the instance's monotonic clock.

    `behind`: as many tasks as the model runs at once are before this one, so it cannot have
    begun. `failures`: how often in a row the service could not be asked.
    """

    slot: Slot
    last: Record
    started: float
    ask_at: float
    behind: bool = False
    failures: int = 0


@dataclass
class Flights:
    """All flights of a run, by slot."""

    catalogue: Catalogue
    states: ModelStates
    clock: Clock
    _known: dict[str, Flight] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self._known.values()))

    def __bool__(self) -> bool:
        return bool(self._known)

    def get(self, slot: Slot) -> Flight | None:
        return self._known.get(slot.key)

    def track(self, held: Held, last: Record) -> Flight:
        """Follow a slot whose attempt is under way."""
        now = self.clock.monotonic()
        waited = max(0.0, self.clock.now() - held.since)
        wait = first_question(self.states.get(held.slot.model).durations) - waited
        ask_at = now + max(0.0, wait) if last.state == PENDING else now
        flight = Flight(held.slot, last, now - waited, ask_at)
        self._known[held.slot.key] = flight
        return flight

    def drop(self, flight: Flight) -> None:
        """A flight that has landed."""
        self._known.pop(flight.slot.key, None)

    def keep_only(self, held: list[Held]) -> None:
        """Forget the slots that no longer stand."""
        present = {one.slot.key for one in held}
        self._known = {key: flight for key, flight in self._known.items() if key in present}

    def jobs(self, model: str) -> set[str]:
        """The jobs of a model that are in flight."""
        return {flight.slot.job for flight in self if flight.slot.model == model}

    def line_up(self) -> None:
        """Tell who runs and who waits behind; the clock of one that moves up starts now."""
        for name in {flight.slot.model for flight in self}:
            line = sorted(
                (flight for flight in self if flight.slot.model == name),
                key=lambda flight: flight.started if not flight.behind else float("inf"),
            )
            model = self.catalogue.get(name)
            lanes = model.limits.concurrent if model else len(line)
            for place, flight in enumerate(line):
                self._place(flight, behind=place >= lanes)

    def ask_later(self, flight: Flight) -> None:
        """Set the moment of the next question, before the one that is due is asked."""
        now = self.clock.monotonic()
        durations = self.states.get(flight.slot.model).durations
        wait = BEHIND if flight.behind else next_question(now - flight.started, durations)
        flight.ask_at = now + wait

    def next_question(self) -> float | None:
        """Seconds until the first question is due; None without flights."""
        if not self._known:
            return None
        return min(flight.ask_at for flight in self) - self.clock.monotonic()

    def _place(self, flight: Flight, *, behind: bool) -> None:
        now = self.clock.monotonic()
        if flight.behind and not behind:
            flight.started = now
            flight.ask_at = now + first_question(self.states.get(flight.slot.model).durations)
        elif behind and not flight.behind:
            flight.ask_at = now + BEHIND
        flight.behind = behind
