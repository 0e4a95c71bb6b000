"""JSON Pointers (RFC 6901) into plain data, with `*` for every item of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.catalogue.plain import Plain, escape


def of(path: Iterable[str | int]) -> str:
    """The pointer that runs through these keys and indices."""
    return "".join(f"/{escape(str(step))}" for step in path)


def steps_of(pointer: str) -> list[str]:
    """The keys and indices that a pointer runs through."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def find(value: Plain, pattern: str) -> Iterator[tuple[str, Plain]]:
    """Pointer and value of everything in `value` that the pattern fits; nothing if absent."""
    found: list[tuple[str, Plain]] = [("", value)]
    for step in steps_of(pattern):
        found = [inner for place, outer in found for inner in _enter(place, outer, step)]
    yield from found


def _enter(place: str, outer: Plain, step: str) -> Iterator[tuple[str, Plain]]:
    if isinstance(outer, dict) and step in outer:
        yield f"{place}/{escape(step)}", outer[step]
    elif isinstance(outer, list) and step == "*":
        yield from ((f"{place}/{index}", item) for index, item in enumerate(outer))
    elif isinstance(outer, list) and step.isdecimal() and int(step) < len(outer):
        yield f"{place}/{step}", outer[int(step)]


def replace(value: Plain, pointer: str, new: Plain) -> None:
    """Put `new` at an existing place of `value`. Raises KeyError if the place does not exist."""
    parent, _, last = pointer.rpartition("/")
    for _, outer in find(value, parent):
        if any(True for _ in _enter(parent, outer, *steps_of(f"/{last}"))):
            outer[int(last) if isinstance(outer, list) else steps_of(f"/{last}")[0]] = new
            return
    raise KeyError(pointer)
