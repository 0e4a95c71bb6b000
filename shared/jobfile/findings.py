"""What checking a job file can find."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from shared.catalogue.plain import Plain
from shared.jobfile.document import Document

_LONGEST = 80
_MOST_FINDINGS = 100
_URL = re.compile(r"(https?://)(?:[^/?#]*@)?([^?#]*)([?#]?)", re.IGNORECASE)


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
        super().__init__("; ".join(violation.message for violation in violations))
        self.violations = violations


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
    """Collects what is wrong with one document, with the line of each place."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.violations: list[Violation] = []
        self.notices: list[Notice] = []

    def violate(
        self, pointer: str, expected: str, value: Plain, what: str, source: str, found: str = ""
    ) -> None:
        """`what` continues a sentence that starts with the place: `at /input/prompt: …`."""
        if len(self.violations) >= _MOST_FINDINGS:
            return  # the rest shows once these hundred are repaired
        line, shown = self._document.line(pointer), found or show(value)
        message = _sentence(pointer, what)
        self.violations.append(Violation(pointer, line, expected, shown, message, source))

    def notice(
        self, pointer: str, expected: str, value: Plain, what: str, source: str, found: str = ""
    ) -> None:
        line, shown = self._document.line(pointer), found or show(value)
        message = _sentence(pointer, what)
        self.notices.append(Notice(pointer, line, expected, shown, message, source))


def _sentence(pointer: str, what: str) -> str:
    return f"at {pointer}: {what}" if pointer else f"the job: {what}"
