"""Holds the images of a job against the model's image rules."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from itertools import islice

from shared.catalogue import pointers
from shared.catalogue.models import ImageRule, Model
from shared.catalogue.plain import Plain
from shared.jobfile.findings import Findings
from shared.jobfile.image_probe import UPRIGHT, ImageFacts, Look, NotAtHand, ProbeError, look
from shared.jobfile.marks_check import check_marks
from shared.jobfile.references import (
    BadReference,
    Place,
    Reference,
    is_known_temporary,
    read_reference,
)
from shared.jobfile.spec import ImageUse
from shared.storage.objects import ObjectMissing, Slice

_SUFFIXES = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "png": "PNG",
    "bmp": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
    "webp": "WEBP",
    "gif": "GIF",
    "heic": "HEIC",
    "heif": "HEIC",
}
_MOST = 20
"""Images of a list that are looked at: more than any model takes, and each costs requests."""


@dataclass
class ImageCheck:
    """Checks all images of one job; `uses` and `looks` are what it learnt of them."""

    place: Place
    model: Model
    found: Findings
    uses: list[ImageUse] = field(default_factory=list)
    looks: dict[str, Look] = field(default_factory=dict)
    _known: dict[str, Look] = field(default_factory=dict)

    def run(self, job: Plain) -> None:
        """Reports what is wrong with the images. Raises StoreError if the bucket cannot be read."""
        for rule in self.model.images:
            for pointer, value in islice(pointers.find(job, rule.at), _MOST):
                if isinstance(value, str) and value.strip():
                    self._check(pointer, value, rule)
                    self._check_pixels(job, pointer, value, rule)
        for rule in self.model.images:
            if rule.same_size_as:
                self._check_pair(job, rule, rule.same_size_as)

    def _check(self, pointer: str, value: str, rule: ImageRule) -> None:
        try:
            reference = read_reference(
                value, self.place, inline=rule.inline, ascii_url=rule.ascii_url
            )
        except BadReference as error:
            self.found.violate(pointer, error.expected, value, str(error), rule.source)
            return
        self.uses.append(ImageUse(pointer, reference.key, reference.form))
        seen = self._look(pointer, value, rule, reference)
        if seen is not None:
            self.looks[pointer] = seen
            self._hold_against(rule, pointer, value, seen.facts)

    def _check_pixels(self, job: Plain, pointer: str, value: str, rule: ImageRule) -> None:
        """Only of an image that fits otherwise: its sides bound the work."""
        seen = self.looks.get(pointer)
        if seen is not None and not self.found.violates(pointer):
            check_marks(job, rule, (pointer, value), seen, self.place.pixels, self.found)

    def _look(self, pointer: str, value: str, rule: ImageRule, reference: Reference) -> Look | None:
        if reference.form == "temporary" and not is_known_temporary(value):
            what = "read as a temporary upload of the service; for this bucket write oss:///key"
            self.found.notice(pointer, "oss:///key", value, what, rule.source)
        try:
            if reference.key is not None:
                return self._look_at_object(reference.key, rule)
            return self._probe_inline(pointer, value, rule) if reference.form == "data" else None
        except ObjectMissing:
            what = f"{reference.key} does not exist in the bucket; upload it before the job file"
            self.found.violate(pointer, "an object in the bucket", value, what, rule.source)
        except NotAtHand as error:  # says nothing about the job, whose price may be asked for
            self.found.notice(pointer, _formats(rule), value, str(error), rule.formats_source)
        except ProbeError as error:
            self.found.violate(pointer, _formats(rule), value, str(error), rule.formats_source)
        return None

    def _look_at_object(self, key: str, rule: ImageRule) -> Look:
        if key not in self._known or (rule.marks and self._known[key].body is None):
            most = rule.max_bytes if rule.marks else 0
            self._known[key] = look(
                lambda start, n: self.place.images.read_range(key, start, n), most
            )
        return self._known[key]

    def _probe_inline(self, pointer: str, value: str, rule: ImageRule) -> Look | None:
        payload = value.partition(",")[2]
        if len(payload) > (rule.max_bytes + 2) // 3 * 4:
            self._too_large(pointer, value, rule, len(payload) * 3 // 4)
            return None
        if rule.inline_warn_above is not None and len(value) > rule.inline_warn_above:
            what = f"{len(value)} characters may be too long for inline data; use oss:///key"
            expected = f"at most {rule.inline_warn_above} characters"
            self.found.notice(pointer, expected, value, what, rule.inline_source)
        try:
            body = base64.b64decode(payload, validate=True)
        except (binascii.Error, ValueError):
            what = "the inline data is not valid base64, or cut off; encode the image again"
            if re.search(r"\s", payload):
                what = (
                    "the inline data holds line breaks or spaces; write it in one line (base64 -w0)"
                )
            self.found.violate(pointer, "base64 data", value, what, rule.source)
            return None
        part = lambda start, n: Slice(body[start : start + n], len(body), "")  # noqa: E731
        return look(part, len(body))

    def _hold_against(self, rule: ImageRule, pointer: str, value: str, facts: ImageFacts) -> None:
        self._check_format(rule, pointer, value, facts)
        if facts.bytes > rule.max_bytes:
            self._too_large(pointer, value, rule, facts.bytes)
        if facts.bytes < rule.min_bytes:
            self._too_small(pointer, value, rule, facts.bytes)
        self._check_sides(rule, pointer, facts)
        self._check_aspect(rule, pointer, value, facts)
        self._advise(rule, pointer, value, facts)
        self._check_channels(rule, pointer, value, facts)

    def _check_channels(self, rule: ImageRule, pointer: str, value: str, facts: ImageFacts) -> None:
        if rule.rgba and not facts.rgba:
            what = (
                "the image must have four channels (RGBA) with a transparent background;"
                " cut the subject out and save it as a 32-bit PNG"
            )
            expected, shown = "an RGBA image", f"a {facts.format} image without them"
            self.found.violate(pointer, expected, value, what, rule.source, shown)
        if facts.has_alpha and facts.format in rule.alpha_forbidden:
            what = f"{facts.format} images with an alpha channel are refused; save it without one"
            expected = "an image without alpha channel"
            self.found.violate(pointer, expected, value, what, rule.source, "an alpha channel")
        elif facts.has_alpha and rule.alpha_remark:
            remark, shown = rule.alpha_remark, "an alpha channel"
            expected = "an image without alpha channel"
            self.found.notice(pointer, expected, value, remark.text, remark.source, shown)

    def _check_format(self, rule: ImageRule, pointer: str, value: str, facts: ImageFacts) -> None:
        if facts.format in rule.warn:
            remark = rule.warn[facts.format]
            what = f"{facts.format} may be refused: {remark.text}; JPEG and PNG are safe"
            self.found.notice(
                pointer, _formats(rule), value, what, remark.source, f"a {facts.format} image"
            )
        elif facts.format not in rule.accept:
            what = f"{facts.format} images are refused; convert it to {_formats(rule)}"
            source = rule.formats_source
            self.found.violate(
                pointer, _formats(rule), value, what, source, f"a {facts.format} image"
            )

    def _too_large(self, pointer: str, value: str, rule: ImageRule, size: int) -> None:
        what = f"the image has {size} bytes, at most {rule.max_bytes} are allowed; make it smaller"
        expected = f"at most {rule.max_bytes} bytes"
        self.found.violate(pointer, expected, value, what, rule.source, f"{size} bytes")

    def _too_small(self, pointer: str, value: str, rule: ImageRule, size: int) -> None:
        what = f"the image has {size} bytes, at least {rule.min_bytes} are needed; use a better one"
        expected = f"at least {rule.min_bytes} bytes"
        self.found.violate(pointer, expected, value, what, rule.source, f"{size} bytes")

    def _check_sides(self, rule: ImageRule, pointer: str, facts: ImageFacts) -> None:
        side, size = rule.side, f"{facts.width}x{facts.height} pixels"
        if side.allow(facts.width, facts.height):
            return
        expected = f"width and height {side.words()} pixels"
        if side.advised:
            what = f"the image has {size}; recommended are {expected}"
            self.found.notice(pointer, expected, size, what, side.source, size)
            return
        what = f"the image has {size}; allowed are {expected}; resize it"
        self.found.violate(pointer, expected, size, what, side.source, size)

    def _check_aspect(self, rule: ImageRule, pointer: str, value: str, facts: ImageFacts) -> None:
        size = f"{facts.width}x{facts.height} pixels"
        for bound in rule.aspect:
            if bound.allows(facts.width, facts.height):
                continue
            expected = "another aspect"
            if bound.refused:
                what = f"the image has {size}, and {bound.reason}; crop it"
                self.found.violate(pointer, expected, value, what, bound.source, size)
            else:
                self.found.notice(pointer, expected, value, bound.reason, bound.source, size)

    def _advise(self, rule: ImageRule, pointer: str, value: str, facts: ImageFacts) -> None:
        size = f"{facts.width}x{facts.height} pixels"
        if facts.animated:
            what = "the image is animated; only one picture of it will be used"
            self.found.notice(pointer, "a still image", value, what, rule.source, "an animation")
        if facts.orientation != UPRIGHT:
            what = (
                f"viewers turn the image (EXIF orientation {facts.orientation}); it is sent as it"
                f" is stored, {size}; rotate it in an editor and save it upright"
            )
            self.found.notice(pointer, "an upright image", value, what, rule.source, size)
        self._compare_name(rule, pointer, value, facts)

    def _compare_name(self, rule: ImageRule, pointer: str, value: str, facts: ImageFacts) -> None:
        named = value[:100].partition(";")[0].rpartition("/")[2]
        if not value.startswith("data:"):
            named = value.rpartition(".")[2]
        claimed = _SUFFIXES.get(named.lower())
        if claimed is not None and claimed != facts.format:
            what = f"named as {claimed}, but the content is {facts.format}; rename it"
            found = f"a {facts.format} image"
            self.found.notice(pointer, f"a {claimed} image", value, what, rule.source, found)

    def _check_pair(self, job: Plain, rule: ImageRule, other: str) -> None:
        for place, theirs in pointers.find(job, other):
            for pointer, mine in pointers.find(job, rule.at):
                if self._is_same(pointer, mine, place, theirs):
                    what = f"this is the same picture as at {place}; name two different ones"
                    expected = f"another picture than at {place}"
                    self.found.violate(pointer, expected, mine, what, rule.source)
                else:
                    self._check_same_size(pointer, place, rule)

    def _is_same(self, pointer: str, mine: Plain, place: str, theirs: Plain) -> bool:
        """Whether both name one picture, or two objects with the same bytes."""
        if isinstance(mine, str) and mine.strip() and mine == theirs:
            return True
        ours, others = self.looks.get(pointer), self.looks.get(place)
        return bool(ours and others and ours.etag and ours.etag == others.etag)

    def _check_same_size(self, pointer: str, place: str, rule: ImageRule) -> None:
        if pointer not in self.looks or place not in self.looks:
            return
        mine, theirs = self.looks[pointer].facts, self.looks[place].facts
        if (mine.width, mine.height) == (theirs.width, theirs.height):
            return
        size = f"{mine.width}x{mine.height} pixels"
        expected = f"{theirs.width}x{theirs.height} pixels, as at {place}"
        cure = "make both equally large"
        if mine.is_turned != theirs.is_turned:
            turned, facts = (pointer, mine) if mine.is_turned else (place, theirs)
            cure = (
                f"the image at {turned} is stored lying and turned by EXIF orientation"
                f" {facts.orientation} when shown; rotate it in an editor, save it upright, and"
                " leave the other as it is"
            )
        what = f"the image has {size}, expected are {expected}; {cure}"
        self.found.violate(pointer, expected, size, what, rule.source, size)


def _formats(rule: ImageRule) -> str:
    return " or ".join(rule.accept)
