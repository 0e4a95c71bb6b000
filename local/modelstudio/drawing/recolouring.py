"""A thing's colour changed, its light and shade kept."""

from __future__ import annotations

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import Pixels, blur, step
from local.modelstudio.drawing.cutout import subject_mask
from local.modelstudio.drawing.words import Colour


def _lab(picture: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2LAB))


def _colour_lab(colour: Colour) -> Pixels:
    return _lab(np.asarray(colour, np.float32).reshape(1, 1, 3)).reshape(3)


def _main_hue(lab: Pixels, weight: Pixels) -> float:
    """The angle (radians) of the hue most present, vivid pixels counting more."""
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    angle = np.arctan2(lab[..., 2], lab[..., 1])
    votes = chroma * (chroma > 14) * weight
    counts, edges = np.histogram(angle, bins=36, range=(-np.pi, np.pi), weights=votes)
    around = counts + 0.5 * (np.roll(counts, 1) + np.roll(counts, -1))
    best = int(np.argmax(around))
    return float((edges[best] + edges[best + 1]) / 2)


def _nearest_hue(lab: Pixels, wanted: float, weight: Pixels) -> float:
    """The hue most present within 40 degrees of the wanted one, for "red" is many reds."""
    angle = np.arctan2(lab[..., 2], lab[..., 1])
    away = np.abs((angle - wanted + np.pi) % (2 * np.pi) - np.pi)
    return _main_hue(lab, weight * (away < np.radians(40)))


def recoloured(picture: Pixels, target: Colour, source: Colour | None) -> Pixels:
    """The picture with the source colour (or the subject's main one) turned into the target."""
    lab, goal = _lab(picture), _colour_lab(target)
    subject = blur(subject_mask(picture), max(picture.shape) / 160)
    weight = 0.1 + subject if source else subject
    if source:
        wanted = _colour_lab(source)
        hue = _nearest_hue(lab, float(np.arctan2(wanted[2], wanted[1])), weight)
    else:
        hue = _main_hue(lab, weight)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    away = np.abs((np.arctan2(lab[..., 2], lab[..., 1]) - hue + np.pi) % (2 * np.pi) - np.pi)
    # In deep shade hues are uncertain, and still belong to the thing.
    away = away * np.clip(lab[..., 0] / np.float32(38), 0.45, 1)
    chosen = (1 - step(away, 0.14, 0.27)) * step(chroma, 6, 16) * step(subject, 0.05, 0.5)
    chosen = blur(chosen, 1.2)
    total = max(float(chosen.sum()), 1.0)
    usual_chroma = max(float((chroma * chosen).sum()) / total, 8.0)
    usual_light = float((lab[..., 0] * chosen).sum()) / total
    goal_chroma = float(np.hypot(goal[1], goal[2]))
    scale = np.clip(chroma / usual_chroma, 0, 1.12)[..., None] * np.float32(goal_chroma * 0.9)
    direction = goal[1:] / max(goal_chroma, 1e-3)
    changed = np.empty_like(lab)
    changed[..., 0] = np.clip(lab[..., 0] + (goal[0] - usual_light) * np.float32(0.55), 0, 100)
    changed[..., 1:] = direction * scale
    mixed = lab + (changed - lab) * chosen[..., None]
    return np.clip(np.asarray(cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB)), 0, 1)
