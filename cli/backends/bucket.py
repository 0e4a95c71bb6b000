"""The jobs straight from the bucket, with the keys of the environment."""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.backends.protocol import Listing, Submitted, View, Wanted
from cli.trouble import Refused, Trouble
from shared.app import App, for_invocation
from shared.jobfile.pointers import find
from shared.jobs.cancel import NotCancelable
from shared.jobs.intake import IntakeOutcome, Source
from shared.jobs.retry import MOST_RETRIES, retry_names
from shared.ledger.job_index import IndexEntry, JobIndex
from shared.ledger.record import as_written, spec_seq
from shared.ledger.records import (
    CANCELED,
    FINAL,
    REJECTED,
    RETRYABLE,
    Record,
)
from shared.modelstudio.client import ServiceError
from shared.platform.clock import iso, nonce
from shared.platform.settings import SettingsError
from shared.storage import layout
from shared.storage.objects import ObjectMissing, StoreError

READERS = 8
"""Jobs read at once for a list; each costs a few small requests."""
MOST_SEARCHED = 2000
"""Jobs a filtered list looks at before it says that there may be more."""
PIECE = 4 * 1024 * 1024
NO_KEY = "not-set"
"""Stands for the model service's key where there is none: only canceling asks that service."""


def open_bucket(environ: Mapping[str, str]) -> BucketBackend:
    """Connect. Raises Trouble with the reason in words."""
    quiet()
    filled = dict(environ)
    if not filled.get("DASHSCOPE_API_KEY_SECRET"):
        filled["DASHSCOPE_API_KEY"] = filled.get("DASHSCOPE_API_KEY") or NO_KEY
    try:
        return BucketBackend(for_invocation(filled))
    except SettingsError as error:
        raise Trouble(f"{_for_people(str(error))} `wanx doctor` looks at all of it.") from None
    except StoreError as error:
        raise Trouble(f"{error} `wanx doctor` finds out why.") from None


def quiet() -> None:
    """The library's log is for the functions; a person gets answers, and the log with -v."""
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())


def _for_people(text: str) -> str:
    if "credentials" in text:
        return "No keys for OSS: set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET."
    what, lacking, _ = text.partition(": set them")
    return f"{what}: set it, or name a file of settings with --env." if lacking else text


