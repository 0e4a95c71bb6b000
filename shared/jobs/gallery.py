"""A page of the images that jobs made, to look at in a browser without a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

PAGE = """<!doctype html><meta charset="utf-8"><title>What the demo made</title>
<style>body {{font: 15px sans-serif; margin: 2em; display: flex; flex-wrap: wrap; gap: 1em}}
figure {{margin: 0; width: 320px}} img {{border-radius: 6px}}</style>
{figures}
"""
MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Figure:
    """An image's file, the name of what made it, and its prompt."""

    image: Path
    name: str
    prompt: str


def write_gallery(page: Path, figures: Sequence[Figure]) -> None:
    """Write the page; the images lie in its folder or below. Raises OSError."""
    shown = "\n".join(_shown(one, page.parent) for one in figures)
    page.write_text(PAGE.format(figures=shown), "utf-8")


def _shown(one: Figure, folder: Path) -> str:
    place = escape(quote(one.image.relative_to(folder).as_posix()))
    said = f"{escape(one.name)}<br><small>{escape(one.prompt[:MOST_CHARACTERS])}</small>"
    image = f'<a href="{place}"><img src="{place}" alt="" width="320"></a>'
    return f"<figure>{image}<figcaption>{said}</figcaption></figure>"
