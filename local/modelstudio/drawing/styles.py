"""The styles: one way to paint, and a recipe for each in wishes.yaml."""

import cv2
import numpy as np

import local.modelstudio.drawing.canvas as art
from local.modelstudio.drawing.canvas import Pixels, Rng, blur, grey, lit, mix, noise, step
from local.modelstudio.drawing.wishes import TABLE, Entry

Motif = tuple[Pixels, Pixels, Pixels]  # colours, drawn lines, how far bodies bulge (0-1)


def _modelled(colour: Pixels, height: Pixels, recipe: Entry, rng: Rng) -> Pixels:
    """The colours, bled or in levels as the recipe has it, on lit bodies."""
    unit, bleed, levels = art.unit(height), recipe.get("bleed", 0), recipe.get("levels", 255)
    colour = art.bent(blur(colour, bleed * unit / 2.5), 30 * unit, bleed * unit, rng)
    level = grey(colour)[..., None] * levels
    colour = colour + (np.floor(level) + step(level % 1, 0.35, 0.65) - level) / levels
    colour = mix(grey(colour)[..., None], colour, recipe["vivid"])
    light = lit(blur(height, 5 * unit), recipe["depth"] * unit)[..., None]
    hard = step(0.95 - light, 0, 0.02) * recipe.get("shadow", 0) * art.floats([0.3, 0.36, 0.18])
    shine = step(light, 1.17, 1.22) * recipe.get("shine", 0)
    return art.clipped(colour * (1 - hard) * (1 + recipe.get("round", 0) * (light - 1)) + shine)


def _stroked(colour: Pixels, height: Pixels, size: float, rng: Rng) -> Pixels:
    """The picture in brush strokes along its forms, else in a slow drift; its relief lit."""
    painted, (high, wide), width = blur(colour, size / 4), height.shape, max(2, round(size))
    guide = blur(grey(colour) + height * 0.6, 5)
    dx, dy = cv2.Sobel(guide, cv2.CV_32F, 1, 0), cv2.Sobel(guide, cv2.CV_32F, 0, 1)
    drift = noise(height.shape, wide / 4, rng) * 5
    angle = np.where(np.hypot(dx, dy) > 0.03, np.arctan2(dx, -dy), drift)
    for y, x, jitter, long, light in rng.random((3 * high * wide // width**2, 5)).tolist():
        y, x = int(y * high), int(x * wide)
        turn, half = angle[y, x] + (jitter - 0.5) / 2, width * (0.5 + long)
        away = (round(np.cos(turn) * half), round(np.sin(turn) * half))
        tone = (colour[y, x] * (0.92 + 0.16 * light)).tolist()
        cv2.line(painted, (x - away[0], y - away[1]), (x + away[0], y + away[1]), tone, width)
    ridge = lit(grey(painted) + noise(height.shape, 2.2, rng) * 0.15, 3)
    return art.clipped(painted * (0.5 + 0.5 * ridge)[..., None])


def _on_paper(colour: Pixels, height: Pixels, recipe: Entry, rng: Rng) -> Pixels:
    """The colours as washes that pool at their edges, or as pencil strokes, on rough paper."""
    shape, unit = height.shape, art.unit(height)
    relief = lit(blur(noise(shape, 2.5, rng) + noise(shape, 6, rng), 0.8), 1.1)
    paper = (0.72 + 0.28 * relief)[..., None] * art.floats(recipe["paper"])
    if "wash" in recipe:
        edges = np.abs(grey(colour) - blur(grey(colour), 5 * unit))
        rim = (0.16 - 0.3 * height) * step(height, 0, 0.15)
        density = 0.4 + 0.95 * noise(shape, 150 * unit, rng, 5) + 1.6 * edges + rim
        return art.floats(paper * np.clip(colour, 0.04, 1) ** (density * recipe["wash"])[..., None])
    tone = art.clipped((1 - grey(colour)) ** 1.25)
    shaded = mix(paper, (0.45, 0.45, 0.47), blur(tone, 3) * 0.34)
    for kernel, threshold in ((np.eye(31)[::-1], 0.14), (np.eye(31), 0.5)):
        streaks = np.asarray(cv2.filter2D(noise(shape, 2, rng), -1, kernel))
        wanted = np.clip((tone - threshold) * 1.5, 0, 0.8)
        limit = streaks.mean() + streaks.std() * (1.4 - 2.4 * wanted)
        marks = step(streaks - limit, 0, float(streaks.std())) * (wanted > 0)
        shaded = mix(shaded, (0.2, 0.2, 0.22), marks * 0.6)
    return shaded


def render(motif: Motif, style: str, rng: Rng) -> Pixels:
    """The motif in that style."""
    recipe = next(entry["recipe"] for entry in TABLE["styles"] if entry["style"] == style)
    colour, lines, height = motif
    painted = _modelled(colour, height, recipe, rng)
    if "stroke" in recipe:
        painted = _stroked(painted, height, recipe["stroke"] * art.unit(lines), rng)
    if "paper" in recipe:
        painted = _on_paper(painted, height, recipe, rng)
    grain = 1 - recipe.get("grain", 0) * noise(lines.shape, 3, rng)
    ink = painted * recipe["ink"] if recipe["ink"] else art.floats((0.12, 0.12, 0.17))
    return art.clipped(mix(painted, ink, lines * recipe["lines"] * grain))


def restyled(picture: Pixels, style: str, rng: Rng) -> Pixels:
    """A photograph in that style: smoothed colours, its lines, and its light as relief."""
    unit, (soft, lines) = art.unit(picture), art.traced(picture)
    lines = lines * step(blur(lines, 3 * unit), 0.05, 0.3)
    return render((soft, lines, blur(grey(soft), 4 * unit) * 0.4), style, rng)
