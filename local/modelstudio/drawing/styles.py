"""The seven styles, each one function that renders a motif."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import (
    Pixels,
    Rng,
    blur,
    channels,
    clouds,
    lighting,
    line_art,
    luminance,
    mix,
    noise,
    resize,
    saturate,
    step,
    wander,
    warp,
)
from local.modelstudio.drawing.strokes import hatching, oil_strokes, soften
from local.modelstudio.drawing.types import STYLES


@dataclass(frozen=True)
class Motif:
    """What a style renders: colours, drawn lines (0-1) and how far surfaces bulge (0-1)."""

    colour: Pixels
    lines: Pixels
    height: Pixels


Style = Callable[[Motif, Rng], Pixels]


def _unit(motif: Motif) -> float:
    return max(motif.colour.shape[:2]) / 768


def _paper(shape: tuple[int, ...], rng: Rng, tint: tuple[float, float, float]) -> Pixels:
    """Rough paper lit from one side."""
    grain = blur(noise(shape, 2.5, rng) + noise(shape, 6, rng), 0.8)
    diffuse, _ = lighting(grain, 1.1)
    shade = 1 + (diffuse - np.float32(1)) * np.float32(0.28)
    return np.asarray(np.clip(shade[..., None] * np.asarray(tint, np.float32), 0, 1), np.float32)


def flat_illustration(motif: Motif, rng: Rng) -> Pixels:
    """Even, clear colours with one hard shadow and thin dark lines."""
    unit = _unit(motif)
    colour = saturate(_levels(motif.colour, 7), 1.12)
    diffuse, _ = lighting(blur(motif.height, 5 * unit), 26 * unit)
    shadow = step(0.93 - diffuse, 0.0, 0.02)
    colour = mix(colour, colour * channels((0.80, 0.78, 0.86)), shadow * np.float32(0.8))
    return mix(colour, (0.13, 0.14, 0.26), motif.lines * np.float32(0.85))


def _levels(colour: Pixels, count: int) -> Pixels:
    """Brightness in that many steps with soft borders."""
    grey = luminance(colour) * np.float32(count)
    whole = np.floor(grey)
    stepped = (whole + step(grey - whole, 0.35, 0.65)) / np.float32(count)
    change = (stepped - grey / np.float32(count))[..., None]
    return np.asarray(np.clip(colour + change, 0, 1), np.float32)


def anime(motif: Motif, rng: Rng) -> Pixels:
    """Cel shading: two tones with a hard border, a bright rim, dark coloured lines."""
    unit = _unit(motif)
    base = saturate(_levels(motif.colour, 6), 1.3)
    base = np.clip(base * np.float32(1.05) + np.float32(0.02), 0, 1)
    diffuse, _ = lighting(blur(motif.height, 7 * unit), 34 * unit)
    shadow = step(0.96 - diffuse, 0, 0.015)
    shaded = mix(base, base * channels((0.70, 0.64, 0.82)), shadow)
    bright = step(diffuse - 1.16, 0, 0.015)
    shaded = mix(shaded, np.clip(shaded * 1.12 + 0.12, 0, 1), bright * np.float32(0.75))
    sweep = np.linspace(0.07, -0.04, base.shape[0], dtype=np.float32)[:, None, None]
    dark = base * channels((0.28, 0.18, 0.30))
    return mix(np.clip(shaded + sweep, 0, 1), dark, step(motif.lines, 0.12, 0.55))


def oil_painting(motif: Motif, rng: Rng) -> Pixels:
    """Thick strokes along the forms, their relief lit."""
    full = (motif.colour.shape[1], motif.colour.shape[0])
    scale = min(1.0, 900 / max(full))
    size = (round(full[0] * scale), round(full[1] * scale))
    colour, lines, height = (resize(p, size) for p in (motif.colour, motif.lines, motif.height))
    diffuse, _ = lighting(blur(height, 4), 14)
    modelled = np.clip(saturate(colour, 1.22) * mix(diffuse, (1.0,), 0.35)[..., None], 0, 1)
    dark = modelled * channels((0.42, 0.36, 0.42))
    painted, relief = oil_strokes(mix(modelled, dark, lines * np.float32(0.45)), height, rng)
    # The lines are drawn once more, thinly, so that small forms survive broad strokes.
    painted = mix(painted, dark * np.float32(0.8), lines * np.float32(0.42))
    ridge, gloss = lighting(relief, 3.2)
    lit = painted * (0.5 + 0.5 * ridge)[..., None] + (gloss * np.float32(0.05))[..., None]
    return np.clip(resize(np.asarray(lit, np.float32), full), 0, 1)


def watercolor(motif: Motif, rng: Rng) -> Pixels:
    """Transparent washes that pool at their edges, on rough paper."""
    unit, shape = _unit(motif), motif.colour.shape
    bleeding = wander(shape, 26 * unit, 5 * unit, rng)
    wash = warp(blur(motif.colour, 1.6 * unit), bleeding)
    edges = np.abs(luminance(wash) - blur(luminance(wash), 5 * unit))
    pigment = clouds(shape, 150 * unit, rng, 5)
    grain = noise(shape, 3, rng)
    density = 0.86 + 0.95 * (pigment - 0.5) + 0.16 * (grain - 0.5) + 1.6 * np.clip(edges, 0, 0.3)
    density = density + (0.16 - 0.3 * motif.height) * step(motif.height, 0, 0.15)
    washed = np.clip(wash, 0.04, 1) ** np.clip(density, 0.12, 2.0)[..., None]
    paper = _paper(shape, rng, (0.99, 0.975, 0.94))
    dry = step(noise(shape, 60 * unit, rng) * grain, 0.55, 0.75)
    painted = paper * mix(np.asarray(washed, np.float32), (1.0, 1.0, 1.0), dry * np.float32(0.5))
    pencil = motif.lines * (0.35 + 0.5 * grain)
    return mix(painted, (0.24, 0.21, 0.24), np.asarray(pencil, np.float32))


def sketch(motif: Motif, rng: Rng) -> Pixels:
    """Graphite: hatched tones and firm lines on cream paper."""
    shape = motif.colour.shape
    diffuse, _ = lighting(blur(motif.height, 5 * _unit(motif)), 16 * _unit(motif))
    tone = np.clip((1 - luminance(motif.colour)) ** 1.25 * 0.95 + (1 - diffuse) * 0.6, 0, 1)
    marks = hatching(np.asarray(tone, np.float32), rng)
    paper = _paper(shape, rng, (0.97, 0.955, 0.92))
    rubbed = mix(paper, (0.45, 0.45, 0.47), blur(tone, 3) * np.float32(0.34))
    shaded = mix(rubbed, (0.20, 0.20, 0.22), marks * np.float32(0.8))
    firm = np.clip(motif.lines * (0.72 + 0.5 * noise(shape, 2, rng)), 0, 0.95)
    return mix(shaded, (0.10, 0.10, 0.12), np.asarray(firm, np.float32))


def chinese_painting(motif: Motif, rng: Rng) -> Pixels:
    """Ink and light colour on rice paper, brush lines of changing weight, a red seal."""
    unit, shape = _unit(motif), motif.colour.shape
    paper = _paper(shape, rng, (0.955, 0.92, 0.84))
    fibres = step(noise(shape, 3, rng) * noise((shape[0], shape[1]), 40, rng), 0.5, 0.9)
    paper = mix(paper, (0.88, 0.83, 0.72), fibres * np.float32(0.35))
    bled = warp(blur(motif.colour, 4 * unit), wander(shape, 34 * unit, 9 * unit, rng))
    depth = np.clip((1 - luminance(bled)) ** 1.5, 0, 1)
    pool = clouds(shape, 120 * unit, rng, 5)
    ink = np.clip(depth * (0.35 + 1.3 * pool) * 0.85, 0, 0.85)
    tinted = paper * mix(paper * 0 + 1, saturate(bled, 0.85), np.clip(0.6 * pool + 0.25, 0, 0.75))
    washed = mix(np.asarray(tinted, np.float32), (0.15, 0.16, 0.18), ink * np.float32(0.75))
    thick = cv2.dilate(motif.lines, np.ones((max(2, round(4 * unit)),) * 2, np.uint8))
    pressure = step(noise(shape, 46 * unit, rng), 0.35, 0.75)
    brush = blur(mix(motif.lines, thick, pressure), 0.8)
    dry = 1 - 0.45 * step(noise(shape, 2.4, rng), 0.6, 0.9)
    painted = mix(washed, (0.07, 0.07, 0.08), np.clip(brush * dry, 0, 0.94))
    return _seal(painted, rng)


def _seal(picture: Pixels, rng: Rng) -> Pixels:
    """The artist's red seal, lower left, with carved strokes that are no writing."""
    high, wide = picture.shape[:2]
    side = max(14, min(high, wide) // 13)
    x, y = side // 2, high - side - side // 2
    seal = np.ones((side, side), np.float32)
    for k in range(1, 6):
        at, length = side * k // 6, int(side * rng.uniform(0.3, 0.7))
        start = int(rng.integers(side // 8, side - length))
        across = k % 2 == 0
        begin, end = ((start, at), (start + length, at))
        if not across:
            begin, end = begin[::-1], end[::-1]
        cv2.line(seal, begin, end, 0.0, max(1, side // 22))
    seal *= step(noise((side, side), 3, rng), 0.05, 0.3)
    out = picture.copy()
    patch = out[y : y + side, x : x + side]
    out[y : y + side, x : x + side] = mix(patch, (0.74, 0.13, 0.10), seal * np.float32(0.88))
    return out


def cartoon_3d(motif: Motif, rng: Rng) -> Pixels:
    """Smooth rounded bodies under a soft light with highlights and contact shadows."""
    unit = _unit(motif)
    rounded = blur(motif.height, 4 * unit)
    diffuse, gloss = lighting(rounded, 44 * unit)
    colour = saturate(blur(motif.colour, 1.2 * unit), 1.25)
    lit = colour * (0.32 + 0.72 * diffuse)[..., None]
    lit = lit + (step(gloss, 0.62, 1.0) * step(rounded, 0.25, 0.8) * np.float32(0.28))[..., None]
    rim = (1 - step(rounded, 0.0, 0.3)) * step(rounded, 0.01, 0.05)
    lit = lit + (rim * np.float32(0.06))[..., None]
    groove = np.clip(blur(motif.lines, 3.5 * unit) * np.float32(1.3), 0, 1)
    lit = mix(np.asarray(lit, np.float32), colour * np.float32(0.25), groove * np.float32(0.6))
    fine = colour * np.float32(0.16)
    return np.clip(mix(lit, fine, motif.lines * np.float32(0.35)), 0, 1)


_RENDERERS: Mapping[str, Style] = {
    "<3d cartoon>": cartoon_3d,
    "<anime>": anime,
    "<oil painting>": oil_painting,
    "<watercolor>": watercolor,
    "<sketch>": sketch,
    "<chinese painting>": chinese_painting,
    "<flat illustration>": flat_illustration,
}


def chosen_style(style: str, rng: Rng) -> str:
    """The style itself, or for `<auto>` the one that chance picks."""
    return style if style != STYLES[0] else str(rng.choice(STYLES[1:]))


def render(motif: Motif, style: str, rng: Rng) -> Pixels:
    """The motif in that style."""
    return np.asarray(_RENDERERS[style](motif, rng), np.float32)


# How bright, on average, a picture is on the white paper of these styles.
_ON_PAPER = {"<watercolor>": 0.52, "<sketch>": 0.60, "<chinese painting>": 0.64}


def _lightened(picture: Pixels, style: str) -> Pixels:
    mean = float(np.clip(luminance(picture).mean(), 0.05, 0.95))
    wanted = max(mean, _ON_PAPER.get(style, mean))
    return np.asarray(np.clip(picture, 0, 1) ** np.float32(np.log(wanted) / np.log(mean)))


def restyle(picture: Pixels, style: str, rng: Rng) -> Pixels:
    """A photograph in that style: smoothed colours, its lines, and its light as relief."""
    plump = style == "<3d cartoon>"
    soft = soften(picture, 5 if plump else 2)
    unit = max(picture.shape[:2]) / 768
    height = blur(luminance(soft), (3 if plump else 5) * unit) * np.float32(0.8 if plump else 0.12)
    lines = line_art(soft, 1.3 * unit)
    lines = lines * step(blur(lines, 3 * unit), 0.05, 0.3)
    return render(Motif(_lightened(soft, style), lines, height), style, rng)
