"""A picture from words alone: a landscape or a plain backdrop, and on it what the prompt names."""

from collections.abc import Sequence

import cv2
import numpy as np

import local.modelstudio.drawing.canvas as art
import local.modelstudio.drawing.wishes as wishes
from local.modelstudio.drawing.canvas import Pixels, Rng, blur, mix, noise, step
from local.modelstudio.drawing.edit import mooded, set_into
from local.modelstudio.drawing.inpaint import stuff, with_thing
from local.modelstudio.drawing.wishes import TABLE, Colour, Entry

_MOST = 5  # things in one picture


def _area_colour(prompt: str, kind: str) -> Colour | None:
    """The colour of the sky or the ground that the prompt names."""
    things = TABLE["areas"][kind]
    named = [t for t in things if wishes.mentions(prompt, t["words"])]
    named += [t for t in things if wishes.mentions(prompt, t.get("hints", t["words"]))]
    return wishes.colour_of(prompt, named[0]) if named else None


def _sky(shape: tuple[int, int], colour: Colour, rng: Rng) -> Pixels:
    """A sky that grows paler downwards, with drifting clouds."""
    down = np.linspace(0, 1, shape[0])[:, None]
    pale = mix(art.floats(colour), (1, 0.97, 0.92), 0.55)
    sky = mix(art.floats(np.broadcast_to(colour, (*shape, 3))), pale, step(down, 0, 0.7) * 0.9)
    stretched = noise((shape[0], max(2, shape[1] // 2)), shape[1] / 9, rng, 5)
    clouds = step(art.resize(stretched, (shape[1], shape[0])), 0.52, 0.78) * (1 - down * 0.8)
    return mix(sky, (1, 0.99, 0.97), clouds * min(0.75, float(np.mean(colour))))


def _ridges(picture: Pixels, horizon: float, colour: Colour, rng: Rng) -> Pixels:
    """Three chains of mountains, the far ones pale."""
    high, wide = picture.shape[:2]
    rows = np.arange(high)[:, None]
    for far in (1.0, 0.6, 0.25):
        line = noise((1, wide), wide / (2.5 + 2 * far), rng, 5)[0]
        top = (horizon - (0.08 + 0.3 * far * line)) * high
        shade = mix(art.floats(colour), picture[: max(1, int(high * 0.1))].mean((0, 1)), far * 0.7)
        relief = 0.85 + 0.3 * noise((high, wide), wide / 14, rng, 4)
        picture = mix(picture, shade * relief[..., None], step(rows - top, -1, 1))
    return picture


def _ground(picture: Pixels, horizon: float, colour: Colour, is_water: bool, rng: Rng) -> Pixels:
    """The ground before the horizon: rippled water with the sky in it, or uneven land."""
    high, wide = picture.shape[:2]
    start = int(horizon * high)
    depth = np.linspace(0, 1, high - start)[:, None]
    if is_water:
        mirrored = art.resize(picture[start - 1 :: -1], (wide, high - start))
        waves = noise((high - start, max(2, wide // 9)), 5, rng, 2)
        waves = art.resize(waves, (wide, high - start)) - 0.5
        land = mix(art.floats(colour) * np.ones(3), mirrored, 0.45) + (waves * depth)[..., None] / 3
    else:
        lumps = noise((high - start, wide), wide / 8, rng, 5) - 0.5
        land = art.floats(colour) * (0.78 + 0.3 * depth + lumps * (0.25 + depth / 3))[..., None]
    picture = picture.copy()
    picture[start:] = art.clipped(land)
    return picture


def _landscape(shape: tuple[int, int], prompt: str, rng: Rng) -> Pixels:
    sky = _area_colour(prompt, "sky") or wishes.tone(TABLE["areas"]["sky"][-1]["rgb"])
    ground = _area_colour(prompt, "ground") or wishes.tone(TABLE["areas"]["ground"][-1]["rgb"])
    horizon = float(rng.uniform(0.5, 0.66))
    picture = _sky(shape, wishes.beside(sky, rng, 0.06), rng)
    if wishes.mentions(prompt, TABLE["heights"]["words"]):
        picture = _ridges(picture, horizon, wishes.tone(TABLE["heights"]["rgb"]), rng)
    is_water = wishes.mentions(prompt, TABLE["waters"]["words"])
    return _ground(picture, horizon, wishes.beside(ground, rng, 0.05), is_water, rng)


def _backdrop(shape: tuple[int, int], prompt: str, rng: Rng) -> Pixels:
    """A studio wall and table in quiet colours, lit from one side."""
    colours = wishes.palette(prompt, rng)
    wall, table = (mix(art.floats(c), (0.93, 0.91, 0.88), 0.72) for c in (colours[-1], colours[-2]))
    down, across = np.linspace(0, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])[None]
    light = 1.05 - 0.28 * np.hypot(across - rng.uniform(-0.4, 0.4), down * 1.3 - 0.5)
    plane = mix(wall * np.ones((*shape, 1)), table * 0.9, step(down, 0.66, 0.72))
    plane = plane * (1 + (noise(shape, 3, rng, 2) - 0.5) * 0.03)[..., None]
    return art.clipped(plane * light[..., None])


def _oval(shape: tuple[int, int], x: float, y: float, size: float) -> Pixels:
    area = np.zeros(shape, np.uint8)
    centre, radius = (int(x * shape[1]), int(y * shape[0])), max(6, int(size * min(shape) / 2))
    cv2.ellipse(area, centre, (radius, radius), 0, 0, 360, (1,), -1)
    return area


def _peopled(canvas: Pixels, prompt: str, things: Sequence[Entry], rng: Rng) -> Pixels:
    """The things in a row on the ground, those of the sky above."""
    shape = canvas.shape[0], canvas.shape[1]
    below = [thing for thing in things if not thing.get("aloft")]
    for number, thing in enumerate(below or ()):
        x = (number + 0.5) / len(below) + float(rng.uniform(-0.06, 0.06)) / len(below)
        size = min(0.62, 0.95 * shape[1] / min(shape) / len(below)) * float(rng.uniform(0.85, 1))
        colour = wishes.beside(wishes.colour_of(prompt, thing), rng, 0.09)
        area = _oval(shape, x, 0.69 - size * 0.18, size)
        _put(canvas, thing, colour, area, rng)
    for number, thing in enumerate(thing for thing in things if thing.get("aloft")):
        colour = wishes.colour_of(prompt, thing)
        area = _oval(shape, float(rng.uniform(0.2, 0.4)) + 0.4 * (number % 2), 0.2, 0.22)
        _put(canvas, thing, colour, area, rng)
    return canvas


def _put(canvas: Pixels, thing: Entry, colour: Colour, area: Pixels, rng: Rng) -> None:
    """Draw the thing into the canvas; its window has room for the shadow."""
    left, top, wide, high = cv2.boundingRect(area)
    rows = slice(max(0, top - high // 4), top + high + high // 2)
    window = rows, slice(max(0, left - wide // 4), left + wide + wide // 2)
    held = np.ascontiguousarray(area[window])
    canvas[window], _ = with_thing(canvas[window], thing, colour, held, rng)


def scene(drawing: wishes.Drawing, size: tuple[int, int], rng: Rng) -> Pixels:
    """What the prompt names, without its moods (0-1)."""
    prompt, shape = drawing.prompt, (size[1], size[0])
    things = [thing for thing, _ in wishes.found(prompt, TABLE["things"])][:_MOST]
    outdoors = wishes.mentions(prompt, TABLE["outdoors"]["words"]) or any(
        _area_colour(prompt, kind) for kind in ("sky", "ground")
    )
    canvas = _landscape(shape, prompt, rng) if outdoors else _backdrop(shape, prompt, rng)
    if things:
        return _peopled(canvas, prompt, things, rng)
    if outdoors:
        return canvas
    area = _oval(shape, float(rng.uniform(0.42, 0.58)), 0.55, 0.62)  # a body without a name
    area = np.asarray(art.bent(art.floats(area), 160, 60, rng) > 0.5, np.uint8)
    shaded = canvas * (1 - 0.5 * art.cast_shadow(art.floats(area), 300))[..., None]
    return mix(shaded, stuff(area, prompt, rng), blur(art.floats(area), 1))


def draw_paint(drawing: wishes.Drawing) -> Pixels:
    """The picture (0-255) for a drawing of kind "paint"."""
    rng = art.dice(drawing)
    picture = scene(drawing, drawing.size or (1024, 1024), rng)
    return mooded(picture, drawing, rng, False) * 255


def draw_cartoon(drawing: wishes.Drawing) -> Pixels:
    """The figure of the picture in a scene of the prompt: kind "cartoon"."""
    rng, figure = art.dice(drawing), art.read(drawing.images[0], "figure")
    picture = scene(drawing, drawing.size or (figure.shape[1], figure.shape[0]), rng)
    place = {"x": 0.5, "y": 0.6, "factor": 1}
    return mooded(set_into(picture, figure, place, 0.75, rng), drawing, rng, False) * 255
