"""The images of a job that is converted: enlarged where the successor wants larger ones, and a mask
made black and white."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.catalogue import pointers
from shared.catalogue.conversion import Conversion
from shared.catalogue.models import ImageRule, Marks, Model
from shared.catalogue.plain import Plain
from shared.jobfile.image_marks import Colour, Unclear, Undecodable
from shared.jobfile.image_pixels import Size, black_and_white, enlarged
from shared.jobfile.image_probe import UPRIGHT, ImageFacts, Look, NotAtHand, ProbeError, look
from shared.jobfile.marks_check import MOST_COLOURS
from shared.jobfile.references import BadReference, Place, read_reference
from shared.storage.objects import ObjectMissing, Slice

LARGEST_INLINE = 8 * 1024 * 1024
"""Bytes of an image that is written into a job: a job file may have 16 MiB, and base64 is longer
by a third."""


class NotConvertible(Exception):
    """The job cannot be written for another model; the message says why, and what can be done.

    `pointer`: where in the job that is.
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"at {pointer}: {message}")
        self.pointer = pointer


@dataclass(frozen=True)
class _Image:
    """An image of the written job, where it goes, and the rules of both models for it. Without
    facts it cannot be looked at from here."""

    at: str
    to: str
    value: str
    old: ImageRule
    rule: ImageRule
    facts: ImageFacts | None

    @property
    def size(self) -> Size | None:
        return (self.facts.width, self.facts.height) if self.facts else None


