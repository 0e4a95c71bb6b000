"""Faults, by seed and kind; after a while the storm ends and everything must come to rest."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

INSTANCE = ("kill_before", "kill_after", "freeze_before", "freeze_after")
SITES: dict[str, tuple[str, ...]] = {
    "read": (*INSTANCE, "store_503", "store_lost", "store_unreachable"),
    "write": (*INSTANCE, "store_503", "store_lost", "store_unreachable", "store_stale_file"),
    "delete": (*INSTANCE, "store_503", "store_lost", "store_unreachable"),
    "create": (
        "kill_before",
        "kill_after",
        "freeze_after",
        "post_429_rate",
        "post_429_throttling",
        "post_429_allocation",
        "post_429_burst",
        "post_quota_spent",
        "post_arrears",
        "post_bad_key",
        "post_503_busy",
        "post_input_fetch",
        "post_policy",
        "post_500_before",
        "post_500_after",
        "post_timeout_before",
        "post_timeout_after",
        "post_cut_before",
        "post_cut_after",
        "post_no_task_id",
        "post_refused",
        "post_connect_timeout",
    ),
    "ask": (*INSTANCE, "ask_500", "ask_429", "ask_timeout", "ask_refused", "ask_unknown"),
    "download": (
        *INSTANCE,
        "image_500",
        "image_403",
        "image_cut",
        "image_short",
        "image_garbled",
        "image_refused",
    ),
    "event": ("event_late", "event_twice"),
    "wake": ("event_late", "event_twice", "wake_lost"),
    "end": ("ran_again",),
}
WAKING: dict[str, tuple[str, ...]] = {
    "arm": ("kill_before", "kill_after", "freeze_after", "arm_refused", "arm_unanswered"),
    "call": ("call_lost", "call_twice", "call_early", "call_late"),
}
"""Of a poller that calls itself: when it asks for the call, and when the call comes."""
CALLING = (*(one for one in SITES["create"] if one != "post_no_task_id"), "post_no_output")
"""Of a call of a synchronous model."""
TELLING = (*INSTANCE, "tell_refused", "tell_timeout", "tell_cut", "tell_500")
"""Of a request to a receiver of webhooks: it does not come, or its answer is lost or bad."""
LOSSES = frozenset({"wake_lost", "call_lost"})
CUT = "outage_cut"
CUTS = ("post_cut_before", "post_cut_after")
OUTAGES = {
    "outage_store_503": {"read": "store_503", "write": "store_503", "delete": "store_503"},
    "outage_answers": {"read": "store_lost", "write": "store_lost", "delete": "store_lost"},
    "outage_service": {"create": "post_500_before", "ask": "ask_500", "download": "image_500"},
    "outage_gateway": {"create": "post_timeout_after", "ask": "ask_refused"},
}
FROZEN_BEFORE_POST = False
"""Whether an instance may freeze between its last look at the clock and the POST: a request that
leaves minutes after its record cannot be told from a fresh one by a service without idempotency
keys."""
if FROZEN_BEFORE_POST:
    SITES["create"] = (*SITES["create"], "freeze_before")
LIST_FAULTS = ("list_unreadable", "list_without_data", "list_cut", "ask_500", "ask_timeout")
"""What the answers of the task list suffer from in some worlds."""
LIST_EMPTY = "list_empty"
"""An answer without tasks although there are some: now and then, in worlds with good answers."""
EMPTY_FOR_LONG = False
"""Whether all answers may be empty for longer than five times the grace: such a list is believed,
and the task that it does not show is made and paid once more."""

RATES = {
    "read": (0.0, 0.03),
    "write": (0.0, 0.12),
    "delete": (0.0, 0.3),
    "create": (0.0, 0.8),
    "ask": (0.0, 0.25),
    "download": (0.0, 0.5),
    "event": (0.0, 0.5),
    "wake": (0.0, 0.4),
    "end": (0.0, 0.2),
}


LISTS_FAIL = 1200.0
"""Seconds from the beginning for which the task list gives bad answers in some worlds, whatever
the weather."""


class Chaos:
    """What goes wrong in one run. Every kind is on or off by seed; so is how often.

    Beside single faults there are outages: seconds in which one side answers nobody. Of the task
    list's answers a share of `bad_lists` suffers from `list_faults`.
    """

    def __init__(self, rng: random.Random, now: Callable[[], float]) -> None:
        self.counts: Counter[str] = Counter()
        self.calm = False
        self.list_faults: tuple[str, ...] = ()
        self.bad_lists = 0.5
        self._random = rng.random
        self._choice = rng.choice
        share = rng.choice((0.2, 0.5, 0.8))
        self._kinds = {
            site: tuple(kind for kind in kinds if rng.random() < share)
            for site, kinds in SITES.items()
        }
        self._now = now
        self._began = now()
        self._outages = [_outage(rng, now()) for _ in range(rng.choice((0, 0, 1, 3)))]
        self._rates = {site: rng.uniform(*bounds) for site, bounds in RATES.items()}
        self._draw_waking(rng)

    def _draw_waking(self, rng: random.Random) -> None:
        """From a copy of the stream: what worlds with a timer every minute meet stays the same."""
        own = random.Random()
        own.setstate(rng.getstate())
        for site, kinds in WAKING.items():
            self._kinds[site] = tuple(kind for kind in kinds if own.random() < 0.6)
            self._rates[site] = own.uniform(0.0, 0.5)
        self._kinds["sync"] = tuple(kind for kind in CALLING if own.random() < 0.5)
        self._rates["sync"] = own.uniform(0.0, 0.5)
        self._kinds["tell"] = tuple(kind for kind in TELLING if own.random() < 0.5)
        self._rates["tell"] = own.uniform(0.0, 0.5)

    @property
    def has_outages(self) -> bool:
        """Whether there are seconds in which one side answers nobody."""
        return bool(self._outages)

    def lose_nothing(self) -> None:
        """Wake-ups may come late or twice, but they come."""
        self._kinds = {
            site: tuple(one for one in kinds if one not in LOSSES)
            for site, kinds in self._kinds.items()
        }

    def lose_answers(self, start: float, end: float) -> None:
        """From `start` to `end` no create request is answered, whether it makes a task or not."""
        self._outages.append((start, end, CUT, {"create": CUT}))

    def strike(self, site: str) -> str:
        """The fault that happens to this call, or nothing."""
        if site == "list":
            return self._list_fault()
        if self.calm:
            return ""
        like = "create" if site == "sync" else site
        for start, end, fault, sites in self._outages:
            if like in sites and start <= self._now() < end:
                self.counts[fault] += 1
                return self._choice(CUTS) if fault == CUT else sites[like]
        if self._random() >= self._rates[site]:
            return ""
        kinds = self._kinds[site]
        if not kinds:
            return ""
        kind = self._choice(kinds)
        self.counts[kind] += 1
        return kind

    def _list_fault(self) -> str:
        """What happens to a question for the list of tasks: it is a question like others, and in
        some worlds its answers are bad beside that."""
        bad = self.list_faults and self._now() < self._began + LISTS_FAIL
        if not bad or self._random() >= self.bad_lists:
            return self.strike("ask")
        fault = self._choice(self.list_faults)
        self.counts[fault] += 1
        return fault


def _outage(rng: random.Random, start: float) -> tuple[float, float, str, dict[str, str]]:
    """When it begins and ends, its name, and the fault that each call then meets."""
    begins = start + 120 * rng.random()
    ends = begins + rng.choice((3.0, 20.0, 60.0)) * rng.random()
    fault = rng.choice(tuple(OUTAGES))
    return begins, ends, fault, OUTAGES[fault]
