"""Facts about an image file, read from as few bytes as its header needs.

The format is found by content, then Pillow's parser for that one format reads the header through
ranges. Two formats are read here: WEBP, because Pillow reads the whole file for it, and GIF,
because 10 bytes suffice. The last bytes tell whether the file is cut off (`image_end`). Pixels are
decoded by `image_marks`, for the few images whose pixels a rule is about.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import IO, cast

from shared.jobfile import image_end
from shared.storage.objects import Slice, StoreError

Reader = Callable[[int, int], Slice]

UPRIGHT = 1
"""The EXIF orientation of an image that nothing turns."""
_FIRST = 256 * 1024
"""Most images of the web are smaller: one request shows their header and their end."""
_LARGEST_STEP = 1024 * 1024
_MOST_BYTES = 11 * 1024 * 1024
_MOST_WHOLE = 10 * 1024 * 1024
_MOST_READS = 100_000
_MOST_CHUNKS = 1000
_ORIENTATION = 0x0112
_TIFF_TILES = (324, 325)


class ProbeError(Exception):
    """The object cannot be read as an image. The message says what it looks like or lacks."""


class NotAtHand(ProbeError):
    """The object cannot be looked at from here."""


@dataclass(frozen=True)
class ImageFacts:
    """Width and height in pixels as stored, before any rotation; `bytes` is the file's size.

    `orientation` is the EXIF value: 1 upright, 3 upside down, 5 to 8 turned by a quarter. `rgba`:
    it has four channels, so that alpha is more than a colour of a palette or beside grey.
    """

    format: str
    width: int
    height: int
    has_alpha: bool
    bytes: int
    animated: bool = False
    orientation: int = 1
    rgba: bool = False

    @property
    def is_turned(self) -> bool:
        """Whether viewers show it turned by a quarter, so that width and height change places."""
        return self.orientation >= 5


@dataclass(frozen=True)
class Look:
    """What was seen of an image; `body` is all of it, if it was asked for and is not too large.
    `etag` is the object's, empty for inline data."""

    facts: ImageFacts
    etag: str
    body: bytes | None


def probe(reader: Reader) -> ImageFacts:
    """Facts of the image behind `reader(start, length)`, which returns at most `length` bytes.

    Raises ProbeError if it is not an image, cut off or corrupt; a StoreError of `reader` passes
    through.
    """
    return look(reader).facts


def look(reader: Reader, whole_up_to: int = 0) -> Look:
    """The facts, and all bytes of a file of at most `whole_up_to`. Raises like `probe`."""
    file = _RangeFile(reader)
    kind = _sniff(file.head)
    if file.size <= min(whole_up_to, _MOST_WHOLE):
        file.fetch_rest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow thinks of odd tags is of no use in a log
            facts = _PARSERS[kind](file)
    except (StoreError, ProbeError):
        raise
    except Exception as error:  # the parsers meet hostile bytes and raise nearly anything
        message = f"the header of this {kind} image is cut off or corrupt; save the image again"
        raise ProbeError(message) from error
    return Look(facts, file.etag, file.whole)


def _refuse_cut(kind: str, is_cut: bool) -> None:
    if is_cut:
        message = f"this {kind} image is cut off before its end; upload the whole file again"
        raise ProbeError(message)


