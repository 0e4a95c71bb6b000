"""A picture edited, or several combined, as the prompt says."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

import local.modelstudio.drawing.canvas as art
import local.modelstudio.drawing.wishes as wishes
from local.modelstudio.drawing.canvas import Pixels, Rng, blur, grey, mix, noise, step
from local.modelstudio.drawing.styles import restyled
from local.modelstudio.drawing.wishes import TABLE, Colour, Entry


def _covering(picture: Pixels, size: tuple[int, int] | None) -> Pixels:
    """The middle of the picture at that size, else at about 1280 x 1280 pixels in its aspect."""
    high, wide = picture.shape[:2]
    root = min(4.0, max(0.25, wide / high)) ** 0.5  # the editing API reference: 1:4 to 4:1
    size = size or (round(80 * root) * 16, round(80 / root) * 16)
    scale = max(size[0] / wide, size[1] / high)
    left, top = round((wide - size[0] / scale) / 2), round((high - size[1] / scale) / 2)
    return art.resize(picture[top : high - top, left : wide - left], size)


def _subject(picture: Pixels) -> Pixels:
    """How much each pixel belongs to the subject (0-1): what differs from the border, grown."""
    small = art.resize(picture, (200, 200))
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB))
    rim = np.concatenate([*lab[:8], *lab[:150, :8], *lab[:150, -8:]])
    spread = np.linalg.inv(np.cov(rim.T) + 20 * np.eye(3))
    away = np.einsum("yxi,ij,yxj->yx", lab - rim.mean(axis=0), spread, lab - rim.mean(axis=0))
    ys, xs = np.mgrid[-1:1:200j, -1:1:200j]
    score = blur(np.sqrt(away), 2) * (0.35 + np.exp(-(xs**2 + ys**2) * 1.1))
    score /= max(float(np.percentile(score, 98)), 1e-3)
    labels = np.where(score > 0.45, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[(np.maximum(abs(xs), abs(ys)) > 0.95) & (score < 0.6)] = cv2.GC_BGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(1)  # GrabCut starts from chance; the same picture shall give the same subject
    if np.ptp(labels % 2):
        cv2.grabCut(
            (small * 255).astype(np.uint8), labels, (0, 0, 1, 1), *models, 3, cv2.GC_INIT_WITH_MASK
        )
    outlines, _ = cv2.findContours(labels % 2, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = art.floats(xs**2 + ys**2 < 0.7)  # an oval in the middle, where nothing is whole
    outline = max(outlines, key=cv2.contourArea, default=np.zeros((1, 1, 2), np.int32))
    hull = cv2.contourArea(cv2.convexHull(outline))
    if cv2.contourArea(outline) > max(0.05 * whole.size, 0.75 * hull):
        whole = cv2.drawContours(whole * 0, [outline], -1, 1.0, cv2.FILLED)
    return step(art.resize(blur(whole, 1), (picture.shape[1], picture.shape[0])), 0.32, 0.78)


def _low_sun(picture: Pixels, strength: float, rng: Rng) -> Pixels:
    """Gold from the horizon, violet above, the sun's disc and glow in what seems to be sky."""
    (high, wide), down = picture.shape[:2], np.linspace(0, 1, len(picture))[:, None]
    away = np.abs(picture - blur(picture, 40 * art.unit(picture))).max(axis=2)
    sky = (1 - step(away, 0.06, 0.16)) * (1 - step(down, 0.7, 0.9))
    dusk = mix(art.floats([[[0.5, 0.3, 0.52]]]), (1, 0.55, 0.22), step(down, 0.05, 0.75))
    screened = 1 - (1 - picture * 0.8) * (1 - dusk * 0.75)
    evening = mix(mix(picture, screened, 0.42), dusk - 0.06, sky * strength)
    ys, xs = np.mgrid[:high, :wide] / wide
    sun = np.hypot(xs - rng.uniform(0.15, 0.85), ys - rng.uniform(0.55, 0.72) * high / wide)
    evening = evening + (np.exp(-sun * 5) * (0.25 + 0.5 * sky))[..., None] * (1, 0.55, 0.2)
    return mix(evening, (1, 0.97, 0.85), step(0.05 - sun, 0, 0.006) * sky)


