"""A mask in OpenAI's form, whose transparent part is what changes, made into a model's own.

A mask without transparency is taken as the model's own: it is left as it is, and the check looks at
what its pixels mark.
"""

from __future__ import annotations

from shared.catalogue.models import ImageRule
from shared.jobfile.image_marks import MOST_PIXELS, PixelCounter, Undecodable
from shared.jobfile.image_pixels import holes_marked
from shared.jobfile.image_probe import UPRIGHT, ProbeError, look
from shared.jobfile.openai_form import MASK, NotWritable
from shared.storage.objects import Slice


def mask_for(rule: ImageRule, body: bytes, counter: PixelCounter | None = None) -> bytes:
    """The mask of an image file for the place that `rule` is about. `counter`: of the job file that
    it is in, which may have many. Raises NotWritable."""
    try:
        facts = look(lambda start, length: _part(body, start, length)).facts
    except ProbeError as error:
        raise NotWritable(MASK, f"the mask: {error}") from None
    if not facts.has_alpha or rule.marks is None:
        return body
    pixels = facts.width * facts.height
    if pixels > MOST_PIXELS:
        raise NotWritable(
            MASK,
            f"the mask has {facts.width}x{facts.height} pixels; at most {MOST_PIXELS} are read",
        )
    if counter is not None and not counter.spend(pixels, 0, 0):
        raise NotWritable(MASK, "the masks of this file have too many pixels; split the file")
    if facts.orientation != UPRIGHT:
        raise NotWritable(MASK, "the mask is turned by its EXIF orientation; save it upright")
    try:
        return holes_marked(body, facts.format, rule.marks.colour) or body
    except Undecodable:
        message = f"the pixels of this {facts.format} mask cannot be decoded; save it again as PNG"
        raise NotWritable(MASK, message) from None


def _part(body: bytes, start: int, length: int) -> Slice:
    return Slice(body[start : start + length], len(body), "")
