"""Mistakes about what happens in which order, who may send, and what is known of an attempt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from shared.jobs import collect, images
from shared.jobs.accept import Acceptance
from shared.jobs.intake import Intake, IntakeOutcome, Source
from shared.jobs.reconcile import Reconciliation
from shared.jobs.submit import Submission
from shared.jobs.task_matching import Evidence
from shared.jobs.transitions import Transitions
from shared.ledger.codec import encode
from shared.ledger.record import SUBMITTING, Record
from shared.ledger.records import Records
from shared.ledger.slots import Slot, Slots
from shared.modelstudio.client import ModelStudio, OutcomeUnknown
from shared.platform.clock import iso, nonce
from shared.poller.follower import Follower
from shared.poller.poller import Poller
from shared.storage import layout
from shared.storage.objects import StoreError
from shared.storage.oss import OssStore
from tests.simulation.kernel import current
from tests.simulation.mutating import Change, named, rewritten


def post_before_record() -> list[Change]:
    append, create = Records.append, ModelStudio.create
    kept: dict[Any, tuple[Records, Record]] = {}

    def late_append(self: Records, draft: Record) -> Record | None:
        if draft.state != SUBMITTING or draft.slot_seq != draft.seq:
            return append(self, draft)
        made = replace(draft, at=iso(self.clock.now()), nonce=nonce(self.rng))
        kept[current()] = (self, made)
        return made

    def early_create(self: ModelStudio, endpoint: str, body: Any) -> Any:
        outcome = create(self, endpoint, body)
        records, made = kept.pop(current())
        records.store.create(layout.record(made.job, made.seq), encode(made))
        return outcome

    return [(Records, "append", late_append), (ModelStudio, "create", early_create)]


def conflict_is_success() -> list[Change]:
    append = Records.append

    def believing(self: Records, draft: Record) -> Record:
        return append(self, draft) or replace(draft, at=iso(self.clock.now()))

    return [(Records, "append", believing)]


def slot_before_result() -> list[Change]:
    finish = Transitions.finish

    def freeing(self: Transitions, last: Record, *rest: Any) -> Record | None:
        if last.slot is not None:
            self.ledger.slots.free(last.slot)
        return finish(self, last, *rest)

    return [(Transitions, "finish", freeing)]


def unknown_is_sent_again() -> list[Change]:
    create = ModelStudio.create

    def insisting(self: ModelStudio, endpoint: str, body: Any) -> Any:
        outcome = create(self, endpoint, body)
        return create(self, endpoint, body) if isinstance(outcome, OutcomeUnknown) else outcome

    return [(ModelStudio, "create", insisting)]


def slot_without_mark() -> list[Change]:
    return [rewritten(Slots, "claim", "nonce(self.rng)[:12]", "'0' * 12")]


def slot_of_the_job() -> list[Change]:
    """One slot for all attempts of a job: a late instance frees the slot of a later attempt."""
    free = Slots.free

    def freeing_all(self: Slots, slot: Slot) -> None:
        free(self, slot)
        for one in self.held(slot.model):
            if one.slot.job == slot.job:
                free(self, one.slot)

    return [(Slots, "free", freeing_all)]


def marker_before_record() -> list[Change]:
    with_slot = Submission._with_slot

    def eager(self: Submission, last: Record, *rest: Any) -> Any:
        self.ledger.queue.remove(last)
        return with_slot(self, last, *rest)

    return [(Submission, "_with_slot", eager)]


def manifest_before_record() -> list[Change]:
    append = Records.append

    def announcing(self: Records, draft: Record) -> Record | None:
        if draft.manifest is not None:
            text = json.dumps(draft.manifest.document, ensure_ascii=False, indent=2)
            self.store.put(layout.result(draft.job), text.encode())
        return append(self, draft)

    return [(Records, "append", announcing)]


def slot_before_manifest() -> list[Change]:
    complete = Transitions.complete

    def freeing(self: Transitions, ended: Record, **how: Any) -> None:
        if ended.slot is not None:
            self.ledger.slots.free(ended.slot)
        complete(self, ended, **how)

    return [(Transitions, "complete", freeing)]


def image_after_record() -> list[Change]:
    store_image, append = images.store_image, Records.append
    kept: dict[Any, list[Any]] = {}

    class RetryLater:
        def __init__(self, store: Any) -> None:
            self.store = store

        def put_file(self, key: str, file: Any, _md5: bytes, media_type: str) -> None:
            file.seek(0)
            what = (key, file.read(), media_type)
            kept.setdefault(current(), []).append((self.store, what))

    def storing(store: Any, *rest: Any) -> Any:
        later: Any = RetryLater(store)
        return store_image(later, *rest)

    def then(self: Records, draft: Record) -> Record | None:
        made = append(self, draft)
        for store, image in kept.pop(current(), ()):
            store.put(*image)
        return made

    return [(collect, "store_image", storing), (Records, "append", then)]


def rest_without_second_look() -> list[Change]:
    def content(self: Poller) -> bool:
        self.ledger.lease.release()
        return True

    return [(Poller, "_rested", content)]


def orphan_never_freed() -> list[Change]:
    return [(Follower, "_orphan", lambda _self, _slot: None)]


def doubt_of_others_ignored() -> list[Change]:
    verdict = Evidence.verdict

    def sure(self: Evidence) -> Any:
        return verdict(replace(self, others=()))

    return [(Evidence, "verdict", sure)]


def no_grace() -> list[Change]:
    resolve = Reconciliation.resolve

    def hasty(self: Reconciliation, last: Record) -> Record | None:
        self.grace = 0.0
        return resolve(self, last)

    return [(Reconciliation, "resolve", hasty)]


def own_success_not_known() -> list[Change]:
    return [(OssStore, "_holds", lambda _self, _key, _body: False)]


def each_event_a_job() -> list[Change]:
    take = Intake.take

    def taking(self: Intake, body: bytes, source: Source) -> Any:
        stamped = f"{source.etag}{self.ledger.clock.now()}"
        return take(self, body, replace(source, etag=stamped))

    return [(Intake, "take", taking)]


def event_swallowed() -> list[Change]:
    job_file = Acceptance.job_file

    def careless(self: Acceptance, key: str) -> Any:
        try:
            return job_file(self, key)
        except StoreError:
            return []

    return [(Acceptance, "job_file", careless)]


def undone_stays_undone() -> list[Change]:
    return [(Intake, "known", lambda _self, last: IntakeOutcome(last.job, last, False))]


LOCKS = named(
    ("the POST goes out before the record SUBMITTING", post_before_record),
    ("a record that somebody else made is taken for one's own", conflict_is_success),
    ("the slot is freed before result and record", slot_before_result),
    ("a submission of unknown outcome is sent again", unknown_is_sent_again),
    ("two claims of one attempt share a slot", slot_without_mark),
    ("a slot belongs to the job, not to the attempt", slot_of_the_job),
    ("the marker goes before the job is on its way", marker_before_record),
    ("the manifest comes before the record that decides", manifest_before_record),
    ("the slot is freed before the manifest is written", slot_before_manifest),
    ("images come after the record that names them", image_after_record),
    ("a poller rests without a second look", rest_without_second_look),
    ("an orphaned slot is never freed", orphan_never_freed),
    ("a task is adopted while others are in doubt", doubt_of_others_ignored),
    ("nothing is waited for before a second submission", no_grace),
    ("create does not know its own lost success", own_success_not_known),
    ("a repeated event makes a second job", each_event_a_job),
    ("a failed event is not reported as failed", event_swallowed),
    ("a repeated event does not do what a dead instance left undone", undone_stays_undone),
)
