"""A bucket in memory, images made on the spot, and short ways to check a job."""

from __future__ import annotations

import io
import json
from typing import Any

from PIL import Image

from shared.catalogue.models import load_catalogue
from shared.jobfile import Checked, Notice, Violation, check, parse
from shared.storage.objects import ObjectMissing, Slice

BUCKET = "our-bucket"
CATALOGUE = load_catalogue()
PAINTING, SKETCH, EDIT = "wanx-x-painting", "wanx-sketch-to-image-lite", "wan2.5-i2i-preview"


class MemoryReader:
    """An ObjectReader over a dict that counts the bytes it hands out."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = objects or {}
        self.given = 0
        self.calls = 0

    def read_range(self, key: str, start: int, length: int) -> Slice:
        self.calls += 1
        if key not in self.objects:
            raise ObjectMissing(f"{key} does not exist")
        body = self.objects[key][start : start + length]
        self.given += len(body)
        return Slice(body, len(self.objects[key]), "etag")


def image(kind: str, size: tuple[int, int] = (512, 512), mode: str = "RGB", **more: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **more)
    return file.getvalue()


def painting(**changes: Any) -> dict[str, Any]:
    url = "https://example.com/a.png"
    given = {"prompt": "a cat", "base_image_url": url, "mask_image_url": url}
    return {"model": PAINTING, "input": {**given, **changes.pop("input", {})}, **changes}


def sketch(**changes: Any) -> dict[str, Any]:
    given = {"prompt": "a tree", "sketch_image_url": "https://example.com/a.png"}
    return {"model": SKETCH, "input": {**given, **changes.pop("input", {})}, **changes}


def edit(**changes: Any) -> dict[str, Any]:
    given = {"prompt": "a tree", "images": ["https://example.com/a.png"]}
    return {"model": EDIT, "input": {**given, **changes.pop("input", {})}, **changes}


def checked(job: Any, objects: dict[str, bytes] | None = None) -> Checked:
    document = parse(json.dumps(job).encode(), "job.json")[0]
    return check(document, CATALOGUE, MemoryReader(objects), BUCKET)


def checked_yaml(text: str) -> Checked:
    return check(parse(text.encode(), "job.yaml")[0], CATALOGUE, MemoryReader(), BUCKET)


def only(findings: tuple[Violation, ...] | tuple[Notice, ...]) -> Violation:
    assert len(findings) == 1, findings
    return findings[0]


def at(findings: tuple[Violation, ...] | tuple[Notice, ...], pointer: str) -> Violation:
    return only(tuple(finding for finding in findings if finding.pointer == pointer))