@dataclass
class ImageChange:
    """Changes the images of one job for its successor."""

    place: Place
    model: Model
    target: Model
    conversion: Conversion

    def apply(self, job: Plain, new: dict[str, Any], notes: list[str]) -> None:
        """Write the images that had to be changed into `new`. Raises NotConvertible, StoreError."""
        images = self._images(job)
        factor = max((_factor(one) for one in images), default=1.0)
        for one in images:
            size = self._enlarged(one, factor, notes)
            if one.at == self.conversion.mask:
                self._blacken(job, one, size, new, notes)
            elif size is not None and one.facts is not None:
                self._write(new, one, self._made(one, size, enlarged))
            elif one.facts is None:
                least = one.rule.side.smallest
                notes.append(f"at {one.to}: not looked at; a side needs {least} pixels at least.")

    def _images(self, job: Plain) -> list[_Image]:
        rules = {rule.at: rule for rule in self.target.images}
        found = []
        for rule in self.model.images:
            to = self.conversion.fields.get(rule.at, "")
            for at, value in pointers.find(job, rule.at):
                if to in rules and isinstance(value, str) and value.strip():
                    seen = self._look(at, value, 0)
                    facts = seen.facts if seen else None
                    found.append(_Image(at, to, value, rule, rules[to], facts))
        return found

    def _look(self, at: str, value: str, most: int) -> Look | None:
        """What an image of the bucket or an inline one is, with its bytes if it has `most`."""
        try:
            reference = read_reference(value, self.place, inline=True, ascii_url=False)
            if reference.key is not None:
                return look(partial(self.place.images.read_range, reference.key), most)
            return look(_inline(value), most) if reference.form == "data" else None
        except NotAtHand:
            return None
        except (BadReference, ProbeError, ObjectMissing) as error:
            raise NotConvertible(at, str(error)) from None

    def _enlarged(self, one: _Image, factor: float, notes: list[str]) -> Size | None:
        """The size that the image must get; None where it stays as it is. Raises NotConvertible."""
        if factor <= 1.0:
            return None
        side, least = one.rule.side, one.rule.side.smallest
        if one.size is None:
            raise NotConvertible(
                one.at,
                f"the images must be enlarged, as {self.target.name} takes none with a"
                f" side below {least} pixels, and this one cannot be read from"
                f" here; {_CURE}",
            )
        size = (math.ceil(one.size[0] * factor), math.ceil(one.size[1] * factor))
        if not side.allow(*size):
            raise NotConvertible(
                one.at,
                f"the image has {_shown(one.size)}, and {self.target.name} takes sides"
                f" {side.words()}: enlarged until its shorter side fits, it would"
                f" have {_shown(size)}; use an image that is less long and narrow",
            )
        notes.append(f"at {one.to}: enlarged from {_shown(one.size)} to {_shown(size)}.")
        return size

    def _blacken(
        self, job: Plain, one: _Image, size: Size | None, new: dict[str, Any], notes: list[str]
    ) -> None:
        colours = _colours(job, one.old.marks)
        if one.size is None and colours:
            raise NotConvertible(
                one.at,
                f"the mask must be made black and white, and cannot be read from here; {_CURE}",
            )
        if one.size is None:
            notes.append(
                f"at {one.to}: not looked at; {self.target.name} edits what is pure white (255) and"
                " keeps what is pure black (0)."
            )
            return
        wanted = size or one.size
        make = partial(black_and_white, colours=colours)
        self._write(new, one, self._made(one, wanted, make, colours))
        what = f"the colours {[list(one) for one in colours]}" if colours else "white"
        notes.append(f"at {one.to}: made black and white: what was {what} is white.")

    def _made(
        self, one: _Image, size: Size, make: Callable[..., bytes], colours: Sequence[Colour] = ()
    ) -> bytes:
        """What becomes of the bytes of an image that was looked at, which are read only once the
        work is known to be bounded. Raises NotConvertible."""
        if one.facts is not None and one.facts.orientation != UPRIGHT:
            raise NotConvertible(
                one.at,
                f"the image must be changed, and what turns it for viewers (EXIF orientation"
                f" {one.facts.orientation}) would be lost; rotate it in an editor and save it"
                " upright, with the other images of the job",
            )
        pixels, (width, height) = self.place.pixels, one.size or size
        if not pixels.spend(width * height, size[0] * size[1], len(colours)):
            raise NotConvertible(
                one.at, "these are too many pixels for one call; convert fewer jobs at once"
            )
        seen = self._look(one.at, one.value, one.rule.max_bytes)
        if seen is None or seen.body is None:
            raise NotConvertible(
                one.at, f"the file has more than {one.rule.max_bytes} bytes; make it smaller"
            )
        body, facts = seen.body, seen.facts
        try:
            return make(body, facts.format, size=size)
        except Unclear:
            raise NotConvertible(
                one.at,
                "its transparent pixels mark another region than its colours alone;"
                " save the mask without transparency",
            ) from None
        except Undecodable:
            raise NotConvertible(
                one.at,
                f"the pixels of this {facts.format} image cannot be decoded; save it again as PNG",
            ) from None

    def _write(self, new: dict[str, Any], one: _Image, body: bytes) -> None:
        if not one.rule.inline or len(body) > LARGEST_INLINE:
            why = f"it has {len(body)} bytes" if one.rule.inline else "it takes no inline data"
            raise NotConvertible(
                one.at,
                f"the changed image cannot be written into the job for"
                f" {self.target.name}: {why}; change the image yourself and name that",
            )
        if not self.place.pixels.take(len(body)):
            raise NotConvertible(
                one.at, "the changed images are too large for one file; convert fewer jobs at once"
            )
        media = "jpeg" if body.startswith(b"\xff\xd8") else "png"
        text = f"data:image/{media};base64,{base64.b64encode(body).decode('ascii')}"
        pointers.replace(new, one.to, text)


_CURE = "put it into the bucket and write oss:///inputs/name.png"


def _colours(job: Plain, marks: Marks | None) -> tuple[Colour, ...]:
    """The colours that the job lists. Raises NotConvertible if they are none."""
    if marks is None or marks.colours is None:
        return ()
    place = marks.colours
    found = [item for _, item in pointers.find(job, f"{place}/*")]
    if len(found) > MOST_COLOURS:
        raise NotConvertible(place, f"more than {MOST_COLOURS} colours mark the region; list fewer")
    for item in found:
        fine = isinstance(item, list) and len(item) == 3
        if not fine or not all(type(one) is int and 0 <= one <= 255 for one in item):
            raise NotConvertible(place, "write each colour as [R, G, B], from 0 to 255")
    return tuple((red, green, blue) for red, green, blue in found)


def _factor(one: _Image) -> float:
    """By how much the image must be enlarged."""
    if one.size is None:
        return 1.0
    side = one.rule.side
    return 1.0 if side.advised else (side.smallest + side.exclusive) / min(one.size)


def _shown(size: Size) -> str:
    return f"{size[0]}x{size[1]} pixels"


def _inline(value: str) -> Callable[[int, int], Slice]:
    try:
        body = base64.b64decode(value.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise ProbeError("the inline data is not valid base64; encode the image again") from None
    return lambda start, n: Slice(body[start : start + n], len(body), "")
