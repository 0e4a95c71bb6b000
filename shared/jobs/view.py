"""A job as people and programs see it: the one view behind every front."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalogue.errors import OURS
from shared.jobfile.written import as_written, labels_of, without_payload
from shared.jobs.estimates import Estimates
from shared.jobs.tries import shown
from shared.ledger import codec
from shared.ledger.ledger import Ledger
from shared.ledger.record import QUEUED, REJECTED, Record
from shared.platform.logs import about
from shared.storage import layout
from shared.storage.links import Links
from shared.storage.objects import StoreError

LINK_SECONDS = 3600
HIDDEN = ("job", "nonce", "version", "slot_mark", "digest", "written", "pictures", "answer")
"""Fields of a record that the audit log leaves out; an answer holds links that anybody may open."""

log = logging.getLogger(__name__)


@dataclass
class JobViews:
    """Shows the jobs of one ledger in one answer. `base` is the URL that links start with."""

    ledger: Ledger
    estimates: Estimates
    links: Links
    base: str = ""

    def brief(self, record: Record, first: Record | None = None) -> dict[str, Any]:
        """A job as the answer to its submission shows it. `first`: the record with the spec."""
        first = first or self.ledger.records.with_spec(record)
        position, wait = self._estimated(record)
        view = {
            "job": record.job,
            "state": record.state,
            "at": record.at,
            "model": record.model or None,
            "task_id": record.task_id,
            "attempt": record.attempt,
            "position": position,
            "estimated_wait_seconds": wait,
            "price_at_most": self.estimates.price(record, first.spec),
            "warnings": in_both(first.warnings),
            "error": self._advised(record.model, error_of(record) or self._hindrance(record)),
            "result_key": layout.result(record.job),
            "urls": self._urls(record.job),
        }
        if first.retried_from is not None:
            view["retried_from"] = first.retried_from
        return view

    def _estimated(self, record: Record) -> tuple[int | None, int | None]:
        """When it is a job's turn, unknown where the queue cannot be listed: a caller who is told
        to try again, although the job was accepted, would pay twice."""
        try:
            return self.estimates.position(record), self.estimates.wait_seconds(record)
        except StoreError as error:
            extra = about("round.trouble", step=record.job)
            log.warning("job %s: its turn is not known: %s", record.job, error, extra=extra)
            return None, None

    def deliveries(self, record: Record) -> list[dict[str, Any]]:
        """What became of the tries to tell the job's receiver. Raises StoreError."""
        if record.webhook is None:
            return []
        return [shown(one) for one in self.ledger.outbox.tries(record.job)]

    def whole(
        self,
        record: Record,
        first: Record | None = None,
        deliveries: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """A job with everything that is known of it; `deliveries`, if they are at hand."""
        first = first or self.ledger.records.with_spec(record)
        manifest, spec = record.manifest, written_of(record, first)
        view = self.brief(record, first) | {
            "created_at": first.at,
            "submitted_at": record.submitted_at,
            "labels": labels_of(spec),
            "spec": spec,
            "images": [self._image(image) for image in manifest.images] if manifest else [],
            "inputs": self._inputs(first),
            "violations": in_both(manifest.violations) if manifest else [],
            "deliveries": self.deliveries(record) if deliveries is None else deliveries,
        }
        if record.is_final:
            view["result"] = _result_in_both(manifest.document) if manifest else None
        return view

    def link(self, key: str) -> str:
        """A link that shows an object, for an hour if it is signed."""
        return self.links.show(key, LINK_SECONDS)

    def _hindrance(self, record: Record) -> Mapping[str, Any] | None:
        """Why a job waits that nobody will submit."""
        rules = self.estimates.rules
        if record.state != QUEUED or rules.model(record.model) is not None:
            return None
        return rules.errors.ours("ModelGone", model=record.model).to_dict()

    def _advised(self, name: str, error: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The error, with what to use instead if its model is going."""
        error = _error_in_both(error)
        model = self.estimates.rules.model(name)
        if error is None or model is None or model.status is None or not model.is_going:
            return error
        said = model.status.notice()
        hints = {"hint": f"{error.get('hint') or ''} {said.en}.".strip()}
        if zh := error.get("hint_zh"):
            hints["hint_zh"] = f"{zh}{said.zh}。"
        return {**error, **hints}

    def _urls(self, job: str) -> dict[str, str]:
        """Where to go from here."""
        status = f"{self.base}/jobs/{job}"
        ways = {name: f"{status}/{name}" for name in ("result", "cancel", "events")}
        return {"status": status, **ways}

    def _image(self, image: Mapping[str, Any]) -> dict[str, Any]:
        """An image with links that hold for an hour: to show it, and to save it as a file."""
        name = "-".join(str(image["key"]).split("/")[-2:])
        saved = self.links.save(image["key"], LINK_SECONDS, name)
        return {**image, "url": self.link(image["key"]), "download_url": saved}

    def _inputs(self, first: Record) -> dict[str, str]:
        """By JSON Pointer, a link to each input image of the job in the bucket."""
        uses = first.spec.images if first.spec else ()
        return {use.pointer: self.link(use.key) for use in uses if use.key}


def written_of(record: Record, first: Record) -> Any:
    """The job file a job was made from, without payloads; of a rejected job what was written."""
    if first.spec is not None:
        return as_written(first.spec)
    return without_payload(record.manifest.spec) if record.manifest else None


def error_of(record: Record) -> Mapping[str, Any] | None:
    """Why a job failed, or why it is back in the queue."""
    if record.manifest is not None:
        return record.manifest.error
    return record.error.to_dict() if record.error else None


def in_both(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Violations and notices with their texts in Chinese as well, as `message_zh` and so on."""
    given = list(found)
    if not given:
        return []
    from shared.catalogue.words import with_chinese  # few jobs have any

    return [with_chinese(one) for one in given]


def _error_in_both(error: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The words of an error that this system found; the service's own stay the service's."""
    return in_both([error])[0] if error and error.get("class") == OURS else error


def _result_in_both(document: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: in_both(document.get(name) or ()) for name in ("violations", "warnings")}
    failed = [_error_in_both(one) for one in document.get("failed_images") or ()]
    return {**document, **lists, "failed_images": failed}


def violations_of(record: Record) -> list[Mapping[str, Any]]:
    """What was wrong with a rejected job's file."""
    if record.state != REJECTED:
        return []
    return list(record.violations)


def events_of(chain: Iterable[Record]) -> list[dict[str, Any]]:
    """The records of a job as the audit log shows them."""
    return [_event(record) for record in chain]


def _event(record: Record) -> dict[str, Any]:
    shown = {name: value for name, value in codec.to_dict(record).items() if name not in HIDDEN}
    event: dict[str, Any] = without_payload(shown)
    return event