class _RangeFile(io.RawIOBase):
    """A seekable file that fetches what is read of it, in growing steps, and remembers it."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        first = reader(0, _FIRST)
        if not first.body:
            raise ProbeError("the file is empty; upload the image again")
        self.size = first.size
        self.head = first.body
        self.etag = first.etag
        self._reader = reader
        self._pieces = [(0, first.body)]
        self._position = self._reads = 0
        self._fetched, self._step = len(first.body), _FIRST

    @property
    def whole(self) -> bytes | None:
        """The file, if all of it is here already."""
        return self.head if len(self.head) == self.size else None

    @cached_property
    def end(self) -> bytes:
        """The last bytes of the file."""
        start = max(self.size - _FIRST, 0)
        return self._piece(start, self.size - start)

    def fetch_rest(self) -> None:
        """Fetch all that is missing, by one request."""
        have = len(self.head)
        if have < self.size:
            self.head += self._reader(have, self.size - have).body
            self._pieces = [(0, self.head)]

    def at(self, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start`."""
        self.seek(start)
        return self.read(length)

    def stream(self) -> IO[bytes]:
        return cast("IO[bytes]", self)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("negative position")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        rest = max(self.size - self._position, 0)
        length = rest if size is None or size < 0 else min(size, rest)
        self._reads += 1
        if self._reads > _MOST_READS:
            raise ProbeError("the image header has no end; save the image again")
        piece = self._piece(self._position, length) if length else b""
        self._position += len(piece)
        return piece

    def _piece(self, start: int, length: int) -> bytes:
        for at, body in self._pieces:
            if at <= start and start + length <= at + len(body):
                return body[start - at : start - at + length]
        return self._fetch(start, length)[:length]

    def _fetch(self, start: int, length: int) -> bytes:
        self._step = min(self._step * 2, _LARGEST_STEP)
        wanted = min(max(length, self._step), self.size - start)
        self._fetched += wanted
        if self._fetched > _MOST_BYTES:
            raise ProbeError(f"the image header is longer than {_MOST_BYTES} bytes; save it again")
        body = self._reader(start, wanted).body
        self._pieces.append((start, body))
        return body


_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"II+\x00", "TIFF"),
    (0, b"MM\x00+", "TIFF"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBP", "WEBP"),
    (0, b"BM", "BMP"),
)

_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftyp", "a video"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\x00\x00\x01\x00", "an icon file"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (4, b"jP  ", "a JPEG 2000 image"),
    (0, b"version https://git-lfs", "a Git LFS pointer"),
)

_TEXTS = (
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document, perhaps an error page of the store"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<error", "an error page of the store"),
    (b"{", "JSON text"),
    (b"data:", "a data URI as text"),
)


def _sniff(head: bytes) -> str:
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    if head[4:8] == b"ftyp" and _heic_reader().is_heic(head):
        return "HEIC"
    raise ProbeError(f"the content looks like {_guess(head)}, not like an image; upload an image")


def _guess(head: bytes) -> str:
    for offset, magic, what in _OTHERS:
        if head.startswith(magic, offset):
            return what
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for prefix, what in _TEXTS:
        if start.startswith(prefix):
            return what
    sample = head[:512]
    if sample and all(byte >= 32 or byte in b"\t\r\n\x0c" for byte in sample):
        return "text"
    return "unknown binary data"


def _facts(
    file: _RangeFile,
    kind: str,
    size: tuple[int, int],
    *,
    alpha: bool = False,
    animated: bool = False,
    orientation: int = 1,
    rgba: bool | None = None,
) -> ImageFacts:
    if min(size) < 1:
        raise ValueError("an image without pixels")
    rgba = alpha if rgba is None else rgba
    return ImageFacts(kind, *size, alpha, file.size, animated, orientation, rgba)


def _orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _exif_orientation(block: bytes | None) -> int:
    from PIL import Image

    if not block:
        return 1
    exif = Image.Exif()
    try:
        exif.load(block)
        return _orientation(exif.get(_ORIENTATION))
    except Exception:  # a broken EXIF block does not break the image
        return 1


def _jpeg(file: _RangeFile) -> ImageFacts:
    # the plugin itself, since Image.open takes some JPEG files of cameras for another format
    from PIL.JpegImagePlugin import JpegImageFile

    image = JpegImageFile(file.stream())
    _refuse_cut("JPEG", image_end.jpeg_is_cut(b"" if file.whole else file.end, file.whole))
    turned = _exif_orientation(image.info.get("exif"))
    return _facts(file, "JPEG", image.size, orientation=turned)


def _png(file: _RangeFile) -> ImageFacts:
    from PIL.PngImagePlugin import PngImageFile

    image = PngImageFile(file.stream())
    colour_type = file.head[25]
    alpha = colour_type in (4, 6) or "transparency" in image.info
    _check_png_end(file)
    turned = _exif_orientation(image.info.get("exif") or image_end.png_late_exif(file.end))
    size = struct.unpack(">II", file.head[16:24])
    moves, four = bool(image.is_animated), colour_type == 6
    return _facts(file, "PNG", size, alpha=alpha, animated=moves, orientation=turned, rgba=four)


