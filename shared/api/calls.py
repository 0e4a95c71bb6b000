"""Calls that wait for their jobs, of every wire: begun once however often they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import falcon

from shared.api.delivery import Delivery, has_hung_up, quietly
from shared.api.tokens import Caller
from shared.api.waiting import record_when
from shared.app import App
from shared.jobs.idempotency import IdempotencyKey, IdempotencyKeys
from shared.jobs.repeats import Repeats, Waiting
from shared.ledger.record import REJECTED, Record

LONGEST_CALL = 100
"""Seconds that a call waits for its job; the function ends requests after 120 (s.yaml)."""


@dataclass(frozen=True)
class Asked:
    """What a request asks for. `content` is the same for requests that ask for the same; `key`: its
    Idempotency-Key; `repeated`: whether it says that it was sent before, None if it does not say.
    `make` makes the job of an id."""

    caller: Caller
    content: bytes
    key: IdempotencyKey | None
    repeated: bool | None
    make: Callable[[str], Record]


@dataclass
class Call:
    """One request that waits for its job."""

    app: App
    asked: Asked
    job: str = field(default="", init=False)
    _is_new: bool = field(default=True, init=False)
    _waiting: Waiting | None = field(default=None, init=False)

    def begin(self, fresh: str) -> None:
        """Write the call down; `fresh` is the id of its job, if the same request has made none.

        Raises KeyReused, StoreError.
        """
        asked = self.asked
        if asked.key is not None:
            keys = IdempotencyKeys(self.app.store)
            self.job = keys.claim(asked.key, asked.content, fresh)
        else:
            mark, repeated = asked.caller.mark, asked.repeated
            self._waiting = self._repeats.begin(mark, asked.content, fresh, repeated=repeated)
            self.job = self._waiting.job
        self._is_new = self.job == fresh

    def start(self) -> Record:
        """The last record of the call's job, which is made if it is not there.

        Without what may be megabytes of images: many calls wait at once. Raises StoreError, and
        what making the job raises.
        """
        with self.kept():
            last = None if self._is_new else self.app.ledger.records.last(self.job)
            if last is None or (
                last.state == REJECTED and not last.erased
            ):  # its files may lie elsewhere this time
                record = self.asked.make(self.job)
            else:
                record = self.app.acceptance.known(last).record
        return replace(record, spec=None)

    def wait(self, begun: Record, patience: float, request: falcon.Request) -> Record:
        """The job's last record once it is over, the time is, or the caller has hung up.

        Raises StoreError.
        """
        with self.kept():
            return record_when(
                self.app, begun, patience, lambda now: now.is_final or has_hung_up(request)
            )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keeps the job for the same request again where the block raises."""
        try:
            yield
        except Exception:
            self.leave()
            raise

    def leave(self) -> None:
        """The request ends without its answer; sent again it gets the same job."""
        if self._waiting is not None:
            waiting = self._waiting
            quietly(lambda: self._repeats.left(waiting))

    def delivered(self) -> None:
        """The answer is all but sent, or says that the job failed."""
        if self._waiting is not None:
            waiting = self._waiting
            quietly(lambda: self._repeats.delivered(waiting))

    def answer(self, response: falcon.Response, body: Iterator[bytes], size: int) -> None:
        """Send a body of `size` bytes, and note whether it was delivered."""
        response.stream = Delivery(body, self.delivered, self.leave)
        response.content_length = size

    @property
    def _repeats(self) -> Repeats:
        return Repeats(self.app.store, self.app.clock)
