"""How images of the bucket reach the service."""

from __future__ import annotations

import base64

import pytest

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue
from shared.jobfile import ImageUse, JobSpec
from shared.jobs.input_urls import INLINE_BYTES, URL_LIFETIME, InputUrls
from shared.storage.objects import ObjectMissing, ObjectTooLarge
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import Kernel
from tests.simulation.pictures import picture


def spec(model: str, *uses: ImageUse) -> JobSpec:
    return JobSpec(model, {}, {}, images=uses)


def delivery(how: str) -> tuple[Bucket, Catalogue, InputUrls]:
    bucket = Bucket(Kernel())
    catalogue = load_catalogue()
    return bucket, catalogue, InputUrls(Store(bucket), catalogue, how)


def taking(catalogue: Catalogue, *, inline: bool) -> tuple[str, str]:
    """A model and a place for an image of its request that does or does not take inline data."""
    for name in catalogue.names():
        found = catalogue.get(name)
        for rule in found.images if found else ():
            if rule.inline is inline:
                return name, rule.at.replace("*", "0")
    raise AssertionError("the catalogue has no such model")


def test_bucket_images_get_a_url_that_outlives_the_tasks_wait() -> None:
    _, _, urls = delivery("presigned")
    uses = (
        ImageUse("/input/base_image_url", "inputs/cat.png", "bucket"),
        ImageUse("/input/mask_image_url", None, "url"),
    )
    made = urls(spec("any", *uses))
    expected = f"https://bucket.invalid/inputs/cat.png?expires={URL_LIFETIME}"
    assert made == {"/input/base_image_url": expected}


def test_inline_delivery_where_the_model_takes_it() -> None:
    bucket, catalogue, urls = delivery("inline")
    bucket.write("inputs/cat.png", picture("cat"))
    name, pointer = taking(catalogue, inline=True)
    made = urls(spec(name, ImageUse(pointer, "inputs/cat.png", "bucket")))
    head, _, payload = made[pointer].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(payload) == picture("cat")


def test_inline_delivery_falls_back_to_urls_where_the_model_does_not() -> None:
    bucket, catalogue, urls = delivery("inline")
    name, pointer = taking(catalogue, inline=False)
    made = urls(spec(name, ImageUse(pointer, "inputs/cat.png", "bucket")))
    assert made[pointer].startswith("https://")
    assert bucket.count() == 0


@pytest.mark.parametrize(
    ("size", "error"), [(None, ObjectMissing), (INLINE_BYTES + 1, ObjectTooLarge)]
)
def test_an_image_that_cannot_be_read_for_inline_delivery(
    size: int | None, error: type[Exception]
) -> None:
    bucket, catalogue, urls = delivery("inline")
    if size is not None:
        bucket.write("inputs/cat.png", bytes(size))
    name, pointer = taking(catalogue, inline=True)
    with pytest.raises(error, match=r"inputs/cat\.png"):
        urls(spec(name, ImageUse(pointer, "inputs/cat.png", "bucket")))