@dataclass
class BucketBackend:
    """`cli.backends.protocol.Backend` on a bucket."""

    app: App
    _known: dict[str, Record] = field(default_factory=dict)
    _specs: dict[tuple[str, int], Record] = field(default_factory=dict)

    @property
    def place(self) -> str:
        settings = self.app.settings
        return f"bucket {settings.oss_bucket} at {settings.oss_endpoint}"

    def submit(self, body: bytes, name: str) -> list[Submitted]:
        """As if the file had been dropped into jobs/: the same file is the same job."""
        try:
            taken = self.app.intake.take(body, source_of(body, name))
            self.app.dispatch.ensure_polled(taken)
        except StoreError as error:
            raise _trouble(error) from None
        return [_submitted(one) for one in taken]

    def status(self, job: str) -> View | None:
        try:
            last = self._last(job)
            return None if last is None else self._view(last)
        except StoreError as error:
            raise _trouble(error) from None

    def listing(self, wanted: Wanted) -> Listing:
        try:
            return self._listing(wanted)
        except StoreError as error:
            raise _trouble(error) from None

    def cancel(self, job: str) -> View:
        try:
            return self._view(self.app.cancellation.cancel(job))
        except NotCancelable as error:
            raise Refused(_why_not(error.last)) from None
        except ServiceError as error:
            text = f"it waits at the model service, which answered {error.code}: {error.message};"
            raise Trouble(f"{text} `wanx doctor` looks at key and endpoint.") from None
        except StoreError as error:
            raise _trouble(error) from None

    def retry(self, job: str) -> Submitted:
        try:
            return self._retry(job)
        except StoreError as error:
            raise _trouble(error) from None

    def events(self, job: str) -> list[View] | None:
        try:
            chain = self.app.records.chain(job) if layout.is_job_id(job) else []
        except StoreError as error:
            raise _trouble(error) from None
        return [_event(record) for record in chain] or None

    def image(self, view: View, image: Mapping[str, Any], start: int) -> Iterator[bytes]:
        try:
            while True:
                part = self.app.store.read_range(str(image["key"]), start, PIECE)
                yield part.body
                start += len(part.body)
                if not part.body or start >= part.size:
                    return
        except ObjectMissing:
            raise Trouble(f"{image['key']} does not lie in the bucket any more.") from None
        except StoreError as error:
            raise _trouble(error) from None

    def _last(self, job: str) -> Record | None:
        """The chain is walked once from its start, and from where it was after that."""
        if not layout.is_job_id(job):
            return None
        known = self._known.get(job)
        last = self.app.records.last_from(known) if known else self.app.records.last(job)
        if last is not None:
            self._known[job] = last
        return last

    def _view(self, last: Record) -> View:
        data, first = last.data, self._early(last, 1)
        holder = self._early(last, spec_seq(last))
        spec = holder.data.get("spec") or {}
        manifest = data.get("manifest") or {}
        return {
            "job": last.job,
            "state": last.state,
            "model": data.get("model"),
            "created_at": first.at,
            "submitted_at": data.get("submitted_at"),
            "at": last.at,
            "expires_at": data.get("expires_at"),
            "priority": data.get("priority"),
            "task_id": data.get("task_id"),
            "attempt": data.get("attempt", 0),
            "labels": spec.get("labels") or {},
            "prompt": (spec.get("input") or {}).get("prompt"),
            "retried_from": holder.data.get("retried_from"),
            "warnings": holder.data.get("warnings", []),
            "error": manifest.get("error") or data.get("error"),
            "result_key": layout.result(last.job),
            "result": data.get("manifest") if last.state in FINAL else None,
        }

    def _early(self, last: Record, seq: int) -> Record:
        """A record that never changes again, read once."""
        if seq == last.seq:
            return last
        found = self._specs.get((last.job, seq)) or self.app.records.get(last.job, seq) or last
        self._specs[last.job, seq] = found
        return found

    def _listing(self, wanted: Wanted) -> Listing:
        index = JobIndex(self.app.store).newest(since_ms=int(wanted.since * 1000))
        found: list[View] = []
        searched = 0
        with ThreadPoolExecutor(READERS) as pool:
            while batch := list(itertools.islice(index, READERS)):
                searched += len(batch)
                found += [one for one in pool.map(self._indexed, batch) if _fits(one, wanted)]
                if len(found) >= wanted.limit:
                    return Listing(found[: wanted.limit], "there may be older ones: --limit")
                if searched >= MOST_SEARCHED:
                    return Listing(found, f"the newest {searched} jobs were looked at")
        return Listing(found)

    def _indexed(self, entry: IndexEntry) -> View:
        last = self.app.records.last(entry.job)
        if last is None:
            return {"job": entry.job, "state": "", "created_at": iso(entry.created_ms / 1000)}
        return self._view(last)

    def _retry(self, job: str) -> Submitted:
        last = self._last(job)
        if last is None:
            raise Refused("there is no such job; `wanx list` shows those there are")
        if last.state not in RETRYABLE:
            raise Refused(_no_retry(last.state))
        holder = self.app.records.get(job, spec_seq(last))
        spec = dict(holder.data["spec"]) if holder else {}
        name = self._free_name(job, bool(holder and "retried_from" in holder.data))
        request = {part: spec[part] for part in ("model", "input", "parameters")}
        own = {**(as_written(spec) or {})["job"], "id": name}
        facts = {"retried_from": job}
        source = Source(f"retry/{job}.json", nonce(self.app.rng), facts=facts)
        taken = self.app.intake.take_value({**request, "job": own}, source)
        self.app.dispatch.ensure_polled([taken])
        return _submitted(taken)

    def _free_name(self, job: str, is_retry: bool) -> str:
        for name in retry_names(job, is_retry):
            if self.app.records.get(name, 1) is None:
                return name
        raise Refused(f"it was retried {MOST_RETRIES} times; submit its job file under another id")


def source_of(body: bytes, name: str) -> Source:
    """The source the file would have after an upload to jobs/: OSS's ETag of a simple upload is
    the content's MD5 in capitals (PutObject page)."""
    return Source(f"{layout.JOB_FILES}{Path(name).name}", hashlib.md5(body).hexdigest().upper())


def _submitted(one: IntakeOutcome) -> Submitted:
    violations = tuple(violation.to_dict() for violation in one.violations)
    return Submitted(one.job, one.record.state, one.new, violations)


def _fits(view: View, wanted: Wanted) -> bool:
    if wanted.states and view["state"] not in wanted.states:
        return False
    return wanted.model is None or view.get("model") == wanted.model


def _event(record: Record) -> View:
    """A record without the request's payloads, which may be megabytes."""
    hidden = ("spec", "digest", "written", "nonce", "slot_mark")
    kept = {name: value for name, value in record.data.items() if name not in hidden}
    prompt = next((text for _, text in find(record.data.get("spec"), "/input/prompt")), None)
    shown = {"prompt": prompt} if prompt is not None else {}
    return {"seq": record.seq, "state": record.state, "at": record.at, **kept, **shown}


def _why_not(last: Record | None) -> str:
    if last is None:
        return "there is no such job; `wanx list` shows those there are"
    if last.state == CANCELED:
        return "it is CANCELED already"
    if last.state in FINAL:
        return f"it is over ({last.state})"
    return f"it is {last.state}; only a job that still waits can be canceled"


def _no_retry(state: str) -> str:
    if state == REJECTED:
        return "it was REJECTED: correct its job file and submit that again"
    if state in FINAL:
        return "it SUCCEEDED; for other images submit its job file under another job.id"
    return f"it is still under way ({state})"


def _trouble(error: StoreError) -> Trouble:
    return Trouble(f"{error} Nothing is left half done; try again, or ask `wanx doctor`.")
