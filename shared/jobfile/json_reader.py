"""JSON with the same bounds and line numbers as YAML."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from shared.catalogue.plain import (
    LONGEST_KEY,
    LONGEST_NUMBER,
    MOST_PLACES,
    MOST_SHOWN,
    Bounds,
    Capped,
    Plain,
    Problem,
    TextUnreadable,
    escape,
)

_TOKEN = re.compile(r'"|[{}\[\],:]|[^\s{}\[\],:"]+')
# A hundred escapes at a time: the library keeps memory for each, until the match is over.
_INSIDE = re.compile(r'[^"\\]*(?:\\.[^"\\]*){0,100}("?)', re.DOTALL)
_SHOWN = 40

_PLAIN_WORDS = {
    "Expecting property name": "a key in double quotes is missing here (a comma too many?)",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing here",
    "Expecting ':' delimiter": "a colon is missing after a key",
    "Expecting value": "a value is missing here (a comma too many, or text without quotes?)",
    "Extra data": "the JSON value ends here, yet more text follows; for many jobs use a list",
    "Unterminated string": "a quote that was opened here is never closed",
    "Invalid control character": "a line break or control character is inside quotes; write \\n",
    "Invalid \\": "this backslash sequence is not known in JSON; write \\\\ for a backslash",
    "Illegal trailing comma": "there is a comma too many before the closing bracket",
}


@dataclass(frozen=True)
class _Place:
    pointer: str
    line: int


@dataclass
class _Level:
    opened: str
    pointer: str
    index: int = 0
    key: str | None = None


class TooMuch(TextUnreadable):
    """The text is deeper or holds more values than allowed."""


def _stop(line: int, expected: str, message: str) -> NoReturn:
    raise TooMuch([Problem(line, None, expected, message)])


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Where each token starts, and the token: a text with its quotes, a sign, a word.

    A text that is never closed takes the rest, so that no character is read twice.
    """
    found = _TOKEN.search(text)
    while found:
        start, end = found.span()
        if text[start] == '"':
            end = _end(text, end)
        yield start, text[start:end]
        found = _TOKEN.search(text, end)


def _end(text: str, at: int) -> int:
    """Where the JSON text ends whose first character is at `at`."""
    while at < len(text):
        part = _INSIDE.match(text, at)
        if part is None or part.end() == at:
            break
        at = part.end()
        if part[1]:
            return at
    return len(text)


def _check_bounds(text: str, bounds: Bounds, first_line: int, values: int = 0) -> int:
    """`values`, and the values and keys of the text. Raises TooMuch."""
    depth = 0
    for start, token in _tokens(text):
        first = token[0]
        if first in "{[":
            depth += 1
        elif first in "}]":
            depth -= 1
        values += first not in "}],:"
        if depth > bounds.depth or values > 2 * bounds.nodes:
            line = first_line + text.count("\n", 0, start)
            levels = depth > bounds.depth
            most = f"{bounds.depth} levels of nesting" if levels else f"{bounds.nodes} values"
            _stop(line, f"at most {most}", f"the file holds more than {most}; split it")
    return values


def places(text: str, first_line: int = 1) -> Iterator[_Place]:
    """Pointer and line of the members and items of a JSON text known to be well formed.

    Of all of them, unless their pointers have more than `MOST_PLACES` characters together.
    """
    left = MOST_PLACES
    for place in _all_places(text, first_line):
        left -= len(place.pointer)
        if left < 0:
            return
        yield place


def _all_places(text: str, first_line: int) -> Iterator[_Place]:
    stack: list[_Level] = []
    line, seen = first_line, 0
    yield _Place("", first_line + text[: len(text) - len(text.lstrip())].count("\n"))
    for start, word in _tokens(text):
        line += text.count("\n", seen, start)
        seen = start
        level = stack[-1] if stack else None
        if word in ("}", "]"):
            stack.pop()
        elif word == ",":
            _next(level)
        elif level and level.opened == "{" and level.key is None:
            level.key = json.loads(word)
            yield _Place(_inner(level), line)
        elif word != ":":
            if level and level.opened == "[":
                yield _Place(_inner(level), line)
            if word in ("{", "["):
                stack.append(_Level(word, _inner(level)))


def _next(level: _Level | None) -> None:
    if level is not None:
        level.index += 1
        level.key = None


