"""The colours that a picture is painted with: those of the prompt, its subject's, the seed's."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping

import numpy as np

from local.modelstudio.drawing.canvas import Rng
from local.modelstudio.drawing.words import Colour, mentions, named_colours

_THEMES: Mapping[tuple[str, ...], tuple[Colour, ...]] = {
    ("sunset", "sunrise", "dusk", "dawn", "日落", "夕阳", "黄昏", "日出"): (
        (0.95, 0.55, 0.30),
        (0.90, 0.36, 0.42),
        (0.55, 0.30, 0.55),
        (0.99, 0.80, 0.50),
    ),
    ("forest", "tree", "grass", "meadow", "garden", "leaf", "森林", "树", "草", "花园"): (
        (0.36, 0.58, 0.27),
        (0.55, 0.70, 0.32),
        (0.22, 0.43, 0.30),
        (0.70, 0.56, 0.36),
    ),
    ("sea", "ocean", "lake", "river", "water", "beach", "海", "湖", "河", "水"): (
        (0.18, 0.50, 0.70),
        (0.42, 0.73, 0.80),
        (0.93, 0.86, 0.68),
        (0.11, 0.32, 0.52),
    ),
    ("night", "space", "star", "夜", "星空", "太空"): (
        (0.14, 0.18, 0.40),
        (0.32, 0.28, 0.58),
        (0.93, 0.86, 0.55),
        (0.10, 0.32, 0.48),
    ),
    ("autumn", "fall", "秋"): (
        (0.83, 0.42, 0.16),
        (0.90, 0.66, 0.24),
        (0.60, 0.25, 0.16),
        (0.52, 0.47, 0.25),
    ),
    ("winter", "snow", "ice", "冬", "雪", "冰"): (
        (0.86, 0.92, 0.96),
        (0.58, 0.73, 0.86),
        (0.38, 0.50, 0.66),
        (0.93, 0.90, 0.90),
    ),
    ("spring", "flower", "blossom", "春", "花"): (
        (0.95, 0.66, 0.74),
        (0.66, 0.80, 0.50),
        (0.98, 0.87, 0.55),
        (0.76, 0.62, 0.84),
    ),
}


def _harmony(rng: Rng) -> list[Colour]:
    """Six colours that go together: neighbours of one hue, and two from across the circle."""
    hue = float(rng.random())
    offsets = (0.0, 0.07, -0.08, 0.5, 0.43, 0.14)
    return [
        colorsys.hsv_to_rgb((hue + o) % 1, rng.uniform(0.4, 0.72), rng.uniform(0.66, 0.96))
        for o in offsets
    ]


def jitter(colour: Colour, rng: Rng, amount: float = 0.04) -> Colour:
    """A colour a little beside the given one."""
    lighter = rng.uniform(-amount, amount) + rng.uniform(-amount, amount, 3) / 3
    red, green, blue = np.clip(np.asarray(colour) + lighter, 0, 1)
    return float(red), float(green), float(blue)


def palette(prompt: str, rng: Rng) -> list[Colour]:
    """At least six colours: named ones first, then the subject's, then ones the seed chooses."""
    named = named_colours(prompt)
    themed = [c for names, colours in _THEMES.items() if mentions(prompt, *names) for c in colours]
    rng.shuffle(themed)
    chosen = [jitter(c, rng) for c in named + themed]
    return chosen + (_harmony(rng) if len(chosen) < 6 else [])
