"""A picture edited, or several combined, as the prompt says."""

from __future__ import annotations

import numpy as np

from local.modelstudio.drawing.canvas import Pixels, Rng, random_source, resize, to_float
from local.modelstudio.drawing.combining import combined, place_named
from local.modelstudio.drawing.files import read
from local.modelstudio.drawing.inpainting import things_in
from local.modelstudio.drawing.moods import seeded_light, vignette
from local.modelstudio.drawing.palette import jitter
from local.modelstudio.drawing.recolouring import recoloured
from local.modelstudio.drawing.shapes import Shape, paint_shape
from local.modelstudio.drawing.styles import restyle
from local.modelstudio.drawing.types import STYLES, Drawing
from local.modelstudio.drawing.wishes import any_look, effects_in, remedies_in, style_in
from local.modelstudio.drawing.words import colour_of, mentions, named_colours

_PIXELS = 1280 * 1280  # about so many when no size is asked for (editing API reference)
_UNIT = 16
_ADDING = (
    *("add", "put", "place", "wear", "wearing", "wears", "with", "insert", "hang"),
    *("添加", "加", "戴", "放"),
)
_CHANGING = (
    *("change", "turn", "make", "recolor", "recolour", "paint", "replace", "dye", "into"),
    *("改", "变", "换", "染", "涂"),
)


def implied_size(width: int, height: int) -> tuple[int, int]:
    """About 1280 x 1280 pixels in the given aspect (1:4 to 4:1), sides multiples of 16."""
    aspect = min(4.0, max(0.25, width / height))
    wide = (_PIXELS * aspect) ** 0.5
    return round(wide / _UNIT) * _UNIT, round(wide / aspect / _UNIT) * _UNIT


def covering(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """The middle of the picture, of the size's aspect, at that size."""
    high, wide = picture.shape[:2]
    scale = max(size[0] / wide, size[1] / high)
    cut_wide = min(wide, max(1, round(size[0] / scale)))
    cut_high = min(high, max(1, round(size[1] / scale)))
    left, top = (wide - cut_wide) // 2, (high - cut_high) // 2
    return resize(picture[top : top + cut_high, left : left + cut_wide], size)


def _with_thing(picture: Pixels, prompt: str, thing: Shape, rng: Rng) -> Pixels:
    """The thing added where the prompt says, else in the sky or where the seed puts it."""
    high, wide = picture.shape[:2]
    in_sky = mentions("moon sun star balloon", *thing.names)
    usual = (rng.uniform(0.15, 0.85), rng.uniform(0.16, 0.26) if in_sky else rng.uniform(0.4, 0.7))
    x, y = place_named(prompt, usual)
    side = min(high, wide) * rng.uniform(0.24, 0.30)
    width, height = side * thing.aspect**0.5, side / thing.aspect**0.5
    matrix = np.array([[width, 0, x * wide - width / 2], [0, height, y * high - height / 2]])
    colour = jitter(colour_of(prompt, *thing.names) or thing.usual, rng, 0.06)
    return paint_shape(picture, thing, colour, matrix, rng)[0]


def _reworked(picture: Pixels, prompt: str, rng: Rng) -> tuple[Pixels, bool]:
    """Things added, or a colour changed, as the prompt says; whether it said anything of it."""
    things = things_in(prompt)[:3] if mentions(prompt, *_ADDING) else []
    for thing in things:
        picture = _with_thing(picture, prompt, thing, rng)
    colours = named_colours(prompt)
    if things or not colours or not mentions(prompt, *_CHANGING):
        return picture, bool(things)
    source = colours[0] if len(colours) > 1 else None
    return recoloured(picture, jitter(colours[-1], rng, 0.05), source), True


def _base_picture(drawing: Drawing, rng: Rng) -> tuple[Pixels, bool]:
    """The scene, things done in it; whether the prompt's wishes are met by that."""
    images = [read(data, f"image {k}") for k, data in enumerate(drawing.images, 1)]
    scene = images[-1]
    size = drawing.size or implied_size(scene.shape[1], scene.shape[0])
    picture = to_float(covering(scene, size))
    if len(images) == 1:
        return _reworked(picture, drawing.prompt, rng)
    return combined(picture, [to_float(i) for i in images[:-1]], drawing.prompt, rng), True


def draw_edit(drawing: Drawing) -> Pixels:
    """The picture (floats) for a drawing of kind "edit"; the last image is the scene."""
    rng = random_source(drawing.seed, drawing.prompt)
    picture, met = _base_picture(drawing, rng)
    effects = effects_in(drawing.prompt)
    style = style_in(drawing.prompt) if drawing.style == STYLES[0] else drawing.style
    if not (met or effects or style):
        effects = [any_look(rng)]
    picture = vignette(seeded_light(picture, rng), float(rng.uniform(0, 0.28)))
    for effect in effects:
        picture = effect(picture, rng)
    if style:
        picture = restyle(picture, style, rng)
    for remedy in remedies_in(drawing.negative_prompt):
        picture = remedy(picture, rng)
    return picture
