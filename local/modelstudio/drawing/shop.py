"""Pictures for shops: goods before a new background, people in a style or in other garments."""

import cv2
import numpy as np

import local.modelstudio.drawing.canvas as art
import local.modelstudio.drawing.wishes as wishes
from local.modelstudio.drawing.canvas import Pixels, Rng, blur, grey, mix
from local.modelstudio.drawing.edit import mooded
from local.modelstudio.drawing.paint import scene
from local.modelstudio.drawing.styles import restyled
from local.modelstudio.drawing.wishes import TABLE, Drawing
from local.modelstudio.stored import read_stored


def _given(drawing: Drawing, field: str) -> list[bytes]:
    """The images that came in a field."""
    named = zip(drawing.fields, drawing.images, strict=True)
    return [data for name, data in named if name == field]


def _layer(data: bytes, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """A picture's colours and how opaque it is (0-1), at that size."""
    whole = art.floats(np.asarray(read_stored(data).convert("RGBA").resize(size)) / 255)
    return whole[..., :3], whole[..., 3]


def _set_on(scenery: Pixels, colours: Pixels, alpha: Pixels) -> Pixels:
    """A layer with its shadow over the scenery."""
    shadow = art.cast_shadow(alpha, float(np.sqrt(alpha.sum() + 1)))
    return mix(scenery * (1 - 0.4 * shadow)[..., None], colours, alpha)


def _elements(picture: Pixels, drawing: Drawing, field: str, rng: Rng) -> Pixels:
    """The elements of a field over the picture: their bright edges on a colour of the prompt."""
    size = (picture.shape[1], picture.shape[0])
    for number, data in enumerate(_given(drawing, field)):
        edges, alpha = _layer(data, size)
        colour = wishes.palette(drawing.prompt, rng)[number]
        picture = _set_on(picture, art.floats(colour) * (0.7 + grey(edges)[..., None]), alpha)
    return art.clipped(picture)


def _guided(drawing: Drawing, size: tuple[int, int], rng: Rng) -> Pixels:
    """What the prompt names; a guide picture shines through, bent the more the more noise."""
    guides = _given(drawing, "ref_image_url")
    if not guides:
        return scene(drawing, size, rng)
    guide = _layer(guides[0], size)[0]
    noise = float(drawing.options.get("noise_level") or 0) / 999
    guide = blur(art.bent(guide, 160, 10 + 120 * noise, rng), 1 + 14 * noise)
    if not drawing.prompt:
        return guide
    return mix(guide, scene(drawing, size, rng), drawing.options.get("ref_prompt_weight", 0.5))


def draw_background(drawing: Drawing) -> Pixels:
    """Kind "background": the object as it is, between elements, before a new background."""
    rng = art.dice(drawing)
    size = drawing.size or (1024, 1024)
    picture = mooded(_guided(drawing, size, rng), drawing, rng, False)
    picture = _elements(picture, drawing, "background_edge", rng)
    picture = _set_on(picture, *_layer(_given(drawing, "base_image_url")[0], size))
    return _elements(picture, drawing, "foreground_edge", rng) * 255


def _toned(picture: Pixels, model: Pixels) -> Pixels:
    """The picture with the colours of another: mean and spread in each channel of Lab."""
    ours, theirs = (art.floats(cv2.cvtColor(p, cv2.COLOR_RGB2LAB)) for p in (picture, model))
    spread = theirs.std(axis=(0, 1)) / np.maximum(ours.std(axis=(0, 1)), 1)
    moved = (ours - ours.mean(axis=(0, 1))) * spread + theirs.mean(axis=(0, 1))
    return art.clipped(cv2.cvtColor(art.floats(moved), cv2.COLOR_LAB2RGB))


def draw_repaint(drawing: Drawing) -> Pixels:
    """Kind "repaint": in the style that stands for a number, or in the colours of a picture."""
    rng, size = art.dice(drawing), drawing.size or (1536, 1536)
    photo = art.read(_given(drawing, "image_url")[0], "photograph")
    picture = art.floats(art.resize(photo, size) / 255)
    for model in _given(drawing, "style_ref_url"):
        picture = _toned(picture, art.floats(art.read(model, "style") / 255))
    entry = TABLE["repaints"].get(drawing.options["style_index"], {})
    painted = restyled(picture, entry.get("style", "<oil painting>"), rng)
    return art.clipped(painted * art.floats(entry.get("gain", (1, 1, 1)))) * 255


# Where a garment is put on a person who fills the picture: left, top, right and bottom (0-1).
_PLACES = {
    "bottom_garment_url": (0.32, 0.5, 0.68, 0.94),
    "top_garment_url": (0.27, 0.22, 0.73, 0.55),
}


def _cut_out(garment: Pixels) -> tuple[Pixels, Pixels]:
    """The garment without its plain background: colours, and where it is (0-1)."""
    rim = np.concatenate([garment[0], garment[-1], garment[:, 0], garment[:, -1]])
    away = (np.abs(garment - np.median(rim, axis=0)).max(axis=2) > 0.06).astype(np.uint8)
    outlines, _ = cv2.findContours(away, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.asarray(cv2.drawContours(away * 0, outlines, -1, 1, cv2.FILLED))
    mask = blur(art.floats(cv2.erode(whole, np.ones((3, 3)), iterations=2)), 0.8)
    left, top, wide, high = cv2.boundingRect(whole)
    window = slice(top, top + max(high, 1)), slice(left, left + max(wide, 1))
    return garment[window], mask[window]


def draw_tryon(drawing: Drawing) -> Pixels:
    """Kind "tryon": each garment, cut out of its plain background, over the person."""
    person = art.read(_given(drawing, "person_image_url")[0], "person")
    size = drawing.size or (person.shape[1], person.shape[0])
    picture = art.floats(art.resize(person, size) / 255)
    for field, place in _PLACES.items():
        left, top, right, bottom = (round(share * size[k % 2]) for k, share in enumerate(place))
        for data in _given(drawing, field):
            parts = _cut_out(art.floats(art.read(data, "garment") / 255))
            worn, shape = (art.clipped(art.resize(p, (right - left, bottom - top))) for p in parts)
            colours, alpha = picture.copy(), np.zeros(picture.shape[:2], np.float32)
            colours[top:bottom, left:right], alpha[top:bottom, left:right] = worn, shape
            picture = _set_on(picture, colours, alpha)
    return art.clipped(picture) * 255