def _specks(picture: Pixels, wish: Sequence[float], rng: Rng) -> Pixels:
    """So many round specks or streaks: their number, radius, length and strength."""
    (high, wide), unit, (count, radius, length, strength) = (
        picture.shape[:2],
        art.unit(picture),
        wish,
    )
    layer, slant = np.zeros((high, wide), np.float32), rng.uniform(-0.25, 0.25) * length
    for x, y, size in (rng.random((int(count), 3)) * (wide, high, 1)).tolist():
        end = (int(x + slant * unit), int(y + length * unit))
        width = max(1, round(radius * unit * (0.6 + 1.6 * size**4)))
        cv2.line(layer, (int(x), int(y)), end, 0.4 + 0.6 * size, width, cv2.LINE_AA)
    return mix(picture, (0.95, 0.97, 1), blur(layer, 0.35 * radius * unit) * strength)


# What a wish of wishes.yaml is made of: the picture, the value beside the effect's name, chance.
_EFFECTS: Mapping[str, Callable[[Pixels, Any, Rng], Pixels]] = {
    "style": restyled,
    "gain": lambda p, levels, rng: p * art.floats(levels),
    "gamma": lambda p, power, rng: p**power,
    "contrast": lambda p, amount, rng: mix(p, step(p, 0, 1), amount),
    "saturation": lambda p, factor, rng: mix(grey(p)[..., None], p, factor),
    "sharpness": lambda p, amount, rng: mix(blur(p, 2.5), p, 1 + amount),
    "smooth": lambda p, far, rng: np.asarray(cv2.bilateralFilter(p, 5, far, 3)),
    "glow": lambda p, amount, rng: p + blur(p**3, 14) * amount,
    "grain": lambda p, amount, rng: mix(p, (0.5,) * 3, noise(p.shape, 2, rng) * amount),
    "haze": lambda p, amount, rng: mix(
        p, (0.87, 0.88, 0.9), amount * (noise(p.shape, 900, rng) + 1)
    ),
    "defocus": lambda p, sigma, rng: mix(blur(p, sigma), p, _subject(p)),
    "specks": _specks,
    "low_sun": _low_sun,
}


def _recoloured(picture: Pixels, target: Colour, source: Colour | None) -> Pixels:
    """The source colour, or the subject's main one, turned into the target; its shade kept."""
    lab, subject = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)), _subject(picture)
    swatches = art.floats([[target, source or target]])
    goal, named = np.asarray(cv2.cvtColor(swatches, cv2.COLOR_RGB2LAB))[0]
    chroma, angle = np.hypot(lab[..., 1], lab[..., 2]), np.arctan2(lab[..., 2], lab[..., 1])
    votes = chroma * (chroma > 14) * (subject + 0.1)
    if source:  # within 40 degrees of it, for "red" is many reds
        votes = votes * (np.cos(angle - np.arctan2(named[2], named[1])) > 0.77)
    hue = np.angle((votes * np.exp(1j * angle)).sum())
    away = np.abs(np.angle(np.exp(1j * (angle - hue)))) * np.clip(lab[..., 0] / 38, 0.45, 1)
    near = step(blur(subject, max(picture.shape) / 160), 0.05, 0.5)
    chosen = blur((1 - step(away, 0.14, 0.27)) * step(chroma, 6, 16) * near, 1.2)
    light, vivid = ((f * chosen).sum() / max(chosen.sum(), 1) for f in (lab[..., 0], chroma))
    shade = goal[1:] * np.clip(chroma / max(vivid, 8), 0, 1.12)[..., None] * 0.9
    changed = np.dstack([np.clip(lab[..., 0] + (goal[0] - light) * 0.55, 0, 100), shade])
    return art.clipped(cv2.cvtColor(mix(lab, changed, chosen), cv2.COLOR_LAB2RGB))


