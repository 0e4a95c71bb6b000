"""Images are stored as what they are."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image

from shared.jobs.images import store_image
from shared.modelstudio.download import Download, DownloadFailed
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import Kernel


def picture(kind: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (12, 9), "red").save(made, kind)
    return made.getvalue()


def fetched(body: bytes) -> Download:
    md5, sha256 = hashlib.md5(body).digest(), hashlib.sha256(body).hexdigest()
    return Download(io.BytesIO(body), len(body), md5, sha256)


@pytest.mark.parametrize(
    ("kind", "extension", "media_type"),
    [
        ("PNG", "png", "image/png"),
        ("JPEG", "jpg", "image/jpeg"),
        ("WEBP", "webp", "image/webp"),
        ("BMP", "bmp", "image/bmp"),
        ("TIFF", "tiff", "image/tiff"),
    ],
)
def test_an_image_is_stored_as_what_it_is(kind: str, extension: str, media_type: str) -> None:
    bucket = Bucket(Kernel())
    stored = store_image(Store(bucket), "cat", 2, fetched(picture(kind)), {"orig_prompt": "a cat"})
    assert stored.key == f"results/cat/image-2.{extension}"
    assert (stored.format, stored.width, stored.height) == (kind, 12, 9)
    assert (stored.orig_prompt, stored.actual_prompt) == ("a cat", None)
    assert bucket.objects[stored.key].content_type == media_type
    assert bucket.peek(stored.key) == picture(kind)


@pytest.mark.parametrize("body", [b"", b"<html>error</html>", picture("PNG")[:20]])
def test_what_is_no_image_is_not_stored(body: bytes) -> None:
    bucket = Bucket(Kernel())
    with pytest.raises(DownloadFailed, match="no image"):
        store_image(Store(bucket), "cat", 1, fetched(body), {})
    assert bucket.keys() == []