def _inner(level: _Level | None) -> str:
    if level is None:
        return ""
    inner = level.index if level.opened == "[" else escape(level.key or "")
    return f"{level.pointer}/{inner}"


class _Decoder:
    """Hooks that notice what JSON forbids or leaves open."""

    def __init__(self) -> None:
        self.duplicates = self.long_keys = False
        self.odd_numbers: set[str] = set()

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        self.long_keys = self.long_keys or any(len(key) > LONGEST_KEY for key in result)
        self.duplicates = self.duplicates or len(result) != len(pairs)
        return result

    def integer(self, text: str) -> int:
        return int(text) if len(text) <= LONGEST_NUMBER else self.refuse(text)

    def number(self, text: str) -> float:
        number = float(text) if len(text) <= LONGEST_NUMBER else math.inf
        return number if math.isfinite(number) else self.refuse(text)

    def refuse(self, text: str) -> int:
        if len(self.odd_numbers) < MOST_SHOWN:
            self.odd_numbers.add(text[:_SHOWN])
        return 0


def _problems(decoder: _Decoder, text: str, first_line: int) -> Capped[Problem]:
    problems: Capped[Problem] = Capped()
    if decoder.odd_numbers:
        problems.extend(_odd(decoder.odd_numbers, text, first_line))
    if decoder.long_keys:
        message = f"a key is longer than {LONGEST_KEY} characters; shorten it"
        problems.add(Problem(first_line, None, "a short key", message))
    elif decoder.duplicates:
        problems.extend(_duplicates(text, first_line))
        if not problems.kept:  # its place is beyond those that are known
            message = "a key is written twice in one object; remove one of them"
            problems.add(Problem(None, None, "each key once", message))
    return problems


def _odd(odd: set[str], text: str, first_line: int) -> Iterator[Problem]:
    line, seen = first_line, 0
    for start, word in _tokens(text):
        if word[:_SHOWN] in odd:
            line += text.count("\n", seen, start)
            seen = start
            message = f"`{word[:_SHOWN]}` is not a number that can be sent; write a finite number"
            yield Problem(line, None, "a finite number", message)


def _duplicates(text: str, first_line: int) -> Iterator[Problem]:
    seen: set[str] = set()
    for place in places(text, first_line):
        if place.pointer in seen and not place.pointer.rpartition("/")[2].isdigit():
            key = place.pointer.rpartition("/")[2]
            message = f"the key `{key[:60]}` is written twice in one object; remove one of them"
            yield Problem(place.line, None, "each key once", message, place.pointer)
        seen.add(place.pointer)


def read_json(text: str, bounds: Bounds, first_line: int = 1) -> Plain:
    """The value of a JSON text. Raises TextUnreadable; `first_line` is its place in the file."""
    _check_bounds(text, bounds, first_line)
    return _read(text, first_line)


def read_json_lines(numbered: Iterable[tuple[int, str]], bounds: Bounds) -> list[Plain]:
    """The value of each line, the bounds counted over all of them.

    Raises TextUnreadable with what is wrong in any line.
    """
    values: list[Plain] = []
    problems: Capped[Problem] = Capped()
    count = 0
    for number, line in numbered:
        try:
            count = _check_bounds(line, bounds, number, count)
            values.append(_read(line, number))
        except TextUnreadable as error:
            problems.extend(error.problems, error.more)
            if isinstance(error, TooMuch):
                break
    if problems.kept:
        raise TextUnreadable(problems.kept, problems.more)
    return values


def _read(text: str, first_line: int) -> Plain:
    decoder = _Decoder()
    try:
        value = json.loads(
            text,
            object_pairs_hook=decoder.pairs,
            parse_constant=decoder.refuse,
            parse_int=decoder.integer,
            parse_float=decoder.number,
        )
    except json.JSONDecodeError as error:
        words = (plain for known, plain in _PLAIN_WORDS.items() if error.msg.startswith(known))
        message = next(words, "the JSON cannot be read from here on")
        line = first_line + error.lineno - 1
        raise TextUnreadable([Problem(line, error.colno, "well-formed JSON", message)]) from None
    problems = _problems(decoder, text, first_line)
    if not problems.kept and _lone_surrogate(value):
        message = "a text holds half a character (an unpaired \\ud800…\\udfff); remove it"
        problems.add(Problem(first_line, None, "whole characters", message))
    if problems.kept:
        raise TextUnreadable(problems.kept, problems.more)
    return value


def _lone_surrogate(value: Plain) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
