"""What the laptop's Model Studio draws: classical image processing on the CPU, no model."""

from dataclasses import replace

from local.modelstudio.drawing.canvas import resize, write
from local.modelstudio.drawing.edit import draw_edit
from local.modelstudio.drawing.inpaint import draw_inpaint
from local.modelstudio.drawing.paint import draw_cartoon, draw_paint
from local.modelstudio.drawing.shop import draw_background, draw_repaint, draw_tryon
from local.modelstudio.drawing.sketch import draw_sketch
from local.modelstudio.drawing.tools import (
    draw_clean,
    draw_colorize,
    draw_doodle,
    draw_enlarge,
    draw_expand,
    draw_outpaint,
    draw_translate,
)
from local.modelstudio.drawing.wishes import STYLES, Drawing, DrawingError

__all__ = ["Drawing", "DrawingError", "draw"]

# Per kind: the artist, and how many pictures it takes at least and at most.
_ARTISTS = {
    "inpaint": (draw_inpaint, 2, 2),
    "sketch": (draw_sketch, 1, 1),
    "edit": (draw_edit, 1, 9),
    "paint": (draw_paint, 0, 0),
    "cartoon": (draw_cartoon, 1, 1),
    "clean": (draw_clean, 1, 1),
    "colorize": (draw_colorize, 1, 1),
    "doodle": (draw_doodle, 1, 1),
    "enlarge": (draw_enlarge, 1, 1),
    "expand": (draw_expand, 1, 1),
    "outpaint": (draw_outpaint, 1, 1),
    "translate": (draw_translate, 1, 1),
    "background": (draw_background, 1, 12),
    "repaint": (draw_repaint, 1, 2),
    "tryon": (draw_tryon, 2, 3),
}
_GROWING = (
    "enlarge",
    "expand",
    "outpaint",
    "translate",
)  # the picture and the options make the size
# A larger picture is drawn with so many pixels and stretched, to be fast.
_EASY_PIXELS, _EASY_TO_PAINT = 1_700_000, 600_000


def draw(drawing: Drawing) -> bytes:
    """The finished file, the same bytes for the same drawing. Raises DrawingError."""
    if drawing.kind not in _ARTISTS:
        raise DrawingError(f"kind is {drawing.kind!r}; expected one of {', '.join(_ARTISTS)}.")
    artist, least, most = _ARTISTS[drawing.kind]
    if not least <= (given := len(drawing.images)) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise DrawingError(f"{drawing.kind} was given {given} pictures; it needs {wanted}.")
    if drawing.style not in STYLES:
        raise DrawingError(f"style is {drawing.style!r}; expected one of {', '.join(STYLES)}.")
    pixels = _EASY_TO_PAINT if least == 0 else _EASY_PIXELS
    picture = artist(replace(drawing, size=_easy(drawing.size, pixels)))
    if drawing.size and drawing.kind not in _GROWING and picture.shape[:2] != drawing.size[::-1]:
        picture = resize(picture.astype("uint8"), drawing.size)
    return write(picture, drawing)


def _easy(size: tuple[int, int] | None, pixels: int) -> tuple[int, int] | None:
    if size is None or size[0] * size[1] <= pixels:
        return size
    share = (pixels / (size[0] * size[1])) ** 0.5
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))
