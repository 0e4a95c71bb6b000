"""A job's record: one immutable, numbered state of one job.

Every field has a name and a type here. `shared.ledger.codec` turns a record into JSON, and
schemas/record.schema.yaml describes that form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.catalogue.errors import JobError
from shared.catalogue.price import Bill
from shared.jobfile import JobSpec
from shared.ledger.manifest import Manifest, StoredImage
from shared.ledger.slots import Slot

QUEUED = "QUEUED"
SUBMITTING = "SUBMITTING"
PENDING = "PENDING"
RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
CANCELED = "CANCELED"
REJECTED = "REJECTED"
EXPIRED = "EXPIRED"
NEEDS_ATTENTION = "NEEDS_ATTENTION"

STATES = (
    QUEUED,
    SUBMITTING,
    PENDING,
    RUNNING,
    SUCCEEDED,
    FAILED,
    CANCELED,
    REJECTED,
    EXPIRED,
    NEEDS_ATTENTION,
)
IN_FLIGHT = frozenset({SUBMITTING, PENDING, RUNNING})
RETRYABLE = (FAILED, EXPIRED, CANCELED, NEEDS_ATTENTION)
"""States from which a person may run the job again, as a new job."""
FINAL = frozenset({SUCCEEDED, FAILED, CANCELED, REJECTED, EXPIRED, NEEDS_ATTENTION})

FOR_GOOD = frozenset({SUCCEEDED, FAILED, EXPIRED})
"""Final states that no record follows: a rejected job may go on with a corrected file, a canceled
one or one that needs attention with a task that a person gives it, or with a call's late answer."""

VERSION, WITH_CALLS = 1, 2
"""The version that a reader needs to go on with a record. Records without one were written before
versions existed. One that an older release must leave alone gets a higher one, and no other: a call
under way would be looked up in the list of tasks, not found there, and sent again."""
READABLE = WITH_CALLS
"""The highest version that this release knows."""


@dataclass(frozen=True)
class Origin:
    """The document a job came from: key and ETag of the object, place in the file from 1."""

    key: str
    etag: str
    document: int


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record. Times are RFC 3339 UTC; `queued_ms` is in milliseconds since 1970.

    `version` is the version it was read with. `written` is the digest of the document as it was
    written, `digest` that of the request it asks for. `spec_seq` names the record that holds the
    spec. `webhook`: who is told of the job. `tenant` and `api_key` (its name, never the key) are
    None in records from before there were any. `not_before` delays the next attempt. `epoch` is
    that of the lease under which the attempt was sent. `call`: the attempt is a call of a
    synchronous model, which has no task. `paid` images and what they cost (`bill`), the images
    `kept` and the numbers `missing` are what earlier attempts of a partial success left behind;
    records from before there were bills have none.

    The last group belongs to one record only; the next record starts without it. `unknown` says
    why the outcome of a submission is unknown. `answer` is what the service answered to a call,
    the only copy of its result URLs. `pictures`: keys of the bucket that a rejected document names;
    its manifest may hold too little of it to tell. `manifest` is set in final states. `erased`:
    when texts and pictures were taken out of a record that was written with them.
    """

    job: str
    seq: int
    state: str
    at: str = ""
    nonce: str = ""
    version: int = VERSION

    model: str = ""
    priority: int = 0
    tenant: str | None = None
    queued_ms: int = 0
    digest: str = ""
    written: str = ""
    spec_seq: int = 1
    webhook: str | None = None
    expires_at: str | None = None
    attempt: int = 0
    slot_seq: int | None = None
    slot_mark: str | None = None
    api_key: str | None = None
    epoch: int | None = None
    call: bool = False
    task_id: str | None = None
    submitted_at: str | None = None
    create_request_id: str | None = None
    not_before: str | None = None
    paid: int = 0
    bill: Bill | None = None
    kept: tuple[StoredImage, ...] = ()
    missing: tuple[int, ...] = ()

    spec: JobSpec | None = None
    source: Origin | None = None
    retried_from: str | None = None
    warnings: tuple[Mapping[str, Any], ...] = ()
    violations: tuple[Mapping[str, Any], ...] = ()
    pictures: tuple[str, ...] = ()
    unknown: str | None = None
    answer: Mapping[str, Any] | None = None
    error: JobError | None = None
    manifest: Manifest | None = None
    erased: str | None = None

    def following(self, state: str) -> Record:
        """A draft of the job's next record, without the fields that belong to one record only."""
        return replace(
            self,
            seq=self.seq + 1,
            state=state,
            at="",
            nonce="",
            version=VERSION,
            spec=None,
            source=None,
            retried_from=None,
            warnings=(),
            violations=(),
            pictures=(),
            unknown=None,
            answer=None,
            error=None,
            manifest=None,
            erased=None,
        )

    def claimed(self, slot: Slot) -> Record:
        """The same draft, for the attempt of a slot."""
        return replace(self, slot_seq=slot.seq, slot_mark=slot.mark, api_key=slot.api_key)

    @property
    def slot(self) -> Slot | None:
        """The slot that the record's attempt was claimed with."""
        if self.slot_seq is None or self.slot_mark is None:
            return None
        return Slot(self.api_key, self.model, self.job, self.slot_seq, self.slot_mark)

    @property
    def needs(self) -> int:
        """The version that a reader needs."""
        return WITH_CALLS if self.call and self.state in IN_FLIGHT else VERSION

    @property
    def is_final(self) -> bool:
        """Whether the job is over."""
        return self.state in FINAL

    def holds(self, slot: Slot) -> bool:
        """Whether this, the job's last record, says that a slot's attempt is under way."""
        return self.state in IN_FLIGHT and self.slot == slot
