"""What is asked for: a drawing's fields, and what its prompt names in English or Chinese."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

Colour = tuple[float, float, float]
Entry = Mapping[str, Any]  # of wishes.yaml: `words` and what they stand for

_FILE = Path(__file__).with_name("wishes.yaml")
TABLE: Mapping[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
STYLES = ("<auto>", *(entry["style"] for entry in TABLE["styles"]))


class DrawingError(ValueError):
    """The drawing cannot be made from what was given; the message says what and why."""


@dataclass(frozen=True)
class Drawing:
    """One picture to draw; its kind is one of those drawing/__init__.py lists.

    `images` holds encoded files: none, base and mask, the sketch, or the pictures. `size` is
    (width, height); None means the model's documented default. `options` holds the parameters
    that only one model knows: mask_color, sketch_weight, sketch_extraction, sketch_color.
    `format` is PNG or JPEG. `fields` names the field of the request that each image came in, if it
    matters.
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
    format: str = "PNG"
    fields: tuple[str, ...] = ()


@lru_cache(maxsize=512)
def _pattern(words: str) -> re.Pattern[str]:
    """English ones as whole words, plural or not; Chinese has no spaces between words."""
    longest_first = sorted(words.split("|"), key=len, reverse=True)
    parts = (rf"\b{re.escape(w)}(?:s|es)?\b" if w.isascii() else w for w in longest_first)
    return re.compile("|".join(parts), re.IGNORECASE)


def mentions(text: str, words: str) -> bool:
    """Whether one of the words, parted by `|`, stands in the text."""
    return _pattern(words).search(text) is not None


def found(text: str, entries: Sequence[Entry]) -> list[tuple[Entry, list[int]]]:
    """The entries that the text names, in their order, and where; none within another's word."""
    hits = []
    for entry in entries:
        places = [hit.start() for hit in _pattern(entry["words"]).finditer(text)]
        text = _pattern(entry["words"]).sub(lambda hit: " " * len(hit.group()), text)
        hits += [(entry, places)] if places else []
    return hits


def tone(rgb: Sequence[float]) -> Colour:
    """A colour of the table (0-255) as floats (0-1)."""
    return rgb[0] / 255, rgb[1] / 255, rgb[2] / 255


def named_colours(prompt: str) -> list[tuple[int, Colour]]:
    """Where the prompt names which colours, in its order."""
    hits = found(prompt, TABLE["colours"])
    return sorted((at, tone(e["rgb"])) for e, places in hits if "rgb" in e for at in places)


def colour_of(prompt: str, thing: Entry) -> Colour:
    """The colour that the prompt gives to a thing, shortly before its name, or its usual one."""
    hit = _pattern(thing["words"]).search(prompt)
    start, reach = (hit.start(), 14 if hit.group().isascii() else 5) if hit else (0, 0)
    near = [colour for at, colour in named_colours(prompt) if 0 < start - at <= reach]
    return near[-1] if near else tone(thing["rgb"])


def beside(colour: Colour, rng: np.random.Generator, amount: float) -> Colour:
    """A colour a little beside the given one, as the seed has it."""
    lighter = rng.uniform(-amount, amount) + rng.uniform(-amount, amount, 3) / 3
    red, green, blue = np.clip(np.asarray(colour) + lighter, 0, 1).tolist()
    return red, green, blue


def palette(prompt: str, rng: np.random.Generator) -> list[Colour]:
    """Named colours, then the subject's and some others, each in random order."""
    named = list(dict.fromkeys(colour for _, colour in named_colours(prompt)))
    themed = [c for entry, _ in found(prompt, TABLE["palettes"]) for c in entry["rgb"]]
    rest = [*rng.permutation(themed), *rng.permutation(TABLE["harmony"])]
    return [beside(colour, rng, 0.05) for colour in (*named, *map(tone, rest))]
