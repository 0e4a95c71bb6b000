"""What a drawing is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STYLES = (
    "<auto>",
    "<3d cartoon>",
    "<anime>",
    "<oil painting>",
    "<watercolor>",
    "<sketch>",
    "<chinese painting>",
    "<flat illustration>",
)


class DrawingError(ValueError):
    """The drawing cannot be made from what was given; the message says what and why."""


@dataclass(frozen=True)
class Drawing:
    """One picture to draw.

    `kind` is "inpaint", "sketch" or "edit". `images` holds encoded files: base and mask for
    inpaint, the sketch for sketch, one to three pictures for edit. `size` is (width, height) in
    pixels; None means the model's documented default. `options` holds the parameters that only
    one model knows: mask_color, sketch_weight, sketch_extraction, sketch_color.
    """

    kind: str
    prompt: str
    images: tuple[bytes, ...]
    negative_prompt: str = ""
    size: tuple[int, int] | None = None
    style: str = "<auto>"
    seed: int = 0
    watermark: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
