"""The simulation's bucket and the real store on it, as tests without a whole world use them."""

from __future__ import annotations

import random
from collections import Counter

from shared.storage.oss import OssStore
from tests.kit.hooks import Call, Delay, Hook, InstanceNetwork
from tests.simulation.bucket import SimBucket
from tests.simulation.kernel import InstanceClock, Kernel

ENDLESS = 200_000


class Bucket(SimBucket):
    """The bucket, and what was asked of it; `skew` is its clock minus true time.

    What tests do to it themselves is not counted.
    """

    def __init__(self, kernel: Kernel, skew: float = 0.0, most_calls: int = ENDLESS) -> None:
        super().__init__(InstanceNetwork(kernel, "nobody", self.note), skew)
        self.kernel = kernel
        self.most_calls = most_calls
        self.calls: list[Call] = []

    def peek(self, key: str) -> bytes:
        """An object's body. Raises KeyError."""
        return self.objects[key].body

    def holds(self, key: str) -> bool:
        return key in self.objects

    def count(self, kind: str | None = None) -> int:
        """How many requests of a kind there were, or of all kinds."""
        counts = Counter(call.kind for call in self.calls)
        return counts.total() if kind is None else counts[kind]

    def note(self, call: Call) -> None:
        """Count a request. Raises AssertionError where a program seems to go round for ever."""
        self.calls.append(call)
        if len(self.calls) > self.most_calls:
            raise AssertionError(f"more than {self.most_calls} requests; the last: {call}")


class Store(OssStore):
    """One instance's store, with the hooks on its way to the bucket."""

    def __init__(
        self,
        bucket: Bucket,
        instance: str = "a",
        request_delay: Delay | None = None,
        answer_delay: Delay | None = None,
    ) -> None:
        kernel = bucket.kernel
        self.network = InstanceNetwork(kernel, instance, bucket.note, request_delay, answer_delay)
        seen = bucket.over(self.network)
        super().__init__(seen, seen, InstanceClock(kernel), random.Random(instance))

    @property
    def before(self) -> list[Hook]:
        return self.network.before

    @property
    def after(self) -> list[Hook]:
        return self.network.after
