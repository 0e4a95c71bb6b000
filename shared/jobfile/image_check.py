"""Holds the images of a job against the model's image rules."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from itertools import islice

from shared.catalogue.models import ImageRule, Model
from shared.catalogue.plain import Plain
from shared.jobfile import pointers
from shared.jobfile.findings import Findings
from shared.jobfile.image_probe import ImageFacts, ProbeError, probe
from shared.jobfile.references import (
    BadReference,
    Reference,
    is_known_temporary,
    read_reference,
)
from shared.jobfile.spec import ImageUse
from shared.storage.layout import INPUTS, RESULTS, UPLOADS
from shared.storage.objects import ObjectForbidden, ObjectMissing, ObjectReader, Slice

_SUFFIXES = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "png": "PNG",
    "bmp": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
    "webp": "WEBP",
    "gif": "GIF",
}
_UPRIGHT = 1
_MOST = 20
"""Images of a list that are looked at: more than any model takes, and each costs requests."""


@dataclass
class ImageCheck:
    """Checks all images of one job; `uses` and `facts` are what it learnt of them."""

    bucket: str
    reader: ObjectReader
    model: Model
    found: Findings
    uses: list[ImageUse] = field(default_factory=list)
    facts: dict[str, ImageFacts] = field(default_factory=dict)
    _known: dict[str, ImageFacts] = field(default_factory=dict)

    def run(self, job: Plain) -> None:
        """Reports what is wrong with the images. Raises StoreError if the bucket cannot be read."""
        for rule in self.model.images:
            for pointer, value in islice(pointers.find(job, rule.at), _MOST):
                if isinstance(value, str) and value.strip():
                    self._check(pointer, value, rule)
        for rule in self.model.images:
            if rule.same_size_as:
                self._check_same_size(job, rule, rule.same_size_as)

    def _check(self, pointer: str, value: str, rule: ImageRule) -> None:
        inline, ascii_url = rule.inline, rule.ascii_url
        try:
            reference = read_reference(value, self.bucket, inline=inline, ascii_url=ascii_url)
        except BadReference as error:
            self.found.violate(pointer, error.expected, value, str(error), rule.source)
            return
        self.uses.append(ImageUse(pointer, reference.key, reference.form))
        facts = self._facts(pointer, value, rule, reference)
        if facts is not None:
            self.facts[pointer] = facts
            self._hold_against(rule, pointer, value, facts)

    def _facts(
        self, pointer: str, value: str, rule: ImageRule, reference: Reference
    ) -> ImageFacts | None:
        if reference.form == "temporary" and not is_known_temporary(value):
            what = "read as a temporary upload of the service; for this bucket write oss:///key"
            self.found.notice(pointer, "oss:///key", value, what, rule.source)
        try:
            if reference.key is not None:
                return self._probe_object(reference.key)
            return self._probe_inline(pointer, value, rule) if reference.form == "data" else None
        except ObjectMissing:
            what = f"{reference.key} does not exist in the bucket; upload it before the job file"
            self.found.violate(pointer, "an object in the bucket", value, what, rule.source)
        except ObjectForbidden:
            # In these folders the role is broken, which an operator repairs; elsewhere the job is.
            if str(reference.key).startswith((INPUTS, UPLOADS, RESULTS)):
                raise
            what = f"{reference.key} may not be read here; copy it to {INPUTS} and name that"
            self.found.violate(pointer, f"a key below {INPUTS}", value, what, rule.source)
        except ProbeError as error:
            self.found.violate(pointer, _formats(rule), value, str(error), rule.formats_source)
        return None

    def _probe_object(self, key: str) -> ImageFacts:
        if key not in self._known:
            self._known[key] = probe(lambda start, n: self.reader.read_range(key, start, n))
        return self._known[key]

    def _probe_inline(self, pointer: str, value: str, rule: ImageRule) -> ImageFacts | None:
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
            self.found.violate(pointer, "base64 data", value, what, rule.source)
            return None
        return probe(lambda start, n: Slice(body[start : start + n], len(body), ""))

    def _hold_against(self, rule: ImageRule, pointer: str, value: str, facts: ImageFacts) -> None:
        self._check_format(rule, pointer, value, facts)
        if facts.bytes > rule.max_bytes:
            self._too_large(pointer, value, rule, facts.bytes)
        self._check_sides(rule, pointer, facts)
        self._advise(rule, pointer, value, facts)
        if facts.has_alpha and facts.format in rule.alpha_forbidden:
            what = f"{facts.format} images with an alpha channel are refused; save it without one"
            expected = "an image without alpha channel"
            self.found.violate(pointer, expected, value, what, rule.source, "an alpha channel")

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

    def _check_sides(self, rule: ImageRule, pointer: str, facts: ImageFacts) -> None:
        side, size = rule.side, f"{facts.width}x{facts.height} pixels"
        if side.allow(facts.width) and side.allow(facts.height):
            return
        expected = f"width and height from {side.smallest} to {side.largest} pixels"
        if side.exclusive:
            expected = f"width and height above {side.smallest} and below {side.largest} pixels"
        what = f"the image has {size}; allowed are {expected}; resize it"
        self.found.violate(pointer, expected, size, what, side.source, size)

    def _advise(self, rule: ImageRule, pointer: str, value: str, facts: ImageFacts) -> None:
        size = f"{facts.width}x{facts.height} pixels"
        ratio = max(facts.width, facts.height) / min(facts.width, facts.height)
        for advice in rule.aspect:
            low, high, below = advice.smallest, advice.largest, advice.below
            if (low and ratio < low) or (high and ratio > high) or (below and ratio >= below):
                self.found.notice(
                    pointer, "another aspect", value, advice.reason, advice.source, size
                )
        if facts.animated:
            what = "the image is animated; only one picture of it will be used"
            self.found.notice(pointer, "a still image", value, what, rule.source, "an animation")
        if facts.orientation != _UPRIGHT:
            what = f"the image is to be shown turned (EXIF); it is measured as stored, {size}"
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

    def _check_same_size(self, job: Plain, rule: ImageRule, other: str) -> None:
        for place, _ in pointers.find(job, other):
            for pointer, _ in pointers.find(job, rule.at):
                mine, theirs = self.facts.get(pointer), self.facts.get(place)
                if mine and theirs and (mine.width, mine.height) != (theirs.width, theirs.height):
                    size = f"{mine.width}x{mine.height} pixels"
                    expected = f"{theirs.width}x{theirs.height} pixels, as at {place}"
                    what = f"the image has {size}, expected are {expected}; make both equally large"
                    self.found.violate(pointer, expected, size, what, rule.source, size)


def _formats(rule: ImageRule) -> str:
    return " or ".join(rule.accept)
