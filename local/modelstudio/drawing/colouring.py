"""Which colour each area of a sketch gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from local.modelstudio.drawing.canvas import Pixels, Rng
from local.modelstudio.drawing.palette import jitter, palette
from local.modelstudio.drawing.regions import Region
from local.modelstudio.drawing.words import Colour, colour_of, mentions


@dataclass(frozen=True)
class _Thing:
    """What a region may be: its own names, words that make it likely, its usual colour."""

    names: tuple[str, ...]
    usual: Colour
    hints: tuple[str, ...] = ()


_HOUSE = ("house", "cottage", "building", "cabin", "房", "屋")
_TREE = ("tree", "forest", "树", "林")
_BOAT = ("boat", "ship", "sailing", "船", "帆")
_SEA = ("sea", "ocean", "lake", "river", "water", "海", "湖", "河")
_OUTSIDE = (*_HOUSE, *_TREE, *_BOAT, *_SEA, "hill", "garden", "landscape", "day", "山", "花园")

_THINGS: Mapping[str, Sequence[_Thing]] = {
    "sky": (
        _Thing(("night sky", "夜空"), (0.16, 0.20, 0.42), ("night", "夜")),
        _Thing(("sunset", "dusk", "夕阳"), (0.99, 0.70, 0.52), ("sunrise", "日落", "黄昏")),
        _Thing(("sky", "天空"), (0.66, 0.83, 0.95), _OUTSIDE),
    ),
    "ground": (
        _Thing(("snow", "雪"), (0.93, 0.96, 0.99), ("winter", "冬")),
        _Thing(_SEA, (0.24, 0.56, 0.74), _BOAT),
        _Thing(("beach", "sand", "desert", "沙"), (0.90, 0.80, 0.58)),
        _Thing(("grass", "meadow", "field", "lawn", "草", "田"), (0.55, 0.73, 0.36), _OUTSIDE),
    ),
    "path": (_Thing(("path", "road", "way", "路"), (0.87, 0.77, 0.58), _OUTSIDE),),
    "box": (
        _Thing(("wall", "墙", *_HOUSE), (0.97, 0.90, 0.76)),
        _Thing(("box", "gift", "盒", "礼物"), (0.80, 0.30, 0.30)),
        _Thing(_BOAT, (0.62, 0.34, 0.20)),
    ),
    "triangle": (
        _Thing(("roof", "屋顶", "房顶"), (0.76, 0.31, 0.22), _HOUSE),
        _Thing(("sail", "帆"), (0.97, 0.95, 0.90), _BOAT),
        _Thing(("mountain", "tent", "山"), (0.55, 0.58, 0.66)),
    ),
    "trapezoid": (
        _Thing(_BOAT, (0.62, 0.34, 0.20)),
        _Thing(("roof", "屋顶", "房顶"), (0.76, 0.31, 0.22), _HOUSE),
    ),
    "round": (
        _Thing(("apple", "苹果"), (0.82, 0.16, 0.15)),
        _Thing(("ball", "balloon", "球"), (0.88, 0.28, 0.30)),
        _Thing(("window", "窗"), (0.66, 0.82, 0.90), _HOUSE),
    ),
    "disc": (
        _Thing(("moon", "月"), (0.96, 0.93, 0.78), ("night", "夜")),
        _Thing(("balloon", "ball", "球"), (0.88, 0.28, 0.30)),
        _Thing(("sun", "太阳"), (1.0, 0.80, 0.25), ("sunny", *_OUTSIDE)),
    ),
    "crown": (
        _Thing(("leaf", "leaves", "bush", "叶", *_TREE), (0.40, 0.64, 0.27)),
        _Thing(("flower", "rose", "花"), (0.92, 0.46, 0.58)),
    ),
    "cloud": (_Thing(("cloud", "云"), (0.98, 0.98, 1.0), _OUTSIDE),),
    "slender": (_Thing(("trunk", "树干"), (0.48, 0.33, 0.20), _TREE),),
}
_WINDOW = _Thing(("window", "窗"), (0.66, 0.82, 0.90), _HOUSE)
_DOOR = _Thing(("door", "门"), (0.55, 0.33, 0.20), _HOUSE)
_CHIMNEY = _Thing(("chimney", "烟囱"), (0.70, 0.40, 0.32), _HOUSE)


def _is_part(region: Region, by_label: Mapping[int, Region], kinds: tuple[str, ...]) -> bool:
    """Whether the region touches another, larger one of those kinds."""
    around = (by_label[n] for n in region.neighbours if n in by_label)
    return any(r.kind in kinds and r.share > region.share for r in around)


def _candidates(region: Region, by_label: Mapping[int, Region]) -> Sequence[_Thing]:
    small = region.kind in ("box", "slender", "trapezoid", "round") and region.share < 0.04
    if small and region.kind != "round" and _is_part(region, by_label, ("triangle",)):
        return (_CHIMNEY,)
    if small and region.share < 0.004 and region.kind != "slender":
        return (_WINDOW,)
    if small and _is_part(region, by_label, ("box",)):
        return (_DOOR,)
    kind = "sky" if region.kind == "other" and region.centre[1] < 0.75 else region.kind
    return _THINGS.get(kind, ())


def _named_colour(things: Sequence[_Thing], prompt: str) -> Colour | None:
    """The colour of the first of the things that the prompt speaks of."""
    spoken = next((t for t in things if mentions(prompt, *t.names)), None)
    if spoken:
        return colour_of(prompt, *spoken.names) or spoken.usual
    hinted = next((t for t in things if t.hints and mentions(prompt, *t.hints)), None)
    return hinted.usual if hinted else None


def region_colours(regions: list[Region], prompt: str, rng: Rng) -> Pixels:
    """A colour for each region number: what the prompt says of it, else one of the palette.

    Neighbours get different colours of the palette, wide areas paler ones.
    """
    colours = palette(prompt, rng)
    by_label = {r.label: r for r in regions}
    table = np.ones((len(regions) + 1, 3), np.float32)
    given: dict[Sequence[_Thing], Colour] = {}  # both windows of a house are of one colour
    taken: dict[int, int] = {}
    for region in sorted(regions, key=lambda r: -r.share):
        things = _candidates(region, by_label)
        named = given.get(things) or _named_colour(things, prompt)
        if named:
            given[things] = given.get(things) or jitter(named, rng, 0.11)
            table[region.label] = given[things]
            continue
        used = {taken[n] for n in region.neighbours if n in taken}
        free = [k for k in range(len(colours)) if k not in used] or [0]
        taken[region.label] = int(rng.choice(free[:4]))
        table[region.label] = _paled(colours[taken[region.label]], region.share)
    return table


def _paled(colour: Colour, share: float) -> Pixels:
    pale = 0.62 if share > 0.3 else 0.25 if share > 0.1 else 0.0
    tone = np.asarray(colour, np.float32)
    return np.asarray(tone + (np.float32(0.97) - tone) * np.float32(pale), np.float32)
