"""A HEIC file whose boxes tell a size; what it holds is no picture (ISO/IEC 14496-12, 23008-12)."""

from __future__ import annotations

import struct


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def heic(
    size: tuple[int, int], turns: int = 0, brand: bytes = b"heic", thumbnail: bool = True
) -> bytes:
    """Item 1 is a thumbnail of 16x16, item 2 the picture, turned by so many quarters."""
    sizes = [(16, 16), size] if thumbnail else [size]
    extents = [box(b"ispe", bytes(4), struct.pack(">II", *one)) for one in sizes]
    properties = [*extents, box(b"irot", bytes([turns]))]
    small = struct.pack(">HBB", 1, 1, 1) if thumbnail else b""
    main = struct.pack(">HBBB", 2, 2, 0x80 | len(extents), 0x80 | len(properties))
    entries = struct.pack(">I", 2 if thumbnail else 1)
    ipma = box(b"ipma", bytes(4), entries, small, main)
    iprp = box(b"iprp", box(b"ipco", *properties), ipma)
    pitm = box(b"pitm", bytes(4), struct.pack(">H", 2))
    head = box(b"ftyp", brand, bytes(4), b"mif1heic")
    return head + box(b"meta", bytes(4), pitm, iprp) + box(b"mdat", bytes(6000))