def _check_png_end(file: _RangeFile) -> None:
    fault = image_end.png_fault(file.end, file.whole, file.at, file.size)
    _refuse_cut("PNG", fault == "cut off")
    if fault:
        raise ProbeError("this PNG image is damaged (a checksum is wrong); save or upload it again")


def _bmp(file: _RangeFile) -> ImageFacts:
    from PIL.BmpImagePlugin import BmpImageFile

    image = BmpImageFile(file.stream())
    _refuse_cut("BMP", image_end.bmp_is_cut(file.head, file.size))
    return _facts(file, "BMP", image.size, alpha=image.mode == "RGBA")


def _tiff(file: _RangeFile) -> ImageFacts:
    from PIL import TiffImagePlugin as tiff

    image = tiff.TiffImageFile(file.stream())
    tags = image.tag_v2
    # as stored: the plugin's own size is already turned
    size = (int(tags[tiff.IMAGEWIDTH]), int(tags[tiff.IMAGELENGTH]))
    for start, length in ((tiff.STRIPOFFSETS, tiff.STRIPBYTECOUNTS), _TIFF_TILES):
        strips = tags.get(start, ()), tags.get(length, ())
        _refuse_cut("TIFF", image_end.strips_are_cut(*strips, file.size))
    turned = _orientation(image.tag_v2.get(_ORIENTATION))
    return _facts(file, "TIFF", size, alpha=image.mode in ("RGBA", "LA"), orientation=turned)


def _gif(file: _RangeFile) -> ImageFacts:
    width, height = struct.unpack_from("<HH", file.head, 6)
    return _facts(file, "GIF", (width, height))


def _webp(file: _RangeFile) -> ImageFacts:
    """The three kinds of WEBP, after the WebP container specification (RFC 9649)."""
    head = file.head
    if struct.unpack_from("<I", head, 4)[0] + 8 > file.size:
        _refuse_cut("WEBP", True)
    chunk = head[12:16]
    if chunk == b"VP8X":
        size = (1 + _uint24(head, 24), 1 + _uint24(head, 27))
        flags = head[20]
        turned = _exif_orientation(_webp_exif(file)) if flags & 8 else 1
        alpha, animated = bool(flags & 16), bool(flags & 2)
        return _facts(file, "WEBP", size, alpha=alpha, animated=animated, orientation=turned)
    if chunk == b"VP8L" and head[20] == 0x2F:
        bits = struct.unpack_from("<I", head, 21)[0]
        size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        return _facts(file, "WEBP", size, alpha=bool(bits >> 28 & 1))
    if chunk == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return _facts(file, "WEBP", (width & 0x3FFF, height & 0x3FFF))
    raise ValueError("no WEBP frame header")


def _webp_exif(file: _RangeFile) -> bytes | None:
    """The EXIF chunk, which follows the picture."""
    at = 12
    for _ in range(_MOST_CHUNKS):
        head = file.at(at, 8)
        if len(head) < 8:
            return None
        kind, length = struct.unpack("<4sI", head)
        if kind == b"EXIF":
            return file.at(at + 8, min(length, _FIRST))
        at += 8 + length + length % 2
    return None


def _heic_reader() -> ModuleType:
    from shared.jobfile import image_heic  # hardly any image is one, so a start does without

    return image_heic


def _heic(file: _RangeFile) -> ImageFacts:
    size, is_cut = _heic_reader().read(file.head, file.size)
    _refuse_cut("HEIC", is_cut)
    return _facts(file, "HEIC", size)


def _uint24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little") if len(data) >= at + 3 else 0


_PARSERS: dict[str, Callable[[_RangeFile], ImageFacts]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "BMP": _bmp,
    "TIFF": _tiff,
    "GIF": _gif,
    "WEBP": _webp,
    "HEIC": _heic,
}