def set_into(scene: Pixels, image: Pixels, place: Entry, share: float, rng: Rng) -> Pixels:
    """The image's subject in the scene, its light brought near the scene's, with a shadow."""
    picture, (tall, long) = art.floats(image / 255), scene.shape[:2]
    mask, share = _subject(picture), share * place["factor"] * rng.uniform(0.9, 1.1)
    left, top, wide, high = cv2.boundingRect((mask > 0.1).astype(np.uint8))
    scale = min(tall * share / high, long * min(share * 1.15, 1) / wide)
    x = np.clip(
        (place["x"] + rng.uniform(-0.05, 0.05)) * long, wide * scale / 2, long - wide * scale / 2
    )
    y = min(place["y"] * tall, tall * 0.97 - high * scale / 2)
    if top + high >= len(mask) - 2:  # it goes on below: so it shall here
        y = tall - high * scale / 2
    dx, dy = x - (left + wide / 2) * scale, y - (top + high / 2) * scale
    matrix = art.floats([[scale, 0, dx], [0, scale, dy]])
    subject, where = (art.floats(cv2.warpAffine(p, matrix, (long, tall))) for p in (picture, mask))
    own, there = (p[where > 0.5].mean(axis=0) + 0.35 for p in (subject, scene))
    lighted = art.clipped(subject * (1 + (np.clip(there / own, 0.5, 1.6) - 1) * 0.38))
    shadow = art.cast_shadow(where, float(np.sqrt(wide * high)) * scale)
    return mix(scene * (1 - 0.45 * shadow)[..., None], lighted, where)


def draw_edit(drawing: wishes.Drawing) -> Pixels:
    """The picture (0-255) for a drawing of kind "edit"; the last image is the scene."""
    rng, prompt = art.dice(drawing), drawing.prompt
    images = [art.read(data, f"image {k}") for k, data in enumerate(drawing.images, 1)]
    picture = original = art.clipped(_covering(images[-1], drawing.size) / 255)
    colours = [colour for _, colour in wishes.named_colours(prompt)]
    colours = colours if wishes.mentions(prompt, TABLE["changing"]["words"]) else []
    if len(images) > 1:
        side = int(rng.integers(2))
        for number, image in enumerate(images[:-1]):
            place = {"x": (0.27, 0.73)[(number + side) % 2], "y": 0.74, "factor": 1}
            for entry, _ in wishes.found(prompt, TABLE["places"] if len(images) == 2 else ()):
                place.update(entry)
            share = max(0.25, 0.7 - 0.1 * len(images))
            picture = set_into(picture, image, place, share, rng)
    elif colours:
        target = wishes.beside(colours[-1], rng, 0.05)
        picture = _recoloured(picture, target, colours[0] if len(colours) > 1 else None)
    edited = mooded(picture, drawing, rng, not colours and len(images) == 1)
    strength = drawing.options.get("strength")
    return (edited if strength is None else mix(original, edited, strength**0.5)) * 255


def mooded(picture: Pixels, drawing: wishes.Drawing, rng: Rng, is_idle: bool) -> Pixels:
    """The picture (0-1) with moods and style of the prompt; where it is idle without, some look."""
    prompt = drawing.prompt
    wanted = [entry for entry, _ in wishes.found(prompt, TABLE["moods"])]
    asked = [entry for entry, _ in wishes.found(prompt, TABLE["styles"])]
    wanted += [{"style": drawing.style}] if drawing.style != "<auto>" else asked[:1]
    if is_idle and not wanted:
        wanted.append(TABLE["looks"][int(rng.integers(len(TABLE["looks"])))])
    wanted.insert(
        0, {"gain": rng.uniform(0.92, 1.08) + np.linspace(-1, 1, 3) * rng.uniform(-0.06, 0.06)}
    )
    wanted += [entry for entry, _ in wishes.found(drawing.negative_prompt, TABLE["remedies"])]
    for effect, value in (pair for e in wanted for pair in e.items() if pair[0] in _EFFECTS):
        picture = art.clipped(_EFFECTS[effect](picture, value, rng))
    return picture
