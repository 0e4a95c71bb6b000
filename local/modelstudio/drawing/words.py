"""Colours and things that a prompt names, in English and in Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Colour = tuple[float, float, float]

COLOURS: Mapping[str, tuple[Colour, tuple[str, ...]]] = {
    "pink": ((0.96, 0.55, 0.68), ("pink", "rose", "粉红", "粉色", "粉")),
    "gold": ((0.90, 0.69, 0.20), ("gold", "golden", "金黄", "金色", "金")),
    "orange": ((0.95, 0.52, 0.13), ("orange", "橙红", "橙", "橘")),
    "red": ((0.83, 0.11, 0.13), ("red", "crimson", "scarlet", "红")),
    "yellow": ((0.97, 0.81, 0.18), ("yellow", "黄")),
    "teal": ((0.10, 0.58, 0.58), ("teal", "turquoise", "cyan", "青")),
    "green": ((0.22, 0.58, 0.25), ("green", "emerald", "绿")),
    "navy": ((0.10, 0.17, 0.38), ("navy", "深蓝", "藏青")),
    "blue": ((0.13, 0.36, 0.80), ("blue", "azure", "蓝")),
    "purple": ((0.48, 0.24, 0.66), ("purple", "violet", "lavender", "紫")),
    "brown": ((0.46, 0.29, 0.17), ("brown", "chocolate", "棕", "褐", "咖啡色")),
    "silver": ((0.75, 0.77, 0.80), ("silver", "银")),
    "grey": ((0.50, 0.52, 0.54), ("grey", "gray", "灰")),
    "black": ((0.09, 0.09, 0.11), ("black", "黑")),
    "white": ((0.95, 0.95, 0.93), ("white", "ivory", "白")),
    "cream": ((0.96, 0.90, 0.76), ("cream", "beige", "米色")),
}
_NOT_COLOURS = ("black and white", "black-and-white", "black & white", "黑白")


@lru_cache(maxsize=512)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    parts = [
        rf"\b{re.escape(n)}(?:s|es)?\b" if n.isascii() else re.escape(n) for n in longest_first
    ]
    return re.compile("|".join(parts), re.IGNORECASE)


def position(prompt: str, *names: str) -> int:
    """Where the first of the names stands in the prompt; -1 when none does."""
    found = _pattern(names).search(prompt)
    return found.start() if found else -1


def mentions(prompt: str, *names: str) -> bool:
    """Whether the prompt holds one of the names (English ones as whole words, plural or not)."""
    return position(prompt, *names) >= 0


def colours_with_positions(prompt: str) -> list[tuple[int, str]]:
    """The names of the colours in the prompt with their positions, in order."""
    text = prompt
    for phrase in _NOT_COLOURS:
        text = re.sub(re.escape(phrase), " " * len(phrase), text, flags=re.IGNORECASE)
    found: list[tuple[int, str]] = []
    for name, (_, synonyms) in COLOURS.items():
        for hit in _pattern(synonyms).finditer(text):
            found.append((hit.start(), name))
            text = text[: hit.start()] + " " * len(hit.group()) + text[hit.end() :]
    return sorted(found)


def named_colours(prompt: str) -> list[Colour]:
    """The colours that the prompt names, in its order, each once."""
    names = dict.fromkeys(name for _, name in colours_with_positions(prompt))
    return [COLOURS[name][0] for name in names]


def colour_of(prompt: str, *nouns: str) -> Colour | None:
    """The colour that the prompt gives to a thing: the one shortly before its name."""
    at = position(prompt, *nouns)
    if at < 0:
        return None
    reach = 14 if prompt[at].isascii() else 5
    near = [name for where, name in colours_with_positions(prompt) if 0 < at - where <= reach]
    return COLOURS[near[-1]][0] if near else None
