"""YAML as this project reads it: the YAML 1.2 core schema, bounded, and with line numbers.

PyYAML's own loaders read YAML 1.1, where `no` is false, `12:30` is 750 and `2026-11-20` is a date;
they also expand aliases without bound and recurse with the nesting. So only the library's event
parser is used, and the values are built here without recursion: one loader for the files of the
repository and for the files of strangers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import yaml

from shared.catalogue.plain import (
    LONGEST_KEY,
    LONGEST_NUMBER,
    MOST_PLACES,
    Bounds,
    Capped,
    Plain,
    Problem,
    TextUnreadable,
    copy,
    escape,
)

_Event: TypeAlias = Any
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL_OR_HEX = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")

_MOST_DIRECTIVES = 100
_HARMLESS_TAGS = ("!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(frozen=True)
class _Anchor:
    value: Any
    nodes: int
    characters: int
    levels: int
    open: bool


@dataclass
class _Frame:
    """A mapping or sequence whose end has not been read. `levels` of nesting lie inside so far."""

    value: Any
    pointer: str
    line: int
    anchor: str | None
    nodes: int
    characters: int
    levels: int = 0
    key: str | None = None
    key_line: int = 0


def scalar(text: str) -> Plain:
    """The value of a plain scalar in the YAML 1.2 core schema. Raises ValueError if not finite."""
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text[0] in "tT"
    if _INT.match(text) and len(text) <= LONGEST_NUMBER:
        return int(text)
    if _OCTAL_OR_HEX.match(text) and len(text) <= LONGEST_NUMBER:
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _NOT_FINITE.match(text):
        raise ValueError(text)
    if _FLOAT.match(text):
        return _finite(text)
    return text


def _finite(text: str) -> float:
    number = float(text) if len(text) <= LONGEST_NUMBER else math.inf
    if not math.isfinite(number):
        raise ValueError(text[:40])
    return number


@dataclass
class _Builder:
    bounds: Bounds
    lines: list[dict[str, int]] | None = None
    documents: list[Any] = field(default_factory=list)
    problems: Capped[Problem] = field(default_factory=Capped)
    _stack: list[_Frame] = field(default_factory=list)
    _anchors: dict[str, _Anchor] = field(default_factory=dict)
    _nodes: int = 0
    _characters: int = 0
    _aliases: int = 0
    _places: int = 0

    def take(self, event: _Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)

    def _start_document(self, event: _Event) -> None:
        self._anchors.clear()
        if self.lines is not None:
            self.lines.append({})
        if len(self.documents) >= self.bounds.documents:
            self._stop(event, f"at most {self.bounds.documents} documents", "more documents")

    def _scalar(self, event: _Event) -> None:
        self._count(event, 1, len(event.value))
        value = self._value(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(value, 1, len(event.value), 0, False)
        self._add(event, value)

    def _value(self, event: _Event) -> Plain:
        self._check_tag(event)
        if event.tag is not None or event.style or not event.implicit[0]:
            return event.value
        try:
            return scalar(event.value)
        except ValueError:
            message = (
                f"`{event.value[:40]}` is not a finite number; infinity and NaN cannot be sent"
            )
            self._report(event, "a finite number", message)
            return None

    def _check_tag(self, event: _Event) -> None:
        if event.tag is not None and event.tag not in _HARMLESS_TAGS:
            message = f"the tag {event.tag[:60]!r} is refused; write the plain value without a tag"
            self._report(event, "a value without a YAML tag", message)

    def _open(self, event: _Event) -> None:
        self._check_tag(event)
        self._check_depth(event, 1)
        before = (self._nodes, self._characters)
        self._count(event, 1, 0)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(value, 0, 0, 0, True)
        pointer, line = self._add(event, value)
        self._stack.append(_Frame(value, pointer, line, event.anchor, *before))

    def _close(self) -> None:
        frame = self._stack.pop()
        levels = frame.levels + 1
        self._deepen(levels)
        if frame.anchor:
            nodes = self._nodes - frame.nodes
            characters = self._characters - frame.characters
            self._anchors[frame.anchor] = _Anchor(frame.value, nodes, characters, levels, False)

    def _check_depth(self, event: _Event, levels: int) -> None:
        if len(self._stack) + levels > self.bounds.depth:
            self._stop(event, f"at most {self.bounds.depth} levels of nesting", "deeper nesting")

    def _deepen(self, levels: int) -> None:
        """So many levels lie inside what is open."""
        if self._stack:
            self._stack[-1].levels = max(self._stack[-1].levels, levels)

    def _alias(self, event: _Event) -> None:
        self._aliases += 1
        if self._aliases > self.bounds.aliases:
            self._stop(event, f"at most {self.bounds.aliases} aliases", "more aliases")
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            cure = "put a text that begins with * in quotes"
            if event.anchor.isdecimal():
                cure = f"{cure}; did you mean 1024*{event.anchor[:9]}?"
            words = f"the alias *{event.anchor[:60]} has no anchor above it; {cure}"
            self._fail(event, "an anchor", words)
        if anchor.open:
            self._fail(
                event, "no cycle", f"the alias *{event.anchor[:60]} lies inside its own anchor"
            )
        self._count(event, anchor.nodes, anchor.characters)
        self._check_depth(event, anchor.levels)
        self._deepen(anchor.levels)
        self._add(event, copy(anchor.value))

    def _add(self, event: _Event, value: Plain) -> tuple[str, int]:
        """Put the value where it belongs; returns its pointer and line."""
        line = event.start_mark.line + 1
        if not self._stack:
            self.documents.append(value)
            return self._place("", line)
        frame = self._stack[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
            return self._place(f"{frame.pointer}/{len(frame.value) - 1}", line)
        if frame.key is None:
            self._take_key(frame, event, value)
            return frame.pointer, line
        key, frame.key = frame.key, None
        frame.value[key] = value
        return self._place(f"{frame.pointer}/{escape(key)}", frame.key_line)

    def _take_key(self, frame: _Frame, event: _Event, key: Plain) -> None:
        frame.key_line = event.start_mark.line + 1
        if isinstance(key, (dict, list)):
            self._fail(event, "a text as key", "a mapping or list is used as a key; use a text")
        if not isinstance(key, str):
            message = f"the key `{key}` is not a text; write it in quotes"
            self._report(event, "a text as key", message, f"{frame.pointer}/{key}")
        elif key == "<<" and not event.__dict__.get("style"):
            message = "merge keys (<<) belong to YAML 1.1 and are not read; write the keys out"
            self._report(event, "no merge key", message, f"{frame.pointer}/<<")
        elif key in frame.value:
            message = f"the key `{key[:60]}` is written twice in one mapping; remove one of them"
            pointer = f"{frame.pointer}/{escape(key)}"
            self._report(event, "each key once", message, pointer)
        if len(str(key)) > LONGEST_KEY:
            self._fail(event, "a short key", f"a key is longer than {LONGEST_KEY} characters")
        frame.key = str(key)

    def _place(self, pointer: str, line: int) -> tuple[str, int]:
        if self.lines is not None and self._places <= MOST_PLACES:
            self._places += len(pointer)
            self.lines[-1][pointer] = line
        return pointer, line

    def _count(self, event: _Event, nodes: int, characters: int) -> None:
        self._nodes += nodes
        self._characters += characters
        if self._nodes > self.bounds.nodes:
            self._stop(event, f"at most {self.bounds.nodes} values", "more values")
        if self._characters > self.bounds.characters:
            self._stop(event, f"at most {self.bounds.characters} characters", "more characters")

    def _report(self, event: _Event, expected: str, message: str, pointer: str = "") -> None:
        self.problems.add(_at(event.start_mark, expected, message, pointer))

    def _fail(self, event: _Event, expected: str, message: str) -> NoReturn:
        raise self.refusal(_at(event.start_mark, expected, message, ""))

    def refusal(self, last: Problem | None = None) -> TextUnreadable:
        """What was wrong so far, and the problem at which reading stopped: it is always shown."""
        kept, more = self.problems.kept, self.problems.more
        return TextUnreadable([*kept, last] if last else kept, more)

    def _stop(self, event: _Event, expected: str, found: str) -> NoReturn:
        message = f"the file holds {found} than allowed (aliases counted in full); split it"
        self._fail(event, expected, message)


def _at(mark: _Event, expected: str, message: str, pointer: str = "") -> Problem:
    return Problem(mark.line + 1, mark.column + 1, expected, message, pointer)


_PLAIN_WORDS = (
    ("could not find expected ':'", "a colon is missing after a key"),
    ("mapping values are not allowed", "a colon is not allowed here; put the text in quotes"),
    ("cannot start any token", "no value can start so; use quotes, and spaces to indent"),
    ("found unexpected end of stream", "a quote that was opened is never closed"),
    ("expected ',' or '}'", "a brace { that was opened is not closed, or a comma is missing"),
    ("expected ',' or ']'", "a bracket [ that was opened is not closed, or a comma is missing"),
    ("expected node content", "a value is missing, or a bracket is not closed"),
    ("expected '-' indicator", "the items of a list do not line up; put each - in one column"),
    ("expected key", "the keys do not line up; indent keys of one mapping by the same spaces"),
    ("expected <block end>", "the indentation is uneven; indent keys of one mapping alike"),
    ("escape", "this escape sequence is not known; write the character itself"),
    ("incompatible YAML", "this YAML version is not known; remove the %YAML line"),
)  # fmt: skip


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    expected = "well-formed YAML"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem = str(error.problem)
        words = (plain for known, plain in _PLAIN_WORDS if known in problem)
        return _at(
            error.problem_mark, expected, next(words, "the YAML cannot be read from here on")
        )
    position = getattr(error, "position", None)
    line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
    message = "the text holds a control character; remove it or write it as an escape"
    return Problem(line, None, expected, message)


def _events(text: str) -> Iterator[Any]:
    # The library compares each %TAG line with all before it: thousands of them would take hours.
    if len(re.findall(r"^%", text, re.MULTILINE)) > _MOST_DIRECTIVES:
        message = f"more than {_MOST_DIRECTIVES} lines start with %; remove the YAML directives"
        raise TextUnreadable([Problem(None, None, "no YAML directives", message)])
    yield from yaml.parse(text, Loader=_Loader)


def read_documents(
    text: str, bounds: Bounds | None = None, lines: list[dict[str, int]] | None = None
) -> list[Any]:
    """The documents of a YAML text as plain trees without shared parts.

    If `lines` is given, one mapping from JSON Pointer to line is appended for each document.
    Raises TextUnreadable with everything that is wrong, as far as reading could go on.
    """
    builder = _Builder(bounds or Bounds(), lines)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.YAMLError as error:
        raise builder.refusal(_syntax_problem(error, text)) from None
    if builder.problems.kept:
        raise builder.refusal()
    return builder.documents
