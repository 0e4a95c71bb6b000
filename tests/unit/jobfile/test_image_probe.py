from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from shared.jobfile.image_probe import ImageFacts, ProbeError, probe
from shared.storage.objects import ObjectMissing, Slice, StoreError
from tests.kit.jobfile import Reader, image

FIRST = 256 * 1024


def facts(body: bytes) -> ImageFacts:
    return probe(lambda start, length: Slice(body[start : start + length], len(body), ""))


def refusal(body: bytes) -> str:
    with pytest.raises(ProbeError) as raised:
        facts(body)
    return str(raised.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF"])
def test_format_and_size_come_from_the_content(kind: str) -> None:
    body = image(kind, (300, 200))
    found = facts(body)
    assert (found.format, found.width, found.height) == (kind, 300, 200)
    assert found.bytes == len(body)
    assert not found.has_alpha
    assert not found.animated
    assert found.orientation == 1


@pytest.mark.parametrize(
    ("kind", "mode", "more", "alpha"),
    [
        ("PNG", "RGBA", {}, True),
        ("PNG", "LA", {}, True),
        ("PNG", "P", {"transparency": 0}, True),
        ("PNG", "RGB", {"transparency": (0, 0, 0)}, True),
        ("PNG", "L", {}, False),
        ("PNG", "P", {}, False),
        ("PNG", "1", {}, False),
        ("PNG", "I;16", {}, False),
        ("TIFF", "RGBA", {}, True),
        ("JPEG", "CMYK", {}, False),
        ("JPEG", "L", {"progressive": True}, False),
    ],
)
def test_alpha_is_told(kind: str, mode: str, more: dict[str, object], alpha: bool) -> None:
    assert facts(image(kind, (300, 200), mode, **more)).has_alpha is alpha


@pytest.mark.parametrize("lossless", [True, False])
def test_alpha_of_webp_is_told(lossless: bool) -> None:
    picture = Image.new("RGBA", (300, 200), (9, 9, 9, 100))
    file = io.BytesIO()
    picture.save(file, "WEBP", lossless=lossless)
    found = facts(file.getvalue())
    assert (found.width, found.height, found.has_alpha) == (300, 200, True)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_told(kind: str) -> None:
    frames = [Image.new("RGB", (300, 200), (shade, 0, 0)) for shade in (0, 99, 200)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    found = facts(file.getvalue())
    assert (found.width, found.height, found.animated) == (300, 200, True)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_turned_image_is_measured_as_stored(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = facts(image(kind, (300, 200), exif=exif))
    assert (found.width, found.height, found.orientation) == (300, 200, 6)


def test_a_jpeg_of_a_camera_with_a_second_picture_inside_is_a_jpeg() -> None:
    file = io.BytesIO()
    first = Image.new("RGB", (300, 200))
    first.save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (30, 20))])
    assert facts(file.getvalue()).format == "JPEG"


def _large(kind: str) -> bytes:
    noise = Image.frombytes("RGB", (1500, 1000), bytes(range(250)) * 18_000)
    file = io.BytesIO()
    noise.save(file, kind, **({"compress_level": 0} if kind == "PNG" else {}))
    return file.getvalue() + b"\x00" * (0 if kind == "PNG" else 3_000_000)


@pytest.mark.parametrize(("kind", "reads"), [("JPEG", 2), ("PNG", 2), ("BMP", 1), ("WEBP", 1)])
def test_a_large_image_is_told_from_its_beginning_and_end(kind: str, reads: int) -> None:
    reader = Reader({"a": _large(kind)})
    found = probe(lambda start, length: reader.read_range("a", start, length))
    assert (found.width, found.height) == (1500, 1000)
    assert (reader.asked.count(), reader.given) == (reads, reads * FIRST)


def test_the_chunks_of_a_png_with_much_behind_it_are_followed_in_growing_steps() -> None:
    reader = Reader({"a": _large("PNG") + bytes(3_000_000)})
    found = probe(lambda start, length: reader.read_range("a", start, length))
    assert (found.width, found.height) == (1500, 1000)
    assert reader.asked.count() < 10


def test_a_jpeg_with_a_long_header_is_read_further() -> None:
    reader = Reader({"a": image("JPEG", icc_profile=b"x" * 1_500_000) + b"\x00" * 5_000_000})
    found = probe(lambda start, length: reader.read_range("a", start, length))
    assert (found.width, found.height) == (512, 512)
    assert reader.given < 3_000_000


