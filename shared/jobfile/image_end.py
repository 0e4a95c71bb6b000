"""Whether an image file goes on to its end: uploads that broke off look right from their header.

`whole` is the file if it is in memory anyway; otherwise only its last bytes are known.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator

_EOI = b"\xff\xd9"
_IEND = b"IEND\xaeB`\x82"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_STUFFED = re.compile(rb"\xff[\x00\xd0-\xd7]")
_MOST_STEPS = 50_000
_MOST_BLOCKS = 16

ReadAt = Callable[[int, int], bytes]


def jpeg_is_cut(end: bytes, whole: bytes | None) -> bool:
    """Whether the end marker is missing (ITU-T T.81, B.1.1). Whatever follows it is allowed: phones
    put videos there. Of `end` alone that can be told only where it is image data to the last."""
    if whole is not None:
        return not any(marker == _EOI[1] for marker in _jpeg_markers(whole))
    return _EOI not in end and not _MARKER.search(end) and bool(_STUFFED.search(end))


def _jpeg_markers(body: bytes) -> Iterator[int]:
    """The markers of the first picture; a byte beside a segment is skipped, as decoders do."""
    at = 2
    for _ in range(_MOST_STEPS):
        found = _MARKER.search(body, at)
        if found is None:
            return
        marker, at = body[found.end() - 1], found.end()
        yield marker
        if marker == _EOI[1] or at + 2 > len(body):
            return
        at += struct.unpack_from(">H", body, at)[0]
    yield _EOI[1]  # too many segments to say so


def png_fault(end: bytes, whole: bytes | None, read_at: ReadAt, size: int) -> str | None:
    """What is wrong with the chain of chunks (PNG specification, 5.3). A file that merely lacks its
    last chunk is decoded everywhere, so it passes."""
    if whole is None and _IEND in end:
        return None
    at = 8
    for _ in range(_MOST_STEPS):
        head = read_at(at, 8)
        if len(head) < 8:
            return None if not head else "cut off"
        length, kind = struct.unpack(">I4s", head)
        if not kind.isalpha():
            return None  # something else follows, which decoders do not look at
        if at + 12 + length > size:
            return "cut off"
        if whole is not None and not _sums_up(whole, at, length) and not kind[0] & 0x20:
            return "damaged"
        if kind == b"IEND":
            return None
        at += 12 + length
    return None


def _sums_up(body: bytes, at: int, length: int) -> bool:
    held = struct.unpack_from(">I", body, at + 8 + length)[0]
    return zlib.crc32(memoryview(body)[at + 4 : at + 8 + length]) == int(held)


def png_late_exif(end: bytes) -> bytes | None:
    """The EXIF block of a PNG that has it behind its pixels, if it lies in these last bytes."""
    at = 3
    for _ in range(_MOST_BLOCKS):
        at = end.find(b"eXIf", at + 1)
        if at < 0:
            return None
        length = struct.unpack_from(">I", end, at - 4)[0]
        if at + 8 + length <= len(end) and _sums_up(end, at - 4, length):
            return end[at + 4 : at + 4 + length]
    return None


def bmp_is_cut(head: bytes, size: int) -> bool:
    """Whether the file is shorter than its pixels, or than it says where they are compressed."""
    (claimed, start), header = struct.unpack_from("<I4xI", head, 2), head[14:18]
    if header == b"\x0c\x00\x00\x00":
        return bool(claimed > size)
    width, height, bits, compression = struct.unpack_from("<ii2xHI", head, 18)
    if compression not in (0, 3):
        return bool(claimed > size)
    row = (abs(width) * bits + 31) // 32 * 4
    return bool(start + row * abs(height) > size)


def strips_are_cut(starts: Iterable[int], lengths: Iterable[int], size: int) -> bool:
    """Whether a strip or tile of a TIFF lies behind the file's end."""
    return any(start + length > size for start, length in zip(starts, lengths, strict=False))
