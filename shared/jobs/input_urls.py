"""How images in the bucket reach the model service."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from shared.catalogue.models import Catalogue
from shared.jobfile import ImageUse, JobSpec
from shared.jobfile.addresses import expired
from shared.jobfile.pointers import find
from shared.storage.objects import ObjectStore

URL_LIFETIME = 6 * 3600
"""Seconds. A task may wait; the service gives up 3 hours after submission (error code page)."""
INLINE_BYTES = 10 * 1024 * 1024
MEDIA_TYPES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"BM": "image/bmp",
    b"RIFF": "image/webp",
    b"GIF8": "image/gif",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}


@dataclass
class InputUrls:
    """Makes the URLs for one submission; they are never stored. `delivery`: see Settings."""

    store: ObjectStore
    catalogue: Catalogue
    delivery: str

    def __call__(self, spec: JobSpec) -> dict[str, str]:
        """A URL for each of the job's images in the bucket, by JSON Pointer.

        Raises StoreError if an image cannot be read for inline delivery.
        """
        return {
            use.pointer: self._url(spec, use, use.key)
            for use in spec.images
            if use.form == "bucket" and use.key is not None
        }

    def _url(self, spec: JobSpec, use: ImageUse, key: str) -> str:
        if self.delivery == "inline" and self._takes_inline(spec.model, use.pointer):
            body = self.store.read(key, INLINE_BYTES).body
            return f"data:{media_type_of(body)};base64,{base64.b64encode(body).decode()}"
        return self.store.presign(key, URL_LIFETIME)

    def _takes_inline(self, model: str, pointer: str) -> bool:
        entry = self.catalogue.get(model)
        rules = entry.images if entry else ()
        return any(rule.inline and _fits(rule.at, pointer) for rule in rules)


class InputExpired(Exception):
    """A signed URL of an image ended while its job waited; the message says when."""


def refuse_expired(spec: JobSpec, now: float) -> None:
    """Raises InputExpired for an image whose URL is over at `now`, in seconds since 1970."""
    for use in spec.images:
        for _, value in find({"input": spec.input}, use.pointer) if use.form == "url" else ():
            what = expired(str(value), now)
            if what is not None:
                raise InputExpired(f"At {use.pointer}: {what}.")


def _fits(pattern: str, pointer: str) -> bool:
    parts, wanted = pointer.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        want in ("*", part) for want, part in zip(wanted, parts, strict=True)
    )


def media_type_of(body: bytes) -> str:
    """The type by content. Only image types: a browser then runs nothing that is stored, and the
    service, which checks the type, never sees a wrong one (error code page)."""
    for mark, media_type in MEDIA_TYPES.items():
        if body.startswith(mark):
            return media_type
    return "application/octet-stream"
