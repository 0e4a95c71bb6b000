"""Files that end too early, in memory and at the end of a large object."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from shared.jobfile.image_probe import ImageFacts, ProbeError, probe
from shared.storage.objects import Slice
from tests.kit.jobfile import checked, data_uri, edit, only

KINDS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")


def noise(side: int) -> Image.Image:
    return Image.frombytes("RGB", (side, side), random.Random(side).randbytes(side * side * 3))


SMALL, LARGE = noise(64), noise(600)


def encoded(picture: Image.Image, kind: str, **more: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **more)
    return file.getvalue()


def look(body: bytes) -> ImageFacts:
    return probe(lambda start, length: Slice(body[start : start + length], len(body), ""))


@pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_off_is_refused(kind: str, picture: Image.Image) -> None:
    more = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    body = encoded(picture, kind, **more)
    assert look(body).format == kind
    for length in (len(body) // 2, len(body) - 2000, len(body) - 2):
        with pytest.raises(ProbeError, match="cut off"):
            look(body[:length])


@pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("behind", [b"\0" * 300_000, b"SEFT" + b"\x12\xff\x80" * 90_000, b"\n"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_a_picture_does_no_harm(
    kind: str, behind: bytes, picture: Image.Image
) -> None:
    assert look(encoded(picture, kind) + behind).format == kind


def test_the_end_of_a_preview_is_not_that_of_the_picture() -> None:
    preview = encoded(noise(16), "JPEG")
    exif = Image.Exif()
    exif[0x9286] = preview
    body = encoded(SMALL, "JPEG", exif=exif)
    assert look(body).format == "JPEG"
    with pytest.raises(ProbeError, match="cut off"):
        look(body[:-2])


@pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
def test_a_png_that_merely_lacks_its_last_chunk_passes(picture: Image.Image) -> None:
    assert look(encoded(picture, "PNG")[:-12]).format == "PNG"


def test_a_png_with_a_wrong_byte_is_refused_where_all_of_it_is_at_hand() -> None:
    body = bytearray(encoded(SMALL, "PNG"))
    body[len(body) // 2] ^= 1
    with pytest.raises(ProbeError, match="checksum"):
        look(bytes(body))


def test_inline_data_is_looked_at_to_its_end() -> None:
    body = encoded(noise(512), "JPEG")
    for length in (len(body) // 2, len(body) - 2):
        found = checked(edit(input={"images": [data_uri(body[:length], "image/jpeg")]}))
        assert "cut off" in only(found.violations).message


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_turn_is_read_in_every_format_that_can_carry_it(kind: str, orientation: int) -> None:
    picture = LARGE.crop((0, 0, 500, 400))
    found = look(encoded(picture, kind, exif=turned(orientation)))
    assert (found.orientation, found.width, found.height) == (orientation, 500, 400)


def test_the_turn_of_a_png_may_stand_behind_its_pixels() -> None:
    plain = encoded(LARGE, "PNG")
    block = b"eXIf" + turned(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(block) - 4) + block + struct.pack(">I", zlib.crc32(block))
    assert look(plain[:-12] + chunk + plain[-12:]).orientation == 6
    assert look(plain).orientation == 1
