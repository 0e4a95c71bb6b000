"""Pictures as they are stored: what EXIF says about turning them is left out of account.

No document of the service speaks of EXIF; the size rules and the drawing see the same picture.
"""

from __future__ import annotations

import io

from PIL import Image

_ORIENTATION = 0x0112
_TURNED_BACK = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored_size(picture: Image.Image) -> tuple[int, int]:
    """(width, height) of an opened, not yet decoded picture. Pillow turns TIFF by itself."""
    width, height = picture.size
    turned = picture.format == "TIFF" and _orientation(picture) in (5, 6, 7, 8)
    return (height, width) if turned else (width, height)


def read_stored(data: bytes) -> Image.Image:
    """The decoded picture. Raises OSError, ValueError or DecompressionBombError."""
    with Image.open(io.BytesIO(data)) as opened:
        back = _TURNED_BACK.get(_orientation(opened)) if opened.format == "TIFF" else None
        opened.load()
        picture: Image.Image = opened.copy() if back is None else opened.transpose(back)
        return picture


def _orientation(picture: Image.Image) -> int:
    return int(picture.getexif().get(_ORIENTATION, 1))