def test_a_tiff_with_its_directory_at_the_end_is_read_at_the_end() -> None:
    small = bytearray(image("TIFF", (300, 200)))
    gap = 8_000_000
    tags = struct.unpack_from("<I", small, 4)[0]
    body = bytes(small[:4]) + struct.pack("<I", gap) + bytes(gap - 8) + _directory(small, tags)
    reader = Reader({"a": body})
    found = probe(lambda start, length: reader.read_range("a", start, length))
    assert (found.width, found.height) == (300, 200)
    assert reader.given < 2 * FIRST


def _directory(tiff: bytearray, at: int) -> bytes:
    """The directory alone, with those entries whose value needs no room elsewhere."""
    (count,) = struct.unpack_from("<H", tiff, at)
    entries = [tiff[at + 2 + 12 * i : at + 14 + 12 * i] for i in range(count)]
    inline = [entry for entry in entries if struct.unpack_from("<I", entry, 4)[0] == 1]
    bits = struct.pack("<HHIHH", 258, 3, 1, 8, 0)
    grey = struct.pack("<HHIHH", 262, 3, 1, 1, 0)
    samples = struct.pack("<HHIHH", 277, 3, 1, 1, 0)
    kept = [e for e in inline if struct.unpack_from("<H", e)[0] not in (258, 262, 277)]
    everything = sorted([*map(bytes, kept), bits, grey, samples], key=lambda e: e[:2][::-1])
    return struct.pack("<H", len(everything)) + b"".join(everything) + bytes(4)


def test_a_header_that_claims_billions_of_pixels_is_read_without_decoding() -> None:
    body = bytearray(image("PNG", (300, 200)))
    body[16:24] = struct.pack(">II", 60_000, 60_000)
    body[29:33] = struct.pack(">I", zlib.crc32(bytes(body[12:29])))
    found = facts(bytes(body))
    assert (found.width, found.height) == (60_000, 60_000)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_a_cut_off_header_is_told(kind: str) -> None:
    body = image(kind, (300, 200))
    for length in (9, 13, 17, 20):
        message = refusal(body[:length])
        assert "cut off" in message or "looks like" in message


def test_an_empty_object_is_told() -> None:
    assert "empty" in refusal(b"")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"hello there\n", "text"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'<?xml version="1.0"?><Error>', "XML"),
        (b"  <svg xmlns=", "SVG"),
        (b'{"a": 1}', "JSON"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04xx", "ZIP"),
        (b"\x00\x00\x00\x18ftypheic\x00", "HEIC"),
        (b"\x00\x00\x00\x18ftypavif\x00", "AVIF"),
        (b"\x00\x00\x00\x18ftypmp42\x00", "video"),
        (b"data:image/png;base64,xx", "data URI"),
        (b"version https://git-lfs.github.com/spec/v1", "LFS"),
        (b"\x00\x01\x02\x03", "unknown binary"),
    ],
)
def test_what_is_no_image_is_named(body: bytes, words: str) -> None:
    assert words in refusal(body)


def test_a_jpeg_of_endless_padding_is_given_up() -> None:
    assert "no end" in refusal(b"\xff\xd8\xff" + b"\x00" * 3_000_000)


def test_damaged_bytes_raise_nothing_but_probe_errors() -> None:
    for kind in ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF"):
        body = image(kind, (300, 200))
        for position in range(min(len(body), 400)):
            damaged = body[:position] + bytes([body[position] ^ 0xFF]) + body[position + 1 :]
            try:
                facts(damaged)
            except ProbeError as error:
                assert "image" in str(error)


@pytest.mark.parametrize("error", [StoreError("503"), ObjectMissing("gone")])
def test_what_the_store_raises_passes_through(error: StoreError) -> None:
    def reader(start: int, length: int) -> Slice:
        raise error

    with pytest.raises(type(error)):
        probe(reader)


def test_a_store_that_fails_later_is_no_corrupt_image() -> None:
    body = image("JPEG", icc_profile=b"x" * 500_000)

    def reader(start: int, length: int) -> Slice:
        if start:
            raise StoreError("503")
        return Slice(body[:length], len(body), "")

    with pytest.raises(StoreError):
        probe(reader)
