"""Mistakes about what comes in: files, HTTP requests, repeated ones, indexes, lists."""

from __future__ import annotations

from shared.api.jobs_api import jobs, taking
from shared.jobs.dead_letters import DeadLetters
from shared.jobs.idempotency import IdempotencyKeys
from shared.jobs.intake import Intake, Source
from shared.jobs.rebuild import Rebuild
from shared.jobs.repair import Repair
from shared.jobs.retry import Retries
from shared.ledger.job_index import JobIndex
from shared.storage.oss import OssStore
from tests.simulation.mutating import Change, named, rewritten


def index_not_written() -> list[Change]:
    return [(JobIndex, "add", lambda _self, _job, _created_at: False)]


def index_by_the_last_record() -> list[Change]:
    old = "first = last if last.seq == 1 else self.ledger.records.get(last.job, 1)"
    return [rewritten(Intake, "_index_again", old, "first = last")]


def first_page_of_the_store() -> list[Change]:
    return [rewritten(OssStore, "list", "if not page.is_truncated:", "if True:")]


def clash_swallowed() -> list[Change]:
    return [rewritten(Intake, "_met_before", "if last.digest != draft.digest:", "if False:")]


def clash_replaces() -> list[Change]:
    old = "if last.state == REJECTED:"
    return [rewritten(Intake, "_met_before", old, "if last.digest != draft.digest:")]


def rejected_for_good() -> list[Change]:
    return [rewritten(Intake, "_met_before", "if last.state == REJECTED:", "if False:")]


def every_document_the_same_job() -> list[Change]:
    old = '(f"-{index + 1}" if self.documents > 1 else "")'
    return [rewritten(Source, "job_id", old, '""')]


def idempotency_key_ignored() -> list[Change]:
    _, name, wrong = rewritten(taking, "source_of", "if key is not None:", "if False:")
    return [(jobs, name, wrong)]


def idempotency_key_forgotten() -> list[Change]:
    return [(IdempotencyKeys, "claim", lambda _self, _key, _request, answer: answer)]


def retry_doubled() -> list[Change]:
    old = "if last.state not in RETRYABLE:"
    return [rewritten(Retries, "_next", old, "if False:")]


def retry_key_ignored() -> list[Change]:
    return [rewritten(Retries, "retry", "if key is not None:", "if False:")]


def rebuilt_without_markers() -> list[Change]:
    old = "done.markers_made += ledger.queue.add(last)"
    return [rewritten(Rebuild, "_restore", old, "pass")]


def rebuilt_without_index() -> list[Change]:
    return [rewritten(Rebuild, "_job", "if not indexed:", "if False:")]


def dead_event_dropped() -> list[Change]:
    old = "self.store.put(key, json.dumps(document, ensure_ascii=False, indent=2).encode())"
    return [rewritten(DeadLetters, "write", old, "pass")]


def redriven_into_nothing() -> list[Change]:
    old = "taken = self.acceptance.job_file(file)"
    return [rewritten(Repair, "redrive", old, "taken: list[Any] = []")]


ENTRANCES = named(
    ("the job index is never written", index_not_written),
    ("the job index holds a job more than once", index_by_the_last_record),
    ("only the first page of the store's list is read", first_page_of_the_store),
    ("a second document under an id is swallowed", clash_swallowed),
    ("a second document under an id replaces the first", clash_replaces),
    ("a corrected file stays rejected", rejected_for_good),
    ("all documents of a file get the same id", every_document_the_same_job),
    ("the Idempotency-Key of a request is ignored", idempotency_key_ignored),
    ("the answer under an Idempotency-Key is not kept", idempotency_key_forgotten),
    ("a retry that runs or has succeeded is made again", retry_doubled),
    ("the Idempotency-Key of a retry is ignored", retry_key_ignored),
    ("a rebuild makes no markers", rebuilt_without_markers),
    ("a rebuild makes no index", rebuilt_without_index),
    ("an event that is given up is dropped", dead_event_dropped),
    ("a dead event is put back into nothing", redriven_into_nothing),
)
