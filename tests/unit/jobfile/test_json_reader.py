"""JSON and JSON lines: a mistake is reported with its line."""

from __future__ import annotations

import pytest

from tests.kit.jobfile import first, refusal


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
