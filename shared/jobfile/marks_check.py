"""Says what is wrong with the pixels of a mask or a sketch: one that marks nothing costs an image
and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.catalogue import pointers
from shared.catalogue.models import ImageRule, Marks
from shared.catalogue.plain import Plain
from shared.jobfile.findings import Findings
from shared.jobfile.image_marks import WHITE, Colour, Count, PixelCounter, Undecodable
from shared.jobfile.image_probe import Look

MOST_COLOURS = 64
_MUCH = 0.3
"""Share of pixels between black and white from which a mask looks like a photograph: soft edges,
antialiasing and JPEG stay far below."""


@dataclass(frozen=True)
class _Marked:
    """An image whose pixels were counted, and the colours that the job lists for it."""

    pointer: str
    value: str
    marks: Marks
    colours: tuple[Colour, ...]
    counts: tuple[Count, ...]

    def all_are(self, test: Callable[[Count], bool]) -> bool:
        """Whether it is so however transparency is read."""
        return all(test(one) for one in self.counts)

    def selected(self, one: Count) -> int:
        return one.like if self.colours else one.white


def check_marks(
    job: Plain,
    rule: ImageRule,
    at: tuple[str, str],
    look: Look,
    pixels: PixelCounter,
    found: Findings,
) -> None:
    """Reports what the pixels of an image show, if a rule is about them and they are at hand.

    `at`: its pointer and what is written there.
    """
    marks, (pointer, value) = rule.marks, at
    if marks is None or look.body is None:
        return
    colours = _colours(job, marks)
    if colours is None or _is_off(job, marks):
        return
    try:
        counts = pixels.count(look.body, look.facts, look.etag, colours)
    except Undecodable:
        what = f"the pixels of this {look.facts.format} image cannot be decoded; save it again"
        found.violate(pointer, "a whole image", value, what, marks.source)
        return
    if counts is None:
        what = "its pixels are not looked at, because the file names so many; see that it is right"
        found.notice(pointer, "fewer or smaller images in a file", value, what, marks.source)
    elif counts:
        _KINDS[marks.what](_Marked(pointer, value, marks, colours, counts), found)


def _is_off(job: Plain, marks: Marks) -> bool:
    return bool(marks.unless) and any(v is True for _, v in pointers.find(job, str(marks.unless)))


def _colours(job: Plain, marks: Marks) -> tuple[Colour, ...] | None:
    """The colours that the job lists; None if they are wrong, which the schema says, or many."""
    if marks.colours is None:
        return ()
    listed = [item for _, item in pointers.find(job, f"{marks.colours}/*")]
    fine = all(
        isinstance(item, list) and len(item) == 3 and all(type(level) is int for level in item)
        for item in listed
    )
    return tuple((r, g, b) for r, g, b in listed) if fine and len(listed) <= MOST_COLOURS else None


def _check_region(seen: _Marked, found: Findings) -> None:
    first = seen.counts[0]
    if seen.all_are(lambda one: not seen.selected(one)):
        what = _absent(seen) if seen.colours else _no_white(seen)
        expected = "a mask that marks the region to change"
        found.violate(seen.pointer, expected, seen.value, what, seen.marks.source, _held(first))
    elif seen.all_are(lambda one: seen.selected(one) == one.total):
        what = "the mask marks every pixel; keep black what must stay as it is"
        expected = "a mask that marks a part of the picture"
        shown = "every pixel marked"
        found.violate(seen.pointer, expected, seen.value, what, seen.marks.source, shown)
    elif not seen.colours and seen.all_are(lambda one: one.mid_grey > _MUCH * one.total):
        what = (
            "the mask looks like a photograph, not black and white; see that base image and mask"
            " are not swapped"
        )
        found.notice(
            seen.pointer, "a black and white image", seen.value, what, seen.marks.source, "greys"
        )


def _no_white(seen: _Marked) -> str:
    first = seen.counts[0]
    cure = "the mask is all black; paint the region white"
    coloured = _vivid(first.colours) if seen.marks.colours else ()
    if coloured:
        cure = f"paint the region white, or write {_named(seen, coloured[:1])}"
    elif first.brightest:
        top = f"its brightest value is {first.brightest} of 255, and white begins at about {WHITE}"
        cure = f"{top}; paint the region white (255)"
    return f"no pixel of the mask is white, so nothing would be repainted; {cure}"


def _absent(seen: _Marked) -> str:
    held = seen.counts[0].colours
    cure = (
        f"write {_name(seen)}: {_list(held[:1])}" if held else "paint the lines or the region in it"
    )
    return f"no pixel has a colour of {_name(seen)}; {_held(seen.counts[0])}; {cure}"


def _held(one: Count) -> str:
    return f"the image holds {_list(one.colours)}" if one.colours else "black or white pixels alone"


def _check_lines(seen: _Marked, found: Findings) -> None:
    what = _about_lines(seen, seen.counts[0])
    if what is not None and len(seen.counts) == 1:  # of transparency another notice tells
        expected = f"{seen.marks.colour} lines on a white background"
        held = _held(seen.counts[0])
        found.notice(seen.pointer, expected, seen.value, what, seen.marks.source, held)


def _about_lines(seen: _Marked, one: Count) -> str | None:
    if seen.colours:
        return None if one.like else _absent(seen)
    if one.light < one.total / 2:
        return "the sketch is mostly dark; dark lines on a white background are expected"
    if one.coloured > one.dark:
        listed = _vivid(one.colours)[:1] if seen.marks.colours else ()
        cure = f"draw them black, or write {_named(seen, listed)}" if listed else "draw them black"
        return f"the lines are coloured; {cure}"
    return None if one.dark else "the sketch holds no dark line; draw black lines on white"


def _vivid(colours: Sequence[Colour]) -> tuple[Colour, ...]:
    return tuple(colour for colour in colours if max(colour) - min(colour) > 96)


def _name(seen: _Marked) -> str:
    return str(seen.marks.colours).rpartition("/")[2]


def _named(seen: _Marked, colours: Sequence[Colour]) -> str:
    return f"{_name(seen)}: {_list(colours)}"


def _list(colours: Sequence[Colour]) -> str:
    return str([list(colour) for colour in colours])


_KINDS = {"region": _check_region, "lines": _check_lines}
