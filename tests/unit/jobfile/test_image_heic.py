"""HEIC images: found by their brands, measured by their boxes, of any bytes."""

from __future__ import annotations

import random

import pytest

from shared.jobfile.image_probe import ImageFacts, ProbeError, probe
from shared.storage.objects import Slice
from tests.kit.heic import box, heic


def facts(body: bytes) -> ImageFacts:
    return probe(lambda start, length: Slice(body[start : start + length], len(body), ""))


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
@pytest.mark.parametrize("thumbnail", [True, False])
def test_the_size_is_that_of_the_picture_and_not_of_its_thumbnail(
    brand: bytes, thumbnail: bool
) -> None:
    body = heic((4032, 3024), brand=brand, thumbnail=thumbnail)
    found = facts(body)
    assert (found.format, found.width, found.height) == ("HEIC", 4032, 3024)
    assert (found.bytes, found.orientation, found.rgba) == (len(body), 1, False)


@pytest.mark.parametrize(("turns", "size"), [(1, (3024, 4032)), (2, (4032, 3024))])
def test_the_size_is_the_one_after_the_picture_was_turned(
    turns: int, size: tuple[int, int]
) -> None:
    found = facts(heic((4032, 3024), turns))
    assert (found.width, found.height) == size


def test_a_file_that_is_cut_off_is_told() -> None:
    with pytest.raises(ProbeError, match="cut off"):
        facts(heic((400, 400))[:-1])


def test_avif_and_video_are_no_heic() -> None:
    for brand, what in ((b"avif", "AVIF"), (b"isom", "video")):
        body = box(b"ftyp", brand, bytes(4)) + bytes(100)
        with pytest.raises(ProbeError, match=what):
            facts(body)


@pytest.mark.parametrize("seed", range(300))
def test_broken_boxes_are_told_as_such(seed: int) -> None:
    dice = random.Random(seed)
    body = bytearray(heic((400, 300))[:200] + bytes(50))
    for _ in range(dice.randint(1, 6)):
        body[dice.randrange(24, len(body))] = dice.randrange(256)
    try:
        found = facts(bytes(body))
    except ProbeError:
        return
    assert found.format == "HEIC"
