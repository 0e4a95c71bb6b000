"""JSON and JSON lines: a mistake is reported with its line."""

from __future__ import annotations

import re
import tracemalloc
from typing import Any

import pytest

from shared.jobfile import json_reader
from tests.kit.jobfile import first, refusal, value


class Counting:
    """A pattern that counts the characters between where it is asked and where its match ends."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern, self.read = pattern, 0

    def search(self, text: str, at: int = 0) -> re.Match[str] | None:
        return self._counted(self._pattern.search(text, at), text, at)

    def match(self, text: str, at: int = 0) -> re.Match[str] | None:
        return self._counted(self._pattern.match(text, at), text, at)

    def _counted(self, found: Any, text: str, at: int) -> re.Match[str] | None:
        self.read += (found.end() if found else len(text)) - at
        return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{\n"a": 1\n"b": 2}', 3, "comma"),
        ('{"a": }', 1, "value is missing"),
        ('{"a": 1,\n}', 2, "key in double quotes"),
        ('{"a" 1}', 1, "colon"),
        ('{"a": 1} x', 1, "list"),
        ('{"a": "x}', 1, "never closed"),
        ('{"a": "x\ny"}', 1, "line break"),
        ('{"a": "\\x"}', 1, "backslash"),
        ("{'a': 1}", 1, "double quotes"),
        ('{"a": "\\ud800"}', 1, "unpaired"),
    ],
)
def test_broken_json_is_told_with_line_and_plain_words(text: str, line: int, words: str) -> None:
    violation = first(text, "a.json")
    assert violation.line == line
    assert words in violation.message


def test_every_broken_line_of_json_lines_is_told() -> None:
    found = refusal('{"a":1}\n{"a":\n\n{"a":2}\n[', "a.jsonl")
    assert [violation.line for violation in found] == [2, 5]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_numbers_that_cannot_be_sent_are_refused_in_json(word: str) -> None:
    assert first(f'{{"a": 1,\n"b": {word}}}', "a.json").line == 2


@pytest.mark.parametrize("size", [10_000, 100_000, 1_000_000, 16_000_000])
@pytest.mark.parametrize("tail", ["", "\\"])
def test_a_text_that_is_never_closed_is_read_once(
    monkeypatch: pytest.MonkeyPatch, size: int, tail: str
) -> None:
    counting = [Counting(json_reader._TOKEN), Counting(json_reader._INSIDE)]
    monkeypatch.setattr(json_reader, "_TOKEN", counting[0])
    monkeypatch.setattr(json_reader, "_INSIDE", counting[1])
    body = '"' + '\\"' * (size // 2 - 1) + tail
    assert "never closed" in first(body, "a.json").message
    assert sum(one.read for one in counting) <= len(body) + 1


def test_a_text_full_of_escapes_takes_little_memory() -> None:
    body = b'["' + b'\\"' * 1_000_000 + b'"]'
    tracemalloc.start()
    assert value(body, "a.json") == '"' * 1_000_000
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


def test_a_key_of_digits_written_twice_is_refused() -> None:
    assert "written twice" in first('{"7": 1, "7": 2}', "a.json").message


def test_the_values_of_all_lines_count_together() -> None:
    lines = "\n".join(["[1,1,1,1]"] * 100)
    assert refusal(lines, "a.jsonl", nodes=100)[0].expected == "at most 100 values"
    assert len(refusal(lines, "a.jsonl", nodes=100)) == 1


def test_a_number_in_a_text_is_not_taken_for_the_wrong_one() -> None:
    assert first('{"a": "NaN",\n"b": NaN}', "a.json").line == 2
