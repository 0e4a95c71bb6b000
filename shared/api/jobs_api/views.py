"""A job as callers see it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import falcon

from shared.api.jobs_api.estimates import Estimates
from shared.api.jobs_api.jobfiles import shown
from shared.app import App
from shared.ledger.record import spec_seq, without_payload
from shared.ledger.records import FINAL, Record
from shared.storage import layout

LINK_SECONDS = 3600
HIDDEN = ("slot_mark", "digest", "written")


def base_url(request: falcon.Request, app: App) -> str:
    """The base of the URLs in answers, without a slash at the end."""
    return app.settings.api_url or f"https://{request.host}"


def answer(response: falcon.Response, document: Any, status: int = 200) -> None:
    """Answer with JSON."""
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.text = json.dumps(document, ensure_ascii=False)


@dataclass
class Views:
    """Shows jobs of one service in one answer."""

    app: App
    base: str
    estimates: Estimates = field(init=False)

    def __post_init__(self) -> None:
        self.estimates = Estimates(self.app)

    def brief(self, record: Record, first: Record | None = None) -> dict[str, Any]:
        """A job as it is answered to who submits it. `first`: the record that holds the spec."""
        first = first or self.first(record)
        data, manifest = record.data, record.data.get("manifest") or {}
        view = {
            "job": record.job,
            "state": record.state,
            "at": record.at,
            "model": data.get("model"),
            "task_id": data.get("task_id"),
            "attempt": data.get("attempt", 0),
            "position": self.estimates.position(record),
            "estimated_wait_seconds": self.estimates.wait_seconds(record),
            "price_at_most": self.estimates.price(record, first.data.get("spec")),
            "warnings": first.data.get("warnings", []),
            "error": (manifest or data).get("error"),
            "result_key": layout.result(record.job),
            "urls": self.urls(record.job),
        }
        if "retried_from" in first.data:
            view["retried_from"] = first.data["retried_from"]
        return view

    def whole(self, record: Record) -> dict[str, Any]:
        """A job with everything that is known of it."""
        first = self.first(record)
        manifest = record.data.get("manifest") or {}
        spec = first.data.get("spec") or manifest.get("spec")
        view = self.brief(record, first) | {
            "created_at": first.at,
            "submitted_at": record.data.get("submitted_at"),
            "labels": labels_of(spec),
            "spec": shown(spec),
            "images": self.images(manifest.get("images") or ()),
            "inputs": self.inputs(spec),
            "violations": manifest.get("violations", []),
        }
        if record.state in FINAL:
            view["result"] = record.data.get("manifest")
        return view

    def first(self, record: Record) -> Record:
        """The record that holds the job's spec."""
        if record.seq == spec_seq(record):
            return record
        return self.app.records.get(record.job, spec_seq(record)) or record

    def urls(self, job: str) -> dict[str, str]:
        """Where to go from here."""
        status = f"{self.base}/jobs/{job}"
        ways = {name: f"{status}/{name}" for name in ("result", "cancel", "events")}
        return {"status": status, **ways}

    def images(self, images: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The images with links that hold for an hour: to show, and to save as a file."""
        return [{**image, **self._links(image["key"])} for image in images]

    def inputs(self, spec: Any) -> dict[str, str]:
        """By JSON Pointer, a link to each input image of the job that lies in the bucket."""
        uses = spec.get("images") if isinstance(spec, Mapping) else None
        return {use["pointer"]: self.link(use["key"]) for use in uses or () if use.get("key")}

    def link(self, key: str) -> str:
        """A link that shows an object for an hour."""
        return self.app.store.presign(key, LINK_SECONDS)

    def _links(self, key: str) -> dict[str, str]:
        name = "-".join(key.split("/")[-2:])
        saved = self.app.store.presign(key, LINK_SECONDS, name)
        return {"url": self.link(key), "download_url": saved}


def event_of(record: Record) -> dict[str, Any]:
    """A record as the audit log shows it."""
    data = {name: value for name, value in record.data.items() if name not in HIDDEN}
    head = {"seq": record.seq, "state": record.state, "at": record.at}
    return {**head, **without_payload(data)}


def labels_of(spec: Any) -> dict[str, str]:
    """The labels of a stored spec or of a job file; none where they are not in order."""
    if not isinstance(spec, Mapping):
        return {}
    held = spec.get("labels")
    if held is None:
        job = spec.get("job")
        held = job.get("labels") if isinstance(job, Mapping) else None
    if not isinstance(held, Mapping):
        return {}
    return {str(name): value for name, value in held.items() if isinstance(value, str)}
