"""Function Compute: events at least once, timers, retries, and what is given up goes to rescue.

After the Function Compute help pages "OSS trigger", "Asynchronous invocation", "Result callback".
"""

from __future__ import annotations

import importlib.util
import json
import logging
import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from shared.app import App
from shared.jobs.cancel import NotCancelable
from shared.jobs.dead_letters import DeadLetters
from shared.modelstudio.client import ServiceError
from shared.platform.fc.invoke import CallRefused
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.simulation.bucket import SimBucket
from tests.simulation.chaos import Chaos
from tests.simulation.kernel import Actor, InstanceClock, Kernel, Killed
from tests.simulation.log_state import log_state_restored
from tests.simulation.network import Network
from tests.simulation.upgrade import NO_UPGRADE

FUNCTIONS = Path(__file__).parents[2] / "functions"
TICK = 60.0
TIMEOUTS = {"submit": 120.0, "poll": 1560.0, "rescue": 60.0}
"""Seconds, as s.yaml has them."""

POLLERS = 3
"""Instances of poll at once, as s.yaml has it: one sends, others wait for their last calls."""

Handler = Callable[[bytes, object], object]
Errand = Callable[[App], object]
Build = Callable[[InstanceClock, random.Random], App]


@dataclass(frozen=True)
class Invocation:
    """One delivery of an event. `number` counts all deliveries, `tries` those of this one."""

    function: str
    event: bytes
    number: int
    tries: int = 1
    timer: bool = False


