"""What a test does to one instance's requests: lose them, die at them, act just before or after."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from shared.storage.objects import StoreError
from tests.simulation.kernel import Kernel
from tests.simulation.kernel import Killed as Killed

T = TypeVar("T")
TO_THE_BUCKET = frozenset({"read", "write", "delete"})
ONE_AT_A_TIME = threading.RLock()
"""The simulated bucket and account know no threads."""


@dataclass(frozen=True)
class Call:
    """One request: what it does, to which key or prefix, and which instance sent it.

    `kind` is read, head, create, put, list or delete for the bucket, POST or GET for the service.
    """

    kind: str
    key: str
    instance: str


Hook = Callable[[Call], object]
Delay = Callable[[], float]


@dataclass
class InstanceNetwork:
    """One instance's `tests.simulation.network.Transport`: nothing goes wrong but by its hooks.

    `before` and `after` hooks run before a request has its effect, and after the effect but before
    the answer: they may raise StoreError (the request or its answer is lost, as often as it is
    repeated) or Killed, or do what another instance would do just then. `note` gets each request
    to the bucket. A delay is waited for; without one a request takes no time. `dead`: the instance
    was killed, and what its code still sends on the way out does not arrive.
    """

    kernel: Kernel
    instance: str
    note: Hook
    request_delay: Delay | None = None
    answer_delay: Delay | None = None
    before: list[Hook] = field(default_factory=list)
    after: list[Hook] = field(default_factory=list)
    dead: bool = False

    def call(self, what: str, site: str, effect: Callable[[str], T], most: float = 9.0) -> T:
        if self.dead:
            raise Killed("dead already")
        try:
            return self._call(what, site, effect)
        except Killed:
            self.dead = True
            raise

    def _call(self, what: str, site: str, effect: Callable[[str], T]) -> T:
        kind, _, key = what.partition(" ")
        call = Call(kind, key, self.instance)
        if site in TO_THE_BUCKET:
            self.note(call)
        self._wait(self.request_delay)
        for hook in list(self.before):
            hook(call)
        with ONE_AT_A_TIME:
            result = effect("")
        for hook in list(self.after):
            hook(call)
        self._wait(self.answer_delay)
        return result

    def caller(self) -> str:
        return self.instance

    def tell(self, who: str, what: str) -> None:
        """Nobody listens."""

    def violate(self, name: str, what: str) -> None:
        raise AssertionError(f"{name}: {what}")

    def _wait(self, delay: Delay | None) -> None:
        if delay is not None:
            self.kernel.wait(delay())


def once(kind: str, key_part: str, action: Callable[[], object]) -> Hook:
    """A hook that acts on the first request of a kind whose key holds `key_part`."""
    done = False

    def hook(call: Call) -> None:
        nonlocal done
        if not done and call.kind == kind and key_part in call.key:
            done = True
            action()

    return hook


def at(number: int, action: Callable[[], object]) -> Hook:
    """A hook that acts at an instance's request `number`, counted from 1."""
    seen = 0

    def hook(_call: Call) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            action()

    return hook


def at_every_request(play: Callable[[int], bool]) -> int:
    """Call `play` for request 1, 2, … until there is no such request; how many there were."""
    return next(number - 1 for number in count(1) if not play(number))


def fail() -> None:
    """As a hook's action: the request or its answer is lost."""
    raise StoreError("Could not reach OSS.")


def die() -> None:
    """As a hook's action: the instance is killed."""
    raise Killed
