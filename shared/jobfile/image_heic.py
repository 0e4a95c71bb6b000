"""The size of a HEIC image, as phones make them: boxes after ISO/IEC 14496-12 and 23008-12.

Decoders turn such an image as its `irot` property says, so the size is the one after that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_BRAND_BYTES = 256
_MOST_BOXES = 1000


def is_heic(head: bytes) -> bool:
    """Whether a file that begins with `ftyp` at 4 is HEIF in HEVC, by its own brand or another."""
    length = min(struct.unpack_from(">I", head)[0], _BRAND_BYTES)
    brands = [head[at : at + 4] for at in (8, *range(16, length, 4))]
    return any(brand in _BRANDS for brand in brands)


def read(head: bytes, size: int) -> tuple[tuple[int, int], bool]:
    """Width and height in pixels, and whether a file of `size` bytes is cut off.

    Raises ValueError, IndexError or struct.error where the boxes are broken, or lie outside `head`.
    """
    tops = list(_boxes(head, 0, len(head)))
    is_cut = any(end > size for _, _, end in tops)
    start, end = _only(tops, b"meta")
    parts = list(_boxes(head, start + 4, end))
    inner = list(_boxes(head, *_only(parts, b"iprp")))
    properties = list(_boxes(head, *_only(inner, b"ipco")))
    main = _main_item(head, *_only(parts, b"pitm"))
    own = [properties[n - 1] for n in _used(head, _only(inner, b"ipma")[0], main) if n]
    wide, high = struct.unpack_from(">II", head, _only(own, b"ispe")[0] + 4)
    turns = sum(head[at] & 3 for kind, at, _ in own if kind == b"irot")
    return ((high, wide) if turns % 2 else (wide, high)), is_cut


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the content and end of each box."""
    for _ in range(_MOST_BOXES):
        if start + 8 > min(end, len(data)):
            return
        length, kind = struct.unpack_from(">I4s", data, start)
        content = start + 8
        if length == 1:
            length, content = struct.unpack_from(">Q", data, content)[0], content + 8
        stop = start + length if length else end
        if stop < content:
            raise ValueError("a box shorter than its own header")
        yield kind, content, stop
        start = stop


def _only(boxes: list[tuple[bytes, int, int]], wanted: bytes) -> tuple[int, int]:
    for kind, start, end in boxes:
        if kind == wanted:
            return start, end
    raise ValueError(f"no box {wanted!r}")


def _main_item(data: bytes, start: int, _end: int) -> int:
    number: int = struct.unpack_from(">I" if data[start] else ">H", data, start + 4)[0]
    return number


def _used(data: bytes, start: int, item: int) -> list[int]:
    """The numbers of the properties, from 1, that belong to an item."""
    ids, numbers = (">I", ">H")[data[start] < 1], (">B", ">H")[data[start + 3] & 1]
    count, at = struct.unpack_from(">I", data, start + 4)[0], start + 8
    essential = 0x8000 if numbers == ">H" else 0x80
    for _ in islice(range(count), _MOST_BOXES):
        (found,), at = struct.unpack_from(ids, data, at), at + struct.calcsize(ids)
        width, many, at = struct.calcsize(numbers), data[at], at + 1
        own = [struct.unpack_from(numbers, data, at + width * k)[0] for k in range(many)]
        if found == item:
            return [number & ~essential for number in own]
        at += width * many
    return []
