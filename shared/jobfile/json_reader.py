"""JSON with the same bounds and line numbers as YAML."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from shared.catalogue.plain import LONGEST_KEY, Bounds, Plain, Problem, TextUnreadable, escape

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+|"', re.DOTALL)
_LONGEST_NUMBER = 100

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


def _stop(line: int, expected: str, message: str) -> NoReturn:
    raise TextUnreadable([Problem(line, None, expected, message)])


def _check_bounds(text: str, bounds: Bounds, first_line: int) -> None:
    depth = values = 0
    for token in _TOKEN.finditer(text):
        first = token.group()[0]
        if first in "{[":
            depth += 1
        elif first in "}]":
            depth -= 1
        values += first not in "}],:"
        if depth > bounds.depth or values > 2 * bounds.nodes:
            line = first_line + text.count("\n", 0, token.start())
            levels = depth > bounds.depth
            most = f"{bounds.depth} levels of nesting" if levels else f"{bounds.nodes} values"
            _stop(line, f"at most {most}", f"the file holds more than {most}; split it")


def places(text: str, first_line: int = 1) -> Iterator[_Place]:
    """Pointer and line of every member and item of a JSON text known to be well formed."""
    stack: list[_Level] = []
    line, seen = first_line, 0
    yield _Place("", first_line + text[: len(text) - len(text.lstrip())].count("\n"))
    for token in _TOKEN.finditer(text):
        line += text.count("\n", seen, token.start())
        seen = token.start()
        word = token.group()
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
        self.odd_numbers: list[str] = []

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        self.long_keys = self.long_keys or any(len(key) > LONGEST_KEY for key in result)
        self.duplicates = self.duplicates or len(result) != len(pairs)
        return result

    def integer(self, text: str) -> int:
        return int(text) if len(text) <= _LONGEST_NUMBER else self.refuse(text)

    def number(self, text: str) -> float:
        number = float(text)
        return number if math.isfinite(number) else self.refuse(text)

    def refuse(self, text: str) -> int:
        self.odd_numbers.append(text[:40])
        return 0


def _problems(decoder: _Decoder, text: str, first_line: int) -> list[Problem]:
    problems = []
    for odd in decoder.odd_numbers[:100]:
        line = first_line + text.count("\n", 0, max(text.find(odd), 0))
        message = f"`{odd}` is not a number that can be sent; write a finite number"
        problems.append(Problem(line, None, "a finite number", message))
    if decoder.long_keys:
        message = f"a key is longer than {LONGEST_KEY} characters; shorten it"
        problems.append(Problem(first_line, None, "a short key", message))
    elif decoder.duplicates:
        problems += _duplicates(text, first_line)
    return problems


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
    if not problems and _lone_surrogate(value):
        message = "a text holds half a character (an unpaired \\ud800…\\udfff); remove it"
        problems.append(Problem(first_line, None, "whole characters", message))
    if problems:
        raise TextUnreadable(problems)
    return value


def _lone_surrogate(value: Plain) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
