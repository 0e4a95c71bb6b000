"""Result images as objects: true format, size, checksum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.jobfile.image_probe import ProbeError, probe
from shared.ledger.manifest import StoredImage
from shared.modelstudio.answers import RETENTION
from shared.modelstudio.download import Download, DownloadFailed
from shared.storage import layout
from shared.storage.objects import ObjectStore

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
    return StoredImage(
        number=number,
        key=key,
        format=facts.format,
        width=facts.width,
        height=facts.height,
        bytes=download.size,
        sha256=download.sha256,
        orig_prompt=item.get("orig_prompt"),
        actual_prompt=item.get("actual_prompt"),
        host=host,
    )
