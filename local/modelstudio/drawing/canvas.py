"""Pictures, float32 arrays between 0 and 1: read, written, and small operations on them."""

import io
import zlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from local.modelstudio.drawing.wishes import TABLE, Drawing, DrawingError
from local.modelstudio.stored import read_stored

Pixels = npt.NDArray[Any]
Rng = np.random.Generator
_LARGE = 2_000_000  # pixels from which a fast file counts more than a small one


def read(data: bytes, name: str) -> Pixels:
    """The picture as stored, RGB bytes, transparency laid on white. Raises DrawingError."""
    try:
        picture = read_stored(data).convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return np.asarray(Image.alpha_composite(white, picture).convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DrawingError(
            f"The {name} ({len(data)} bytes) cannot be decoded as a picture "
            f"({type(error).__name__}); send a complete JPEG, PNG, BMP, TIFF or WEBP file."
        ) from error


def write(picture: Pixels, drawing: Drawing) -> bytes:
    """The finished file, whose text says who drew it; with the watermark lower right if wanted."""
    image = Image.fromarray(picture.astype(np.uint8))
    if drawing.watermark:  # in the words of the editing API reference
        side = min(image.size)
        place = (image.width - max(4, side // 40), image.height - max(4, side // 40))
        font, edge = ImageFont.load_default(max(11, side // 28)), max(1, side // 400)
        pen, light, dark = ImageDraw.Draw(image, "RGBA"), (255, 255, 255, 235), (20, 20, 20, 150)
        pen.text(place, "AI-generated", light, font, "rs", stroke_width=edge, stroke_fill=dark)
    text, out = PngImagePlugin.PngInfo(), io.BytesIO()
    if drawing.format == "JPEG":
        image.save(out, "JPEG", quality=92, comment=TABLE["stand_in"])
        return out.getvalue()
    text.add_text("Software", "Wanx Functions laptop stand-in")
    text.add_text("Comment", TABLE["stand_in"])
    text.add_text("Description", drawing.prompt)
    text.add_text("Seed", str(drawing.seed))
    text.add_text("Style", drawing.style)
    level = 2 if image.width * image.height < _LARGE else 1
    image.save(out, "PNG", pnginfo=text, compress_level=level)
    return out.getvalue()


def captioned(picture: Pixels, text: str) -> Pixels:
    """The picture with a line of text in a dark strip at its foot."""
    image = Image.fromarray(picture.astype(np.uint8))
    high = max(8, min(image.size) // 14)
    pen = ImageDraw.Draw(image, "RGBA")
    pen.rectangle((0, image.height - high, image.width, image.height), (20, 20, 20, 190))
    font = ImageFont.load_default(max(6, round(high * 0.62)))
    pen.text((image.width / 2, image.height - high / 2), text, "white", font, "mm")
    return np.asarray(image)


def dice(drawing: Drawing) -> Rng:
    """A source of randomness fixed by seed and prompt."""
    return np.random.default_rng([drawing.seed & 0xFFFFFFFF, zlib.crc32(drawing.prompt.encode())])


def floats(values: Any) -> Pixels:
    """The values as float32."""
    return np.asarray(values, np.float32)


def clipped(values: Any) -> Pixels:
    """The values as float32, kept between 0 and 1."""
    return np.clip(floats(values), 0, 1)


def unit(picture: Pixels) -> float:
    """How many pixels here are one in a picture 768 pixels long."""
    return max(picture.shape[:2]) / 768


def resize(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """The picture stretched to (width, height)."""
    shrinking = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=method))


def blur(picture: Pixels, sigma: float) -> Pixels:
    """Gaussian blur; a wide one is made on a smaller picture, which looks the same."""
    if sigma <= 6:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.1)))
    high, wide = picture.shape[:2]
    soft = blur(resize(picture, (max(2, wide // 3), max(2, high // 3))), sigma / 3)
    return np.asarray(cv2.resize(soft, (wide, high), interpolation=cv2.INTER_LINEAR))


def mix(below: Pixels, above: Pixels | Sequence[float], amount: Pixels | float) -> Pixels:
    """`above` over `below`, as strongly as `amount` (0-1, one number or one for each pixel)."""
    share = floats(amount)
    spread = share[..., None] if share.ndim == 2 and below.ndim == 3 else share
    return floats(below + (floats(above) - below) * spread)


def grey(picture: Pixels) -> Pixels:
    """Perceived brightness (0-1)."""
    return floats(picture @ floats([0.299, 0.587, 0.114]))


def step(field: Pixels, low: float, high: float) -> Pixels:
    """A smooth step from 0 at `low` to 1 at `high`."""
    t = clipped((field - low) / (high - low))
    return floats(t * t * (3 - 2 * t))


def noise(shape: tuple[int, ...], cell: float, rng: Rng, octaves: int = 1) -> Pixels:
    """Smooth noise (0-1) in lumps about `cell` pixels wide; with finer ones, it is clouds."""
    high, wide = shape[:2]
    total = np.zeros((high, wide), np.float32)
    for size in (max(1.0, cell / 2**k) for k in range(octaves)):
        grid = rng.random((round(high / size) + 3, round(wide / size) + 3), dtype=np.float32)
        total += clipped(cv2.resize(grid, (wide, high), interpolation=cv2.INTER_CUBIC)) * size
    return clipped(total / cell / (2 - 0.5 ** (octaves - 1)))


def bent(picture: Pixels, cell: float, reach: float, rng: Rng, method: int = 1) -> Pixels:
    """The picture bent by up to `reach` pixels, in waves about `cell` pixels wide."""
    ys, xs = floats(np.mgrid[: picture.shape[0], : picture.shape[1]])
    dx, dy = ((noise(picture.shape, cell, rng) - 0.5) * 2 * reach for _ in range(2))
    border = cv2.BORDER_REFLECT_101
    return np.asarray(cv2.remap(picture, xs + dx, ys + dy, method, borderMode=border))


def lit(height: Pixels, depth: float) -> Pixels:
    """How bright a surface is that is lit from the upper left (1 = level ground)."""
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=depth / 8)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=depth / 8)
    facing = (0.45 * dx + 0.6 * dy + 0.66) / np.sqrt(dx * dx + dy * dy + 1)
    return floats(np.clip(0.55 + 0.68 * facing, 0.1, 1.45))


def bulging(region: Pixels, reach: float) -> Pixels:
    """How many pixels a rounded body stands over the region: `reach` where it is as far inside."""
    inside = np.asarray(cv2.distanceTransform((region > 0.5).astype(np.uint8), cv2.DIST_L2, 5))
    reach = max(1.0, min(reach, float(inside.max())))
    t = clipped(inside / reach)
    return floats(np.sqrt(t * (2 - t)) * reach)


def cast_shadow(mask: Pixels, size: float) -> Pixels:
    """The soft shadow of a body of that size, thrown to the lower right."""
    shift = floats([[1, 0, size * 0.03], [0, 1, size * 0.05]])
    return np.asarray(cv2.warpAffine(blur(mask, size * 0.03), shift, mask.shape[::-1]))


def traced(picture: Pixels) -> tuple[Pixels, Pixels]:
    """A photograph as a draughtsman sees it: in smooth patches, and its lines (0-1)."""
    soft = resize(picture, (560, 560))
    for _ in range(3):
        soft = np.asarray(cv2.bilateralFilter(floats(soft), 7, 0.13, 5))
    soft = clipped(resize(soft, (picture.shape[1], picture.shape[0])))
    level, width = grey(soft), 1.5 * unit(picture)
    return soft, step(blur(level, width * 1.9) * 1.02 - blur(level, width), 0.012, 0.06)
