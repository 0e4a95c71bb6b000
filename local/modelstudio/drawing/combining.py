"""Subjects of pictures set into a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import Pixels, Rng, blur, mix, moved, resize, step
from local.modelstudio.drawing.cutout import subject_mask
from local.modelstudio.drawing.words import mentions


@dataclass(frozen=True)
class Cutout:
    """A subject cut to its box, how much each pixel belongs to it, whether it goes on below."""

    picture: Pixels
    mask: Pixels
    cut_below: bool


def place_named(prompt: str, usual: tuple[float, float]) -> tuple[float, float]:
    """The place (0-1 across, 0-1 down) that the prompt names, else the usual one."""
    x, y = usual
    if mentions(prompt, "center", "centre", "middle", "中间", "中央", "正中"):
        x, y = 0.5, min(max(y, 0.4), 0.6)
    if mentions(prompt, "left", "左"):
        x = 0.24
    elif mentions(prompt, "right", "右"):
        x = 0.76
    if mentions(prompt, "top", "upper", "above", "sky", "上方", "顶", "天空", "左上", "右上"):
        y = 0.24
    elif mentions(prompt, "bottom", "lower", "below", "foreground", "下方", "底", "左下", "右下"):
        y = 0.76
    return x, y


def _rounded(shape: tuple[int, ...]) -> Pixels:
    """1 inside, fading round the top and the sides: where the photograph ends, nothing is cut."""
    xs = np.abs(np.linspace(-1, 1, shape[1], dtype=np.float32))[None, :]
    ys = np.clip(np.linspace(1, -1, shape[0], dtype=np.float32), 0, 1)[:, None]
    return 1 - step((xs**5 + ys**5) ** np.float32(0.2), 0.82, 0.985)


def cut_out(picture: Pixels) -> Cutout:
    """The subject of the picture, at most 900 pixels long."""
    high, wide = picture.shape[:2]
    scale = min(1.0, 900 / max(high, wide))
    picture = resize(picture, (round(wide * scale), round(high * scale)))
    mask = subject_mask(picture) * _rounded(picture.shape)
    left, top, width, height = cv2.boundingRect((mask > 0.1).astype(np.uint8))
    box = (slice(top, top + height), slice(left, left + width))
    below = top + height >= mask.shape[0] - 2 and float(mask[-2].mean()) > 0.2
    return Cutout(picture[box], mask[box], below)


def _scaled(cutout: Cutout, scene: Pixels, prompt: str, count: int, rng: Rng) -> Cutout:
    high, wide = scene.shape[:2]
    share = 0.52 if count == 1 else 0.42
    if mentions(prompt, "small", "tiny", "little", "小"):
        share *= 0.6
    elif mentions(prompt, "large", "big", "huge", "giant", "大"):
        share *= 1.45
    share *= rng.uniform(0.92, 1.08)
    tall, long = cutout.mask.shape
    factor = min(high * share / tall, wide * share * 1.15 / long)
    size = (max(8, round(long * factor)), max(8, round(tall * factor)))
    mask = np.clip(resize(cutout.mask, size), 0, 1)
    return Cutout(np.clip(resize(cutout.picture, size), 0, 1), mask, cutout.cut_below)


def _harmonised(picture: Pixels, mask: Pixels, around: Pixels) -> Pixels:
    """The subject's light moved a part of the way to that of its new surroundings."""
    own = picture[mask > 0.5].mean(axis=0) if (mask > 0.5).any() else picture.mean(axis=(0, 1))
    there = around.reshape(-1, 3).mean(axis=0)
    tint = (there + np.float32(0.35)) / (own + np.float32(0.35))
    gain = 1 + (np.clip(tint, 0.5, 1.6) - 1) * np.float32(0.38)
    return np.asarray(np.clip(picture * gain, 0, 1), np.float32)


def _shadow(mask: Pixels, cut_below: bool) -> Pixels:
    """A soft shadow: close under what stands, and thrown to the lower right."""
    size = float(np.sqrt(np.count_nonzero(mask > 0.5)) + 1)
    canvas = (mask.shape[1], mask.shape[0])
    shadow = moved(blur(mask, size / 22), size * 0.05, size * 0.04, canvas) * np.float32(0.42)
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0.5), np.flatnonzero(mask.max(axis=0) > 0.5)
    if cut_below or rows.size == 0:
        return shadow
    contact = np.zeros_like(mask)
    foot = np.flatnonzero(mask[max(0, rows[-1] - int(size * 0.08))] > 0.5)
    foot = foot if foot.size > 2 else columns
    middle = (int(foot.mean()), int(rows[-1] - size * 0.01))
    axes = (int(np.ptp(foot) * 0.62) + 2, int(size * 0.055) + 2)
    cv2.ellipse(contact, middle, axes, 0, 0, 360, 0.75, cv2.FILLED)
    return np.maximum(shadow, blur(contact, size / 40))


def _placed(scene: Pixels, cutout: Cutout, place: tuple[float, float]) -> Pixels:
    high, wide = scene.shape[:2]
    tall, long = cutout.mask.shape
    left = int(np.clip(place[0] * wide - long / 2, wide * 0.02, max(wide * 0.98 - long, 0)))
    lowest = high - tall if cutout.cut_below else high * 0.965 - tall
    top = int(np.clip(place[1] * high - tall / 2, high * 0.02, max(lowest, 0)))
    if cutout.cut_below:
        top = high - tall
    around = scene[max(0, top) : top + tall, max(0, left) : left + long]
    subject = _harmonised(cutout.picture, cutout.mask, around)
    mask = moved(cutout.mask, left, top, (wide, high))
    scene = np.asarray(scene * (1 - _shadow(mask, cutout.cut_below))[..., None], np.float32)
    return mix(scene, moved(subject, left, top, (wide, high)), mask)


def combined(scene: Pixels, pictures: Sequence[Pixels], prompt: str, rng: Rng) -> Pixels:
    """The subjects of the pictures in the scene, where the prompt says, else as the seed has it."""
    count = len(pictures)
    side = int(rng.integers(2))
    for number, picture in enumerate(pictures):
        across = (0.27, 0.73)[(number + side) % 2] + rng.uniform(-0.06, 0.06)
        usual = (across, 0.74 + rng.uniform(-0.05, 0.05))
        place = place_named(prompt, usual) if count == 1 else usual
        scene = _placed(scene, _scaled(cut_out(picture), scene, prompt, count, rng), place)
    return scene
