"""Calls that wait for their jobs, and which of them is a repetition of which.

A call that brings no answer is sent again, by programs and people alike. Were that another job each
time, one slow image would be paid several times. So a call is written down before its job is made,
and again when its answer was delivered, or when it ended without one.

The answer can only be known to have left the function: whether it arrived is the caller's to say.
So a call that says it is a repetition also gets the job of a call that was answered. One that does
not say gets that of a call that still waits: its caller may have hung up, which not every platform
passes on, and waiting twice for one job costs less than paying for two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.jobs.idempotency import IdempotencyKey
from shared.platform.clock import Clock
from shared.storage import layout
from shared.storage.objects import Entry, ObjectStore

KEPT = 3600.0
"""Seconds for which a call can be taken up."""
LONGEST = 150.0
"""Seconds after which a call that ended in no known way has ended: the function's time-out is 120
(s.yaml)."""
SETTLED = 5.0
"""Seconds after which whoever takes up a call has written down its own."""
MOST = 400
"""Objects of one caller and one request that are looked at, the newest: about a hundred calls."""
LEFT, DELIVERED, TAKEN = "~left", "~delivered", "~taken"
"""How a call ended, and that its job is another call's now: what is added to its key."""
NEXT = "~next"
"""Which job the next call is for: those that begin at the same moment find no call of each other,
but all ask for this one object after the newest call that they found."""
CLAIM_BYTES = 1000


@dataclass(frozen=True)
class _Call:
    """A call as the listing shows it, in seconds by the store's clock."""

    key: str
    age: float
    marks: frozenset[str]
    idle: float = 0.0
    """Since its last mark."""

    @property
    def job(self) -> str:
        return layout.job_of_call(self.key)

    @property
    def is_left(self) -> bool:
        return LEFT in self.marks or (not self.has_ended and self.age > LONGEST)

    @property
    def has_ended(self) -> bool:
        return bool(self.marks & {LEFT, DELIVERED})


@dataclass(frozen=True)
class Waiting:
    """A call that was written down: its job, and the key of its object."""

    job: str
    key: str


@dataclass
class Repeats:
    """The calls. Their objects are only ever created, so that each is taken up once."""

    store: ObjectStore
    clock: Clock

    def begin(self, owner: str, request: bytes, job: str, *, repeated: bool | None) -> Waiting:
        """Write down a call for what `owner` asks for; `job`: the id of its job if it is a new one.

        It gets the job of the oldest call for the same that ended without an answer, or else of the
        oldest one that still waits, unless it says that it is a first try (`repeated` is False). A
        call that says it is a repetition gets otherwise that of the last that was answered. Raises
        StoreError.
        """
        mark = IdempotencyKey(owner, f"call\n{request.hex()}").mark
        calls = self._calls(mark)
        known = next(self._taken_up(calls, repeated), None)
        taken = known.job if known else job
        if known is None and repeated is None:
            taken = self._claimed(calls[0].key if calls else layout.calls_of(mark), job)
        began_ms = int(self.clock.now() * 1000)
        while True:
            key = layout.call(mark, began_ms, taken)
            if self.store.create(key, b"{}").created:
                return Waiting(taken, key)
            began_ms += 1

    def delivered(self, call: Waiting) -> None:
        """The answer is on its way, all but its end. Raises StoreError."""
        self.store.create(f"{call.key}{DELIVERED}", b"{}")

    def left(self, call: Waiting) -> None:
        """The call ended without its answer: the same one again gets its job. Raises StoreError."""
        self.store.create(f"{call.key}{LEFT}", b"{}")

    def _claimed(self, newest: str, job: str) -> str:
        """`job`, or that of a call which has found the same calls just now. Raises StoreError."""
        claim = f"{newest}{NEXT}"
        if self.store.create(claim, job.encode()).created:
            return job
        found = next(iter(self.store.list(claim, limit=1)), None)
        if found is None or _age(found) > SETTLED:
            return job  # the other call was never written down
        return self.store.read(claim, CLAIM_BYTES).body.decode()

    def _taken_up(self, known: Sequence[_Call], repeated: bool | None) -> Iterator[_Call]:
        """The calls whose jobs this call may have, each from now on its own."""
        calls = [one for one in known if one.age <= KEPT]
        free = [one for one in calls if TAKEN not in one.marks]
        left = [one for one in reversed(free) if one.is_left]
        others = [one for one in free if not one.is_left] if repeated is not False else []
        open_ones = [one for one in reversed(others) if not one.has_ended]
        answered = [one for one in others if one.has_ended] if repeated else []
        lost = [one for one in _lost(calls) if _may_take(one, repeated)]
        shared = [*lost, *(open_ones if repeated is None else ())]
        for one in (*left, *open_ones, *lost, *answered):
            first = one not in lost and self.store.create(f"{one.key}{TAKEN}", b"{}").created
            if first or one in shared:
                yield one

    def _calls(self, mark: str) -> list[_Call]:
        """The newest first. A mark follows its call in byte order."""
        found: list[_Call] = []
        for entry in self.store.list(layout.calls_of(mark), limit=MOST):
            key, tilde, word = entry.key.partition("~")
            if not tilde:
                found.append(_Call(key, _age(entry), frozenset()))
            elif found and found[-1].key == key and f"~{word}" != NEXT:
                marks = found[-1].marks | {f"~{word}"}
                idle = min(_age(entry), found[-1].idle or _age(entry))
                found[-1] = _Call(key, found[-1].age, marks, idle)
        return found


def _lost(calls: Sequence[_Call]) -> Iterator[_Call]:
    """The calls, of those given newest first, that were taken up by one that was never written
    down: the store failed, or the instance died. The oldest first."""
    newest = {one.job: one for one in reversed(calls)}
    return (one for one in newest.values() if TAKEN in one.marks)


def _may_take(lost: _Call, repeated: bool | None) -> bool:
    silent_wait = repeated is None and not lost.has_ended
    return bool(repeated) or silent_wait or lost.idle > SETTLED


def _age(entry: Entry) -> float:
    return max(0.0, entry.listed_at - entry.modified)
