"""What the pixels of a mask or a sketch mark.

Decoded with Pillow, which the functions carry for headers; its decoders are imported when such an
image is there. Bounded: at most MOST_PIXELS pixels, one image at a time, counted in strips, so that
beside the decoded image little memory is needed.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

from shared.jobfile.image_probe import ImageFacts

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 4096 * 4096
LIKENESS = 24
"""How far a channel may be from a colour that is named: JPEG moves colours by about that."""
WHITE = 128
"""White begins at about half; the documents do not say where."""
_STRIP = 256
MOST_NEW = 12 * 1024 * 1024
"""Bytes of all images that are written into a job file: in base64 they fill one of 16 MiB."""
_MAKING = 4
"""Pixels that are counted in the time in which one is made."""
_COLOURS_A_DECODING = 8
"""Comparing with so many colours takes about as long as decoding."""
_SAMPLE = 64
_MOST_COLOURS = 3
_SPREAD = 96
_DECODERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
}
_one_at_a_time = Lock()

Colour = tuple[int, int, int]


class Undecodable(Exception):
    """The pixels cannot be decoded."""


class Unclear(Exception):
    """With its transparency the image marks another region than without."""


@dataclass
class Count:
    """Pixels of an image: `grey` by brightness, `dark`, `light` and `coloured` ones, those `like`
    the colours that were asked for; the most frequent colours but black and white."""

    grey: list[int] = field(default_factory=lambda: [0] * 256)
    dark: int = 0
    light: int = 0
    coloured: int = 0
    like: int = 0
    colours: tuple[Colour, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.grey)

    @property
    def brightest(self) -> int:
        return max((value for value, number in enumerate(self.grey) if number), default=0)

    @property
    def white(self) -> int:
        return sum(self.grey[WHITE:])

    @property
    def mid_grey(self) -> int:
        return sum(self.grey[64:192])


@dataclass
class PixelCounter:
    """Counts for one job file: each object once, and `left` pixels at most. Thread-safe.

    `room`: bytes of new images that the file may still be given.
    """

    left: int = 16 * MOST_PIXELS
    room: int = MOST_NEW
    _known: dict[tuple[str, tuple[Colour, ...]], tuple[Count, ...]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def spend(self, pixels: int, made: int, colours: int) -> bool:
        """Take an image's pixels, which are compared with so many colours, and those that are made
        of them, from what is left; whether there were as many."""
        cost = max(_cost(pixels, colours), made * _MAKING)
        with self._lock:
            if not 0 < max(pixels, made) <= MOST_PIXELS or cost > self.left:
                return False
            self.left -= cost
            return True

    def take(self, new: int) -> bool:
        """Take the bytes of a new image from the room that is left; whether there was as much."""
        with self._lock:
            fits = new <= self.room
            self.room -= new if fits else 0
            return fits

    def count(
        self, body: bytes, facts: ImageFacts, etag: str, colours: tuple[Colour, ...]
    ) -> tuple[Count, ...] | None:
        """As the function `count`; None if these are too many pixels, for this image or the file.

        `etag` names the bytes; empty if nothing does. Raises Undecodable.
        """
        with self._lock:
            if etag and (etag, colours) in self._known:
                return self._known[etag, colours]
            pixels = facts.width * facts.height
            cost = _cost(pixels, len(colours))
            if pixels > MOST_PIXELS or cost > self.left:
                return None
            self.left -= cost
            counted = count(body, facts.format, colours)
            if etag:
                self._known[etag, colours] = counted
            return counted


def _cost(pixels: int, colours: int) -> int:
    return pixels + pixels * colours // _COLOURS_A_DECODING


def count(body: bytes, kind: str, colours: Sequence[Colour]) -> tuple[Count, ...]:
    """The pixels of an image file, its turn by EXIF not applied.

    Two counts for an image with transparency: its colours alone, and laid on white, because no
    document says which the service sees; none for a format without decoder. Raises Undecodable.
    """
    if kind not in _DECODERS:
        return ()
    with decoded(body, kind) as image:
        return tuple(_counted(image, colours, white) for white in _readings(image))


@contextmanager
def decoded(body: bytes, kind: str) -> Iterator[Image]:
    """The pixels of an image file, one image at a time. Raises Undecodable, also for what goes
    wrong while the image is used."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield _opened(body, kind)
        except Unclear:
            raise
        except Exception as error:  # the decoders meet hostile bytes and raise nearly anything
            raise Undecodable(type(error).__name__) from error


