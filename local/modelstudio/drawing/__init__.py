"""What the laptop's Model Studio draws: classical image processing on the CPU, no model."""

from local.modelstudio.drawing.canvas import write
from local.modelstudio.drawing.edit import draw_edit
from local.modelstudio.drawing.inpaint import draw_inpaint
from local.modelstudio.drawing.sketch import draw_sketch
from local.modelstudio.drawing.wishes import STYLES, Drawing, DrawingError

__all__ = ["Drawing", "DrawingError", "draw"]

# Per kind: the artist, and how many pictures it takes at least and at most.
_ARTISTS = {
    "inpaint": (draw_inpaint, 2, 2),
    "sketch": (draw_sketch, 1, 1),
    "edit": (draw_edit, 1, 3),
}


def draw(drawing: Drawing) -> bytes:
    """The finished PNG, the same bytes for the same drawing. Raises DrawingError."""
    if drawing.kind not in _ARTISTS:
        raise DrawingError(f"kind is {drawing.kind!r}; expected one of {', '.join(_ARTISTS)}.")
    artist, least, most = _ARTISTS[drawing.kind]
    if not least <= (given := len(drawing.images)) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise DrawingError(f"{drawing.kind} was given {given} pictures; it needs {wanted}.")
    if drawing.style not in STYLES:
        raise DrawingError(f"style is {drawing.style!r}; expected one of {', '.join(STYLES)}.")
    return write(artist(drawing), drawing)
