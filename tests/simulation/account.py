"""The account's troubles: spans in which the service refuses it, and in which words."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass

Refusal = tuple[int, str, str]
"""HTTP status, code and message."""

ARREARS: Refusal = (400, "Arrearage", "Access denied, account not in good standing.")
BAD_KEY: Refusal = (401, "InvalidApiKey", "Invalid API-key provided.")
QUOTA_SPENT: Refusal = (403, "AllocationQuota.FreeTierOnly", "The free tier is exhausted.")
TOO_MANY: Refusal = (429, "Throttling.RateQuota", "Requests rate limit exceeded.")

KEY = "key"
MODEL = "model"
BLOCKS = {ARREARS[1]: KEY, BAD_KEY[1]: KEY, QUOTA_SPENT[1]: MODEL}
"""What stops until a person acts, by the code of the refusal (error code page)."""
THROTTLES = frozenset(
    {TOO_MANY[1], "Throttling", "Throttling.AllocationQuota", "Throttling.BurstRate"}
)
"""Codes that pass by themselves."""
CREATE, QUERY, TASK, IMAGE = "create", "query", "task", "image"


@dataclass(frozen=True)
class Trouble:
    """From `start` to `end` (seconds since 1970) the account is refused at `places`."""

    start: float
    end: float
    words: Refusal
    places: frozenset[str]
    model: str = ""

    def holds(self, place: str, model: str, now: float) -> bool:
        return place in self.places and self.on(model) and self.start <= now < self.end

    def on(self, model: str) -> bool:
        """Whether it concerns a model."""
        return not self.model or self.model == model


@dataclass
class Account:
    """All troubles of a run."""

    troubles: tuple[Trouble, ...] = ()

    def word(self, place: str, model: str, now: float) -> Refusal | None:
        """What the service says at this place at this moment, if it refuses."""
        for trouble in self.troubles:
            if trouble.holds(place, model, now):
                return trouble.words
        return None

    def end(self) -> float:
        """When the last trouble is over; 0 if there is none."""
        return max((trouble.end for trouble in self.troubles), default=0.0)


def troubles(
    rng: random.Random, models: Collection[str], begin: float, ways: Collection[Collection[str]]
) -> tuple[Trouble, ...]:
    """One or two troubles that begin within two minutes and pass: a person pays, or time does.

    `ways`: the places among which a trouble may show itself.
    """
    made = []
    for _ in range(rng.choice((1, 1, 2))):
        start = begin + rng.choice((0.0, 120.0 * rng.random()))
        words = rng.choice((ARREARS, BAD_KEY, QUOTA_SPENT, TOO_MANY))
        model = rng.choice(sorted(models)) if words is QUOTA_SPENT else ""
        lasts = rng.choice((20.0, 200.0, 1500.0)) * (0.5 + rng.random())
        places = frozenset(rng.choice(tuple(ways)))
        made.append(Trouble(start, start + lasts, words, places, model))
    return tuple(made)