class Cloud:
    """All instances of all functions. `polled_at`: when a poller started last.

    `pending`: events that are not done with; `satisfied`: the last poller saw nothing left to do,
    and nobody has failed since; `away`: from when to when no poller starts, nor anything else where
    `everybody` is; `deaf_to`: job files that no trigger hears of. `upgrade`: when other code is
    deployed; `polling`: the code of each poller that runs and has not handed over, and since when.
    """

    def __init__(
        self, network: Network, bucket: SimBucket, rng: random.Random, build: Build
    ) -> None:
        self.network = network
        self.kernel: Kernel = network.kernel
        self.chaos: Chaos = network.chaos
        self.pending = 0
        self.ended: Callable[[str], object] = lambda _name: None
        self.running: Counter[str] = Counter()
        self.satisfied = False
        self.retries = 3
        self.timeouts = dict(TIMEOUTS)
        self.polled_at = 0.0
        self.upgrade, self._lingering = NO_UPGRADE, random.Random(0)
        self.polling: dict[str, tuple[str, float]] = {}
        self.poll_returned: Callable[[object], object] = lambda _word: None
        self.away, self.everybody = (0.0, 0.0), False
        self.deaf_to: frozenset[str] = frozenset()
        self._disturbed_at = 0.0
        self._rng = rng
        self._build = build
        self._number = 0
        self._log = _Trouble(network)
        self.reserved = rng.random() < 0.3
        self._skews = [rng.uniform(-2.0, 2.0) for _ in range(4)]
        bucket.watchers.append(self._object_written)

    @contextmanager
    def hears_log(self) -> Iterator[None]:
        """Errors that the library logs go into the story and are not printed."""
        with log_state_restored():
            log = logging.getLogger("shared")
            log.handlers[:] = [self._log]
            log.setLevel(logging.ERROR)
            log.propagate = False
            yield

    def tick(self, only: bool = False) -> None:
        """The timer fires. `only`: no later tick does the same, so that this one waits its turn."""
        event = {"triggerTime": "", "triggerName": "every-minute", "payload": "{}"}
        self._deliver("poll", json.dumps(event).encode(), self._rng.random(), timer=not only)

    def call(self, delay: float, event: bytes) -> None:
        """The poller asks to be called later (`shared.platform.fc.invoke.DelayedCalls`)."""
        self.network.call(f"call in {delay:.1f} s", "arm", partial(self._arm, delay, event))

    def _arm(self, delay: float, event: bytes, fault: str) -> None:
        if fault == "arm_refused":
            raise CallRefused(fault)
        fate = self.chaos.strike("call")
        self.network.story.tell("platform", f"will call poll in {delay:.1f} s", fate)
        if fate == "call_early":
            delay = 2 * self._rng.random()
        elif fate == "call_late":
            delay += 100 * self._rng.random()
        for again in range(0 if fate == "call_lost" else 1 + (fate == "call_twice")):
            later = delay + again * 30 * self._rng.random()
            self.kernel.after(later, partial(self._deliver, "poll", event, 0.0))
        if fault == "arm_unanswered":
            raise CallRefused(fault)

    def polled_since(self, moment: float) -> bool:
        """Whether a poller has run since then, or is about to."""
        return self.running["poll"] > 0 or self.polled_at >= moment or self.pending > 0

    def errand(self, name: str, work: Errand, insist: bool = False) -> None:
        """Something that a person starts; `insist`: again and again until it works."""
        self.pending += 1
        self._number += 1
        clock, app = self._instance("api")
        actor = f"{name}-{self._number}"
        self.network.story.tell(actor, f"starts, clock off by {clock.skew:+.1f} s")

        def ended(actor: Actor, failure: BaseException | None) -> None:
            self.network.story.tell(actor.name, f"ends {failure or ''}")
            self.pending -= 1
            self._disturbed()
            if failure is not None and not isinstance(failure, NotCancelable):
                self._judge(actor, failure)
                if insist:
                    self.errand(name, work, insist)

        self.kernel.spawn(actor, lambda: work(app), 300.0, ended)

    def _instance(self, function: str) -> tuple[InstanceClock, App]:
        clock = InstanceClock(self.kernel, self._rng.choice(self._skews))
        app = self._build(clock, random.Random(self._rng.getrandbits(64)))
        app.code, lingers = self.upgrade.instance(function, self.kernel.now, self._lingering)
        if lingers:  # it has said its code when it started
            app.instance.said_code[app.settings.oss_endpoint, app.settings.oss_bucket] = None
        return clock, app

    def _object_written(self, key: str, before: bytes | None, after: bytes | None) -> None:
        """An OSS event for what the triggers of s.yaml name."""
        if after is None:
            return
        if key.startswith(layout.CALLS):
            self.polling.pop(self.kernel.here().name, None)  # it has handed over
        if key.startswith("jobs/"):
            self._event("submit", key)
        elif key == layout.WAKE:
            self._event("poll", key)

    def _event(self, function: str, key: str) -> None:
        if key in self.deaf_to:
            self.network.story.tell("oss", f"no trigger hears of {key}")
            return
        stored = {"key": key, "eTag": ""}
        change = {
            "eventName": "ObjectCreated:PutObject",
            "oss": {"bucket": {"name": SimBucket.bucket_name}, "object": stored},
        }
        event = json.dumps({"events": [change]}).encode()
        site = "event" if function == "submit" else "wake"
        delay, fault = 0.05 + self._rng.random(), self.chaos.strike(site)
        self.network.story.tell("oss", f"event of {key} for {function}", fault)
        if fault == "wake_lost":
            self._disturbed()
            return
        if fault == "event_late":
            delay += 200 * self._rng.random()
        self._deliver(function, event, delay)
        if fault == "event_twice":
            self._deliver(function, event, delay + 30 * self._rng.random() ** 2)

    def _deliver(self, function: str, event: bytes, delay: float, timer: bool = False) -> None:
        self.pending += 1
        self._number += 1
        invocation = Invocation(function, event, self._number, timer=timer)
        self.kernel.after(delay, partial(self._start, invocation))

    def _start(self, invocation: Invocation, patience: float = 1.0) -> None:
        """Run it, or come back later where one at a time is the rule, or nothing runs."""
        function = invocation.function
        if (function == "poll" or self.everybody) and self.away[0] <= self.kernel.now < self.away[
            1
        ]:
            self._postpone(invocation)
            return
        if function == "poll" and self.reserved and self.running["poll"] >= POLLERS:
            if invocation.timer:
                self.pending -= 1  # a later tick does the same
                return
            again = partial(self._start, invocation, min(60.0, 2 * patience))
            self.kernel.after(patience, again)
            return
        self.running[function] += 1
        if function == "poll":
            self.polled_at = self.kernel.now
        clock, app = self._instance(function)
        context = SimpleNamespace(
            request_id=f"req-{invocation.number}",
            function=SimpleNamespace(timeout=self.timeouts[function]),
            app=app,
        )
        name = f"{function}-{invocation.number}.{invocation.tries}"
        runs = f", runs {app.code[:4]}" if app.code else ""
        self.network.story.tell(name, f"starts, clock off by {clock.skew:+.1f} s{runs}")
        if function == "poll":
            self.polling[name] = app.code, self.kernel.now
        work = partial(self._work, invocation, name, context)
        limit = self.timeouts[function]
        self.kernel.spawn(name, work, limit, partial(self._ended, invocation))

    def _postpone(self, invocation: Invocation) -> None:
        """Nothing runs: timers are lost, events wait."""
        if invocation.timer:
            self.pending -= 1
            return
        back = self.away[1] - self.kernel.now + 30 * self._rng.random()
        self.kernel.after(back, partial(self._start, invocation))

    def _work(self, invocation: Invocation, name: str, context: object) -> None:
        began = self.kernel.now
        word = handlers()[invocation.function](invocation.event, context)
        self.network.story.tell(name, f"returns {word}")
        if invocation.function == "poll":
            self.poll_returned(word)
        if invocation.function == "poll" and word != "nothing left":
            self._disturbed()
        elif invocation.function == "poll":
            self.satisfied = began > self._disturbed_at

    def _disturbed(self) -> None:
        self.satisfied, self._disturbed_at = False, self.kernel.now

    def _ended(self, invocation: Invocation, actor: Actor, failure: BaseException | None) -> None:
        self.running[invocation.function] -= 1
        self.polling.pop(actor.name, None)
        if failure is None:
            fault = self.chaos.strike("end")
            self.network.story.tell(actor.name, "ends", fault)
            self.ended(actor.name)
            self.pending -= 1
            if fault:
                delay = 60 * self._rng.random()
                self._deliver(invocation.function, invocation.event, delay)
            return
        self.network.story.tell(actor.name, f"ends with {type(failure).__name__}: {failure}")
        self._disturbed()
        self._judge(actor, failure)
        if invocation.tries <= self.retries:
            again = Invocation(
                invocation.function, invocation.event, invocation.number, invocation.tries + 1
            )
            self.kernel.after(1 + 60 * self._rng.random(), partial(self._start, again))
            return
        self.pending -= 1
        self._give_up(invocation, failure)

    def _judge(self, actor: Actor, failure: BaseException) -> None:
        if isinstance(failure, Killed):
            timed_out = str(failure).endswith("timeout")
            if timed_out and actor.name.startswith("poll") and actor.held < 1:
                self.network.violate("a poller ends", f"{actor.name} ran into its timeout")
        elif not isinstance(failure, (StoreError, ServiceError)):
            where = "".join(traceback.format_exception(failure)[-3:])
            self.network.violate("handlers raise what is documented", f"{actor.name}: {where}")

    def _give_up(self, invocation: Invocation, failure: BaseException) -> None:
        """To the onFailure destination. rescue itself has none: it is tried until it works."""
        if invocation.function == "rescue":
            self._deliver("rescue", invocation.event, 60.0)
            return
        document: dict[str, Any] = {
            "timestamp": int(self.kernel.now * 1000),
            "requestContext": {
                "requestId": f"req-{invocation.number}",
                "functionArn": f"acs:fc:cn-beijing:1:functions/{invocation.function}",
                "condition": "UnhandledInvocationError",
                "approximateInvokeCount": invocation.tries,
            },
            "requestPayload": invocation.event.decode(),
            "responsePayload": str(failure),
        }
        self._deliver("rescue", json.dumps(document).encode(), 1.0)


class _Trouble(logging.Handler):
    """Notes the errors that the library met but did not expect."""

    def __init__(self, network: Network) -> None:
        super().__init__(logging.ERROR)
        self.network = network

    def emit(self, record: logging.LogRecord) -> None:
        what = record.getMessage()
        self.network.story.tell("log", what)
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Exception):
            where = "".join(traceback.format_exception(error)[-3:])
            self.network.violate("handlers raise what is documented", f"{what}: {where}")


@lru_cache(maxsize=1)
def handlers() -> dict[str, Handler]:
    """The functions' own handlers; `connect` hands over what the context brings."""
    return {name: _handler(name) for name in TIMEOUTS}


def _handler(name: str) -> Handler:
    place = FUNCTIONS / name / "index.py"
    spec = importlib.util.spec_from_file_location(f"simulated_{name}", place)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.log.disabled = True
    module.for_invocation = lambda _environ, context: context.app
    module.dead_letters = lambda _environ, context: DeadLetters(
        context.app.store, context.app.ledger
    )
    handler: Handler = module.handler
    return handler
