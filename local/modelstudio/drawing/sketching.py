"""A picture painted after a line sketch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import (
    Pixels,
    Rng,
    blur,
    channels,
    clouds,
    line_art,
    luminance,
    mix,
    random_source,
    resize,
    saturate,
    step,
    to_float,
    wander,
    warp,
)
from local.modelstudio.drawing.colouring import region_colours
from local.modelstudio.drawing.files import read
from local.modelstudio.drawing.moods import seeded_light
from local.modelstudio.drawing.palette import palette
from local.modelstudio.drawing.regions import Region, describe_regions, height_of, label_regions
from local.modelstudio.drawing.strokes import soften
from local.modelstudio.drawing.styles import Motif, chosen_style, render
from local.modelstudio.drawing.types import Drawing

_DEFAULT_SIZE = (768, 768)  # the sketch API reference's only size


def _listed(picture: Pixels, colours: Sequence[Sequence[int]]) -> Pixels:
    """How much each pixel is of one of the colours (0-1), with room for JPEG noise."""
    wanted = np.asarray(colours, np.float32).reshape(-1, 3) / np.float32(255)
    distances = [np.abs(picture - colour).max(axis=2) for colour in wanted]
    return 1 - step(np.asarray(np.min(distances, axis=0), np.float32), 0.12, 0.30)


def _dark(picture: Pixels) -> Pixels:
    """How much darker than the paper around it each pixel is (0-1); uneven light is levelled."""
    grey = luminance(picture)
    paper = np.maximum(blur(grey, max(grey.shape) / 12), np.float32(np.percentile(grey, 70)))
    return step(1 - grey / np.maximum(paper, np.float32(0.05)), 0.15, 0.55)


def brush_lines(picture: Pixels, options: Mapping[str, Any]) -> Pixels:
    """The lines (0-1) of the sketch, as the sketch API reference has its three parameters."""
    if options.get("sketch_extraction"):
        return line_art(soften(picture, 3), 2.0 * max(picture.shape[:2]) / 768)
    if options.get("sketch_color"):
        return _listed(picture, options["sketch_color"])
    return _dark(picture)


def loosen(lines: Pixels, weight: int, rng: Rng) -> Pixels:
    """The lines bent and faded as much as the weight falls below 10."""
    free = 1 - min(10, max(0, weight)) / 10
    if free == 0:
        return lines
    unit = max(lines.shape) / 768
    bent = warp(lines, wander(lines.shape, 150 * unit, 34 * free * unit, rng))
    gaps = step(clouds(lines.shape, 60 * unit, rng), 0.15 + 0.45 * free, 0.30 + 0.45 * free)
    return np.asarray(bent * (1 - free * (0.25 + 0.7 * (1 - gaps))), np.float32)


def _atmosphere(colour: Pixels, labels: Pixels, regions: list[Region], rng: Rng) -> Pixels:
    """Skies lighten towards the horizon and carry clouds; ground varies a little."""
    high, wide = labels.shape
    sky = np.isin(labels, [r.label for r in regions if r.kind == "sky"]).astype(np.float32)
    ground = np.isin(labels, [r.label for r in regions if r.kind == "ground"]).astype(np.float32)
    down = np.linspace(0, 1, high, dtype=np.float32)[:, None] * np.ones((1, wide), np.float32)
    drift = cv2.resize(clouds((high, wide // 3), wide / 7, rng, 5), (wide, high))
    veil = np.clip(step(drift, 0.5, 0.72) * (1 - down) * 0.55 + down * 0.28, 0, 0.7)
    bright = luminance(colour) > 0.4
    colour = mix(colour, (1.0, 0.99, 0.97), np.asarray(veil * sky * bright, np.float32))
    patches = (clouds(labels.shape, wide / 9, rng) - 0.5) * ground * 0.35
    return np.asarray(np.clip(colour * (1 + patches[..., None]), 0, 1), np.float32)


def motif_from_lines(lines: Pixels, prompt: str, weight: int, rng: Rng) -> Motif:
    """Colours and relief for the areas that the lines enclose."""
    labels, count = label_regions(lines)
    regions = describe_regions(labels, count)
    drawn = loosen(lines, weight, rng)
    free = 1 - min(10, max(0, weight)) / 10
    if free:
        unit = max(lines.shape) / 768
        labels = warp(
            labels.astype(np.float32),
            wander(lines.shape, 150 * unit, 38 * free * unit, rng),
            nearest=True,
        ).astype(np.int32)
    table = region_colours(regions, prompt, rng)
    colour = blur(table[labels], 0.7 + 5 * free)
    colour = _atmosphere(np.asarray(colour, np.float32), labels, regions, rng)
    level = {r.label for r in regions if r.kind in ("sky", "ground") or r.share > 0.3}
    return Motif(colour, drawn, blur(height_of(labels, level), 1 + 6 * free))


def motif_from_picture(picture: Pixels, prompt: str, weight: int, rng: Rng) -> Motif:
    """The lines of a photograph, its tones in the palette's colours, dark to light."""
    soft = soften(picture, 4)
    tone = luminance(soft)
    ranks = np.linspace(0, 1, 256)
    spread = np.interp(tone, np.quantile(tone, ranks), ranks).astype(np.float32)
    colours = np.asarray(palette(prompt, rng)[:5], np.float32)
    colours = colours[np.argsort(colours @ channels((0.299, 0.587, 0.114)))]
    wanted = np.linspace(0.22, 0.93, len(colours), dtype=np.float32)
    have = colours @ channels((0.299, 0.587, 0.114))
    colours = np.clip(colours * (0.35 + 0.65 * wanted / have)[:, None], 0, 1)
    place = spread * np.float32(len(colours) - 1)
    low = np.floor(place).astype(int).clip(0, len(colours) - 2)
    between = step(np.asarray(place - low, np.float32), 0.3, 0.7)
    flat = mix(colours[low], colours[low + 1], between)
    colour = mix(soft, saturate(flat, 0.75), 0.5)
    drawn = loosen(brush_lines(picture, {"sketch_extraction": True}), weight, rng)
    return Motif(colour, drawn, blur(tone, 4) * np.float32(0.25))


def draw_sketch(drawing: Drawing) -> Pixels:
    """The picture (floats) for a drawing of kind "sketch"; its options as the API names them."""
    rng = random_source(drawing.seed, drawing.prompt)
    picture = to_float(resize(read(drawing.images[0], "sketch"), drawing.size or _DEFAULT_SIZE))
    given = drawing.options.get("sketch_weight")
    weight = 10 if given is None else int(given)
    if drawing.options.get("sketch_extraction"):
        motif = motif_from_picture(picture, drawing.prompt, weight, rng)
    else:
        lines = brush_lines(picture, drawing.options)
        motif = motif_from_lines(lines, drawing.prompt, weight, rng)
    motif = replace(motif, colour=seeded_light(motif.colour, rng))
    return render(motif, chosen_style(drawing.style, rng), rng)
