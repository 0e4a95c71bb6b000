"""Picture files in and out."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps, PngImagePlugin, UnidentifiedImageError

from local.modelstudio.drawing.canvas import Pixels, to_bytes
from local.modelstudio.drawing.types import Drawing, DrawingError

STAND_IN = (
    "Drawn by a laptop stand-in for Model Studio with classical image processing; "
    "not the output of a generative model"
)
_UNREADABLE = (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError)


def read(data: bytes, name: str) -> Pixels:
    """The picture as RGB bytes, upright, transparency laid on white.

    Raises DrawingError when the data is no picture that can be decoded.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                white = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(white, upright)
            return np.asarray(upright.convert("RGB"))
    except _UNREADABLE as error:
        raise DrawingError(
            f"The {name} ({len(data)} bytes) cannot be decoded as a picture "
            f"({type(error).__name__}); send a complete JPEG, PNG, BMP, TIFF or WEBP file."
        ) from error


def stamp(image: Image.Image) -> None:
    """Writes the watermark "AI-generated" lower right, the words of the editing API reference."""
    width, height = image.size
    font = ImageFont.load_default(max(11, min(width, height) // 28))
    pen = ImageDraw.Draw(image, "RGBA")
    margin = max(4, min(width, height) // 40)
    place = (width - margin, height - margin)
    outline = max(1, min(width, height) // 400)
    pen.text(
        place,
        "AI-generated",
        font=font,
        anchor="rs",
        fill=(255, 255, 255, 235),
        stroke_width=outline,
        stroke_fill=(20, 20, 20, 150),
    )


def write(picture: Pixels, drawing: Drawing) -> bytes:
    """The finished PNG, whose text says who drew it, from which prompt and seed."""
    image = Image.fromarray(picture if picture.dtype == np.uint8 else to_bytes(picture))
    if drawing.watermark:
        stamp(image)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "Wanx Functions laptop stand-in")
    text.add_text("Comment", STAND_IN)
    text.add_text("Description", drawing.prompt)
    text.add_text("Seed", str(drawing.seed))
    text.add_text("Style", drawing.style)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=text, compress_level=2)
    return out.getvalue()
