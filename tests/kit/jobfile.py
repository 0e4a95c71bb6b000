"""Objects of a bucket, images made on the spot, and short ways to check a job."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from shared.catalogue.model_file import load_catalogue
from shared.jobfile import Checked, Notice, ParseLimits, Place, Unreadable, Violation, check, parse
from shared.storage.objects import Slice
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import Kernel

BUCKET = "our-bucket"
CATALOGUE = load_catalogue()
PAINTING, SKETCH, EDIT = "wanx-x-painting", "wanx-sketch-to-image-lite", "wan2.5-i2i-preview"


class Reader(Store):
    """A store over these objects that counts the bytes it hands out."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.asked = Bucket(Kernel())
        super().__init__(self.asked)
        for key, body in (objects or {}).items():
            self.asked.write(key, body)
        self.given = 0

    def read_range(self, key: str, start: int, length: int) -> Slice:
        part = super().read_range(key, start, length)
        self.given += len(part.body)
        return part


def image(kind: str, size: tuple[int, int] = (512, 512), mode: str = "RGB", **more: Any) -> bytes:
    """A picture whose left half is white: a mask that marks something, a sketch on white."""
    file, picture = io.BytesIO(), Image.new(mode, size)
    picture.paste(255 if mode == "P" else "white", (0, 0, size[0] // 2 + 1, size[1]))
    picture.save(file, kind, **more)
    return file.getvalue()


def painting(**changes: Any) -> dict[str, Any]:
    url = "https://example.com/a.png"
    mask = "https://example.com/m.png"
    given = {"prompt": "a cat", "base_image_url": url, "mask_image_url": mask}
    return {"model": PAINTING, "input": {**given, **changes.pop("input", {})}, **changes}


def sketch(**changes: Any) -> dict[str, Any]:
    given = {"prompt": "a tree", "sketch_image_url": "https://example.com/a.png"}
    return {"model": SKETCH, "input": {**given, **changes.pop("input", {})}, **changes}


def edit(**changes: Any) -> dict[str, Any]:
    given = {"prompt": "a tree", "images": ["https://example.com/a.png"]}
    return {"model": EDIT, "input": {**given, **changes.pop("input", {})}, **changes}


URL = "https://example.com/a.png"


def job_for(model: str, **changes: Any) -> dict[str, Any]:
    """A job in the flat form with a prompt alone; a change of None takes a key of input away."""
    given = {"prompt": "a cat", **changes.pop("input", {})}
    kept = {name: value for name, value in given.items() if value is not None}
    return {"model": model, "input": kept, **changes}


def native(model: str, *content: Any, **changes: Any) -> dict[str, Any]:
    """A job in the form of the service."""
    message = {"role": "user", "content": list(content)}
    return {"model": model, "input": {"messages": [message]}, **changes}


def checked(
    job: Any, objects: dict[str, bytes] | None = None, reader: Reader | None = None
) -> Checked:
    document = parse(json.dumps(job).encode(), "job.json")[0]
    return check(document, CATALOGUE, Place(reader or Reader(objects), BUCKET))


def checked_yaml(text: str) -> Checked:
    return check(parse(text.encode(), "job.yaml")[0], CATALOGUE, Place(Reader(), BUCKET))


def only(findings: tuple[Violation, ...] | tuple[Notice, ...]) -> Violation:
    assert len(findings) == 1, findings
    return findings[0]


def at(findings: tuple[Violation, ...] | tuple[Notice, ...], pointer: str) -> Violation:
    return only(tuple(finding for finding in findings if finding.pointer == pointer))


def value(text: str | bytes, name: str = "a.yaml") -> Any:
    body = text.encode() if isinstance(text, str) else text
    documents = parse(body, name)
    assert len(documents) == 1
    return documents[0].value


def refusal(text: str | bytes, name: str = "a.yaml", **limits: int) -> tuple[Violation, ...]:
    body = text.encode() if isinstance(text, str) else text
    with pytest.raises(Unreadable) as raised:
        parse(body, name, ParseLimits(**limits))
    assert raised.value.violations
    return raised.value.violations


def first(text: str | bytes, name: str = "a.yaml", **limits: int) -> Violation:
    return refusal(text, name, **limits)[0]


def data_uri(body: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(body).decode()}"
