"""The event that a record is, as a receiver hears of it: CloudEvents 1.0, JSON format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.jobfile.written import labels_of, prompt_of
from shared.ledger.manifest import Manifest
from shared.ledger.outbox import EVENT_OF
from shared.ledger.record import Record
from shared.platform.webhook_settings import Receiver
from shared.storage import layout

TYPE = "wanx.job."
CONTENT_TYPE = "application/cloudevents+json"
IMAGE_FIELDS = ("number", "key", "format", "width", "height", "bytes", "sha256")
ERROR_FIELDS = ("code", "class", "message", "retryable", "hint", "request_id")
MOST_VIOLATIONS = 20
TEXTS = ("found", "message")
"""What of a violation may quote the job, prompt included."""


@dataclass(frozen=True)
class Event:
    """An event of a job in one deployment, named by `bucket`. The same record is always the same
    event, under the same id; links are made anew for each try."""

    bucket: str
    record: Record

    @property
    def name(self) -> str:
        """`succeeded`, `failed` …"""
        return EVENT_OF[self.record.state]

    @property
    def id(self) -> str:
        """The id of the message, the same for every try."""
        what = f"{self.bucket}\n{self.record.job}\n{self.record.seq}\n{self.name}"
        return f"msg_{hashlib.sha256(what.encode()).hexdigest()[:32]}"

    def body(self, receiver: Receiver, link: Callable[[str], str]) -> bytes:
        """The request's body; `link` makes a link to an object."""
        record = self.record
        document = {
            "specversion": "1.0",
            "id": self.id,
            "source": f"oss://{self.bucket}",
            "type": TYPE + self.name,
            "subject": record.job,
            "time": record.at,
            "datacontenttype": "application/json",
            "data": {
                "job": record.job,
                "state": record.state,
                "model": record.model or None,
                **self._told(record.manifest or Manifest({}), receiver, link),
            },
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    def _told(
        self, manifest: Manifest, receiver: Receiver, link: Callable[[str], str]
    ) -> dict[str, Any]:
        if not manifest.document:
            return {}
        told = {
            "created_at": manifest.text("created_at"),
            "finished_at": manifest.text("finished_at"),
            "result": layout.result(self.record.job),
            "images": [_image(one, receiver, link) for one in manifest.images],
            "failed_images": len(manifest.failed_images),
            "price": manifest.price or None,
            "error": _picked(manifest.error, ERROR_FIELDS) if manifest.error else None,
            "violations": _violations(manifest, receiver),
            "labels": labels_of(manifest.spec),
        }
        return told | ({"prompt": prompt_of(manifest.spec)} if receiver.prompts else {})


def _image(
    image: Mapping[str, Any], receiver: Receiver, link: Callable[[str], str]
) -> dict[str, Any]:
    shown = _picked(image, IMAGE_FIELDS)
    if receiver.urls:
        shown["url"] = link(str(image["key"]))
    if receiver.prompts:
        shown["actual_prompt"] = image.get("actual_prompt")
    return shown


def _violations(manifest: Manifest, receiver: Receiver) -> list[dict[str, Any]]:
    found = manifest.violations[:MOST_VIOLATIONS]
    left_out = () if receiver.prompts else TEXTS
    return [{name: one[name] for name in one if name not in left_out} for one in found]


def _picked(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: document[name] for name in names if name in document}
