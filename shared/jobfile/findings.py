"""What checking a job file can find."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shared.catalogue.plain import MOST_SHOWN, Capped, Plain
from shared.jobfile.document import Document

_SOURCE = "job file format"
_LONGEST = 80
_LONGEST_POINTER = 300
_MANY = 10
_URL = re.compile(r"((?!oss:)[a-z][a-z0-9+.-]{0,20}://)(?:[^/?#]*@)?([^?#]*)([?#]?)", re.IGNORECASE)


@dataclass(frozen=True)
class Violation:
    """Something that must be changed before the job can be submitted.

    `pointer` is a JSON Pointer (RFC 6901) into the document, `line` counts from 1 in the file,
    `source` is the title of the document the rule rests on.
    """

    pointer: str
    line: int | None
    expected: str
    found: str
    message: str
    source: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Notice(Violation):
    """Something the caller should know; the job is submitted all the same."""


class Unreadable(Exception):
    """The file cannot be read as jobs. `violations` says why, at least one."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        others = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        super().__init__(violations[0].message + others)  # short: it may reach a log line
        self.violations = violations


def counted(shown: Iterable[Violation], more: int) -> tuple[Violation, ...]:
    """What is shown of many violations: the last one counts the rest."""
    found = tuple(shown)
    if not more:
        return found
    message = f"at least {more} more; they show once these are mended"
    return (*found, Violation("", None, "no more violations", f"{more} more", message, _SOURCE))


def most_each(documents: int) -> int:
    """How many violations each document of a file shows: a file of a thousand must not cost a
    hundred thousand explanations."""
    return _MANY if documents > _MANY else MOST_SHOWN


def short_pointer(pointer: str) -> str:
    """A JSON Pointer, or its beginning: keys may be long and deep."""
    return pointer if len(pointer) <= _LONGEST_POINTER else f"{pointer[:_LONGEST_POINTER]}…"


def show(value: Plain) -> str:
    """A value in at most 80 characters, without what may be secret or long: the payload of a data
    URI, the credentials and the query (a signature, often) of a URL."""
    if isinstance(value, str):
        return _show_text(value)
    if isinstance(value, dict):
        return f"a mapping with {len(value)} keys" if value else "an empty mapping"
    if isinstance(value, list):
        return _show_list(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)[:_LONGEST]


def _show_text(text: str) -> str:
    if text.startswith("data:"):
        media_type = re.split("[;,]", text[5:45])[0]
        return f"data:{media_type};… ({len(text)} characters)"
    if url := _URL.match(text):
        text = url[1] + url[2] + (f"{url[3]}…" if url[3] else "")
    short = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_LONGEST])
    return f'"{short}"' if len(text) <= _LONGEST - 2 else f'"{short[: _LONGEST - 3]}…"'


def _show_list(items: list[Any]) -> str:
    if len(items) <= 8 and all(isinstance(item, (int, float)) for item in items):
        return str(items)[:_LONGEST]
    return f"a list of {len(items)}" if items else "an empty list"


class Findings:
    """Collects what is wrong with one document, with the line of each place.

    Of violations and of notices the first `most` are kept. `moved`: where parts of the checked job
    are written that stand elsewhere in the document, by pointer.
    """

    def __init__(self, document: Document, most: int = MOST_SHOWN) -> None:
        self._document = document
        self.moved: Mapping[str, str] = {}
        self._violations: Capped[Violation] = Capped(most)
        self._notices: Capped[Notice] = Capped(most)

    @property
    def violations(self) -> list[Violation]:
        """What must be mended, without those that are only counted."""
        return self._violations.kept

    @property
    def notices(self) -> list[Notice]:
        return self._notices.kept

    @property
    def more(self) -> int:
        """How many violations were only counted."""
        return self._violations.more

    def violates(self, pointer: str) -> bool:
        """Whether a violation is known at exactly this place."""
        place = short_pointer(self.written(pointer))
        return any(one.pointer == place for one in self.violations)

    def written(self, pointer: str) -> str:
        """Where in the document a place of the checked job is written."""
        head = pointer
        while head and head not in self.moved:
            head = head.rpartition("/")[0]
        return self.moved[head] + pointer[len(head) :] if head else pointer

    def full(self, skipped: int = 0) -> bool:
        """Whether another violation is only counted, as `skipped` of them are at once."""
        if self._violations.full:
            self._violations.more += skipped
        return self._violations.full

    def violate(
        self, pointer: str, expected: str, value: Plain, what: str, source: str, found: str = ""
    ) -> None:
        """`what` continues a sentence that starts with the place: `at /input/prompt: …`."""
        if not self.full(skipped=1):
            self._violations.add(
                Violation(*self._said(pointer, expected, value, what, source, found))
            )

    def notice(
        self, pointer: str, expected: str, value: Plain, what: str, source: str, found: str = ""
    ) -> None:
        """`what` continues a sentence, as in `violate`."""
        if not self._notices.full:
            self._notices.add(Notice(*self._said(pointer, expected, value, what, source, found)))

    def _said(
        self, pointer: str, expected: str, value: Plain, what: str, source: str, found: str
    ) -> tuple[str, int | None, str, str, str, str]:
        written = self.written(pointer)
        line, shown = self._document.line(written), found or show(value)
        place = short_pointer(written)
        return place, line, expected, shown, _sentence(place, what), source


def _sentence(pointer: str, what: str) -> str:
    return f"at {pointer}: {what}" if pointer else f"the job: {what}"
