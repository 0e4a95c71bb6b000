"""What a job left behind, as `result.json` says it (schemas/result.schema.yaml)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

MANIFEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class StoredImage:
    """An image in the bucket. `sha256` in hex; prompts as the service gave them, if it did.

    `host`: where it came from, if no document lists that host.
    """

    number: int
    key: str
    format: str
    width: int
    height: int
    bytes: int
    sha256: str
    orig_prompt: str | None = None
    actual_prompt: str | None = None
    host: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The image as JSON."""
        shown = dict(vars(self))
        return shown if self.host else {name: shown[name] for name in shown if name != "host"}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> StoredImage:
        """The inverse of `to_dict`; unknown fields are ignored. Raises TypeError, KeyError."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in known})


@dataclass(frozen=True)
class Manifest:
    """A manifest, kept exactly as it was written, with typed access to what the system reads."""

    document: Mapping[str, Any]

    @property
    def state(self) -> str:
        return str(self.document.get("state") or "")

    @property
    def images(self) -> list[Mapping[str, Any]]:
        """The stored images, with the fields of `StoredImage`."""
        return list(self.document.get("images") or ())

    @property
    def failed_images(self) -> list[Mapping[str, Any]]:
        """Number and error of each image that was not made."""
        return list(self.document.get("failed_images") or ())

    @property
    def texts(self) -> list[str]:
        """What the model wrote beside the images."""
        return list(self.document.get("texts") or ())

    @property
    def error(self) -> Mapping[str, Any] | None:
        return self.document.get("error") or None

    @property
    def violations(self) -> list[Mapping[str, Any]]:
        return list(self.document.get("violations") or ())

    @property
    def usage(self) -> Mapping[str, Any] | None:
        return self.document.get("usage") or None

    @property
    def price(self) -> Mapping[str, Any]:
        return self.document.get("price") or {}

    @property
    def task(self) -> Mapping[str, Any]:
        return self.document.get("task") or {}

    @property
    def task_times(self) -> Mapping[str, Any]:
        """The service's own times, in seconds since 1970."""
        return self.document.get("task_times") or {}

    @property
    def spec(self) -> Any:
        """The job as it was written, without payloads; of a rejected job whatever was written."""
        return self.document.get("spec")

    def encoded(self) -> bytes:
        """The content of `result.json`."""
        return json.dumps(self.document, ensure_ascii=False, indent=2).encode() + b"\n"

    def text(self, name: str) -> str | None:
        """A field that is a text, such as `created_at`; None where it is missing."""
        value = self.document.get(name)
        return value if isinstance(value, str) else None


def read_manifest(store: ObjectStore, job: str) -> Manifest | None:
    """The manifest in the bucket; None where it is missing or no manifest. Raises StoreError."""
    try:
        read = json.loads(store.read(layout.result(job), MANIFEST_BYTES).body)
    except (ObjectMissing, ValueError):
        return None
    return Manifest(read) if isinstance(read, dict) else None
