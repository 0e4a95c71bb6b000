"""Result images as objects: true format, size, checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from shared.catalogue.models import USUAL_USAGE, Model
from shared.jobfile.image_probe import ImageFacts, ProbeError, probe
from shared.ledger.manifest import StoredImage
from shared.modelstudio.answers import RETENTION
from shared.modelstudio.download import Download, DownloadFailed
from shared.modelstudio.result_urls import value_at
from shared.storage import layout
from shared.storage.objects import Entry, ObjectStore

PART = 4 * 1024 * 1024
"""Bytes of a stored image that are read at once."""
MEDIA = {
    "PNG": ("png", "image/png"),
    "JPEG": ("jpg", "image/jpeg"),
    "WEBP": ("webp", "image/webp"),
    "BMP": ("bmp", "image/bmp"),
    "TIFF": ("tiff", "image/tiff"),
}
"""File extension and media type by true format: PNG is promised for wan2.5 only."""


def store_image(
    store: ObjectStore,
    job: str,
    number: int,
    download: Download,
    item: Mapping[str, Any],
    host: str | None = None,
) -> StoredImage:
    """Store one image with its job's results; storing it again writes the same object.

    `host`: where it came from, if that is to be said.
    Raises DownloadFailed if it is not an image (fetching it again may help), StoreError.
    """
    try:
        facts = probe(download.part)
    except ProbeError as error:
        raise DownloadFailed(
            "NotAnImage", f"What came from the result URL is no image: {error}", retry_for=RETENTION
        ) from None
    extension, media_type = MEDIA.get(facts.format, (facts.format.lower(), "image/*"))
    key = layout.image(job, number, extension)
    store.put_file(key, download.file, download.md5, media_type)
    sha256 = download.sha256
    return _as_stored(Entry(key, download.size, "", 0.0), number, facts, sha256, item, host)


def stored_before(
    store: ObjectStore, job: str, number: int, item: Mapping[str, Any]
) -> StoredImage | None:
    """An image that was stored although no record says so: its instance ended between the two.

    Raises StoreError.
    """
    for entry in store.list(layout.image(job, number, "")):
        try:
            facts = probe(partial(store.read_range, entry.key))
        except ProbeError:
            continue
        digest = hashlib.sha256()
        for part in _parts(store, entry):
            digest.update(part)
        return _as_stored(entry, number, facts, digest.hexdigest(), item, None)
    return None


def _parts(store: ObjectStore, entry: Entry) -> Iterator[bytes]:
    for start in range(0, entry.size, PART):
        yield store.read_range(entry.key, start, min(PART, entry.size - start)).body


def _as_stored(
    entry: Entry,
    number: int,
    facts: ImageFacts,
    sha256: str,
    item: Mapping[str, Any],
    host: str | None,
) -> StoredImage:
    return StoredImage(
        number=number,
        key=entry.key,
        format=facts.format,
        width=facts.width,
        height=facts.height,
        bytes=entry.size,
        sha256=sha256,
        orig_prompt=item.get("orig_prompt"),
        actual_prompt=item.get("actual_prompt"),
        host=host,
    )


def image_count(answer: Any, model: Model | None, stored: int, most: int) -> int:
    """How many images are billed; a count that cannot be is taken for what was stored."""
    places = model.usage_at if model else (USUAL_USAGE,)
    told = (value_at(answer, place) for place in places)
    count = next((one for one in told if one is not None), None)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= most:
        return stored
    return count


def area(answer: Any, model: Model) -> int | None:
    """The area of the outputs, where the service tells it."""
    sides = [value_at(answer, place) for place in model.area_at or ()]
    whole = [side for side in sides if isinstance(side, int) and not isinstance(side, bool)]
    return whole[0] * whole[1] if len(whole) == 2 and min(whole) > 0 else None