def marked_strips(image: Image, colours: Sequence[Colour]) -> Iterator[Iterator[Image]]:
    """For each reading of the image's transparency, strips that are 255 where the image has one of
    the colours, or is white if there are none, and 0 elsewhere."""
    for on_white in _readings(image):
        yield (_marked(_plain(strip, on_white), colours) for strip in _strips(image))


def _marked(strip: Image, colours: Sequence[Colour]) -> Image:
    near = _near(strip.split(), colours)
    return near or strip.convert("L").point([255 * (grey >= WHITE) for grey in range(256)])


def _opened(body: bytes, kind: str) -> Image:
    module, name = _DECODERS[kind]
    image: Image = getattr(import_module(module), name)(io.BytesIO(body))
    if image.width * image.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    image.load()
    if image.mode.startswith("I"):  # 16 bits a channel
        return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    return image


def _readings(image: Image) -> tuple[bool, ...]:
    return (False, True) if _has_alpha(image) else (False,)


def _has_alpha(image: Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _counted(image: Image, colours: Sequence[Colour], on_white: bool) -> Count:
    counted = Count(colours=_frequent(_plain(_sample(image), on_white)))
    for strip in _strips(image):
        _add(counted, _plain(strip, on_white), colours)
    return counted


def _strips(image: Image) -> Iterator[Image]:
    for top in range(0, image.height, _STRIP):
        yield image.crop((0, top, image.width, min(top + _STRIP, image.height)))


def _sample(image: Image) -> Image:
    return image.resize((min(_SAMPLE, image.width), min(_SAMPLE, image.height)), 0)


def _plain(strip: Image, on_white: bool) -> Image:
    """The strip in RGB: transparency left out of account, or laid on white."""
    if not _has_alpha(strip):
        return strip.convert("RGB")
    whole = strip.convert("RGBA")
    if not on_white:
        return whole.convert("RGB")
    from PIL import Image as images

    ground = images.new("RGBA", whole.size, "white")
    return images.alpha_composite(ground, whole).convert("RGB")


def _frequent(sample: Image) -> tuple[Colour, ...]:
    found: Any = sample.getcolors(_SAMPLE * _SAMPLE) or []
    ordered = sorted(found, reverse=True)
    return tuple(c for _, c in ordered if max(c) >= 32 and min(c) < 224)[:_MOST_COLOURS]


def _add(counted: Count, strip: Image, colours: Sequence[Colour]) -> None:
    from PIL import ImageChops

    red, green, blue = strip.split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    least = ImageChops.darker(ImageChops.darker(red, green), blue)
    counted.grey = [
        a + b for a, b in zip(counted.grey, strip.convert("L").histogram(), strict=True)
    ]
    counted.dark += sum(most.histogram()[:WHITE])
    counted.light += sum(least.histogram()[192:])
    counted.coloured += sum(ImageChops.subtract(most, least).histogram()[_SPREAD:])
    if colours:
        counted.like += _like((red, green, blue), colours)


def _like(bands: Sequence[Image], colours: Sequence[Colour]) -> int:
    """How many pixels have one of the colours."""
    near = _near(bands, colours)
    return near.histogram()[255] if near else 0


def _near(bands: Sequence[Image], colours: Sequence[Colour]) -> Image | None:
    """255 where a pixel has one of the colours; None if there are none."""
    from PIL import ImageChops

    near = None
    for colour in colours:
        fits = [
            band.point([255 * (abs(level - value) <= LIKENESS) for level in range(256)])
            for band, value in zip(bands, colour, strict=True)
        ]
        all_fit = ImageChops.darker(ImageChops.darker(fits[0], fits[1]), fits[2])
        near = all_fit if near is None else ImageChops.lighter(near, all_fit)
    return near
