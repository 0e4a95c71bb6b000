"""What the laptop's Model Studio draws: classical image processing on the CPU, no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from local.modelstudio.drawing.canvas import Pixels
from local.modelstudio.drawing.editing import draw_edit
from local.modelstudio.drawing.files import write
from local.modelstudio.drawing.inpainting import draw_inpaint
from local.modelstudio.drawing.sketching import draw_sketch
from local.modelstudio.drawing.types import STYLES, Drawing, DrawingError

__all__ = ["Drawing", "DrawingError", "draw"]

# Per kind: the artist, and how many pictures it takes at least and at most.
_ARTISTS: Mapping[str, tuple[Callable[[Drawing], Pixels], int, int]] = {
    "inpaint": (draw_inpaint, 2, 2),
    "sketch": (draw_sketch, 1, 1),
    "edit": (draw_edit, 1, 3),
}


def _check(drawing: Drawing) -> None:
    if drawing.kind not in _ARTISTS:
        raise DrawingError(f"kind is {drawing.kind!r}; expected one of {', '.join(_ARTISTS)}.")
    _, least, most = _ARTISTS[drawing.kind]
    if not least <= len(drawing.images) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise DrawingError(
            f"{drawing.kind} was given {len(drawing.images)} pictures; it needs {wanted}."
        )
    if drawing.style not in STYLES:
        raise DrawingError(f"style is {drawing.style!r}; expected one of {', '.join(STYLES)}.")


def draw(drawing: Drawing) -> bytes:
    """The finished PNG. The same drawing gives the same bytes.

    Its text chunks say that a laptop stand-in drew it. Raises DrawingError when the kind, the
    style or the number of pictures is wrong, or when a picture cannot be decoded.
    """
    _check(drawing)
    artist, _, _ = _ARTISTS[drawing.kind]
    return write(artist(drawing), drawing)
