"""New pixels: a mask made black and white, an image enlarged. Bounded as `image_marks` is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from shared.jobfile.image_marks import Colour, Unclear, decoded, marked_strips

if TYPE_CHECKING:
    from PIL.Image import Image

Size: TypeAlias = tuple[int, int]
QUALITY = 95
_OPAQUE = 128
"""From here on a pixel counts as opaque; edges are often half transparent."""
_LEVEL = 3
"""Of zlib: the highest takes ten times as long for files that are hardly smaller."""


def black_and_white(body: bytes, kind: str, colours: Sequence[Colour], size: Size) -> bytes:
    """A PNG of grey values: 255 where the mask has one of the colours, or is white if there are
    none, and 0 elsewhere. Enlarged to `size` without new values. Raises Unclear, Undecodable.
    """
    from PIL import Image as images
    from PIL import ImageChops

    with decoded(body, kind) as image:
        made = []
        for strips in marked_strips(image, colours):
            whole, top = images.new("L", image.size, 0), 0
            for strip in strips:
                whole.paste(strip, (0, top))
                top += strip.height
            made.append(whole)
        if len(made) > 1 and ImageChops.difference(made[0], made[1]).getbbox() is not None:
            raise Unclear
        return _saved(made[0].resize(size, images.Resampling.NEAREST), "PNG")


def holes_marked(body: bytes, kind: str, colour: str) -> bytes | None:
    """A PNG of grey values that has the `colour` that marks (white or black) where the image is
    transparent, by half at least, and the other one elsewhere; None for one without transparency.

    Raises Undecodable.
    """
    with decoded(body, kind) as image:
        if not _has_alpha(image):
            return None
        alpha = (
            image.getchannel("A")
            if "A" in image.getbands()
            else image.convert("RGBA").getchannel("A")
        )
        marked, rest = (255, 0) if colour == "white" else (0, 255)
        return _saved(
            alpha.point([marked if level < _OPAQUE else rest for level in range(256)]), "PNG"
        )


def enlarged(body: bytes, kind: str, size: Size) -> bytes:
    """The image with more pixels: JPEG stays JPEG, others become PNG. Raises Undecodable."""
    from PIL import Image as images

    with decoded(body, kind) as image:
        alpha = _has_alpha(image)
        plain = image.convert("RGBA" if alpha else "RGB")
        return _saved(plain.resize(size, images.Resampling.LANCZOS), kind)


def _has_alpha(image: Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _saved(image: Image, kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "JPEG":
        image.save(file, "JPEG", quality=QUALITY)
    else:
        image.save(file, "PNG", compress_level=_LEVEL)
    return file.getvalue()
