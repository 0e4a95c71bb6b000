"""Job files in YAML hold plain data; everything else that YAML can express is refused."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from tests.kit.jobfile import first, refusal, value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-20", "2026-11-20"),
        ("12:30:45", "12:30:45"),
        ("yes", "yes"),
        ("off", "off"),
        ("No", "No"),
        ("0o17", 15),
        ("010", 10),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("True", True),
        ("false", False),
        ("~", None),
        ("", None),
        ("<auto>", "<auto>"),
        ("'12345'", "12345"),
        ("!!str 5", "5"),
        ("1024*1024", "1024*1024"),
        ("720*1280", "720*1280"),
    ],
)
def test_plain_scalars_follow_the_core_schema(written: str, read: Any) -> None:
    found = value(f"a: {written}\n")["a"]
    assert found == read
    assert type(found) is type(read)


def test_aliases_are_full_copies() -> None:
    found = value("a: &x {k: [1]}\nb: *x\n")
    found["b"]["k"].append(2)
    assert found["a"] == {"k": [1]}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [1, 2\n", 3, "bracket"),
        ("a: 1\nb: {c: 1\n", 3, "brace"),
        ("a:\n\t- b\n", 2, "spaces to indent"),
        ("a: b: c\n", 1, "colon"),
        ("a: 'x\nb: 1\n", 3, "quote"),
        ("a: 1\n b: 2\n", 2, "`b` is indented deeper"),
        ("- a\nb: 1\n", 2, "line up"),
        ("a: 1\nb: \x07\n", 2, "control character"),
        ('a: "\\q"\n', 1, "escape"),
        ("a: *nobody\n", 1, "no anchor"),
        ("? [a]\n: 1\n", 1, "key"),
    ],
)
def test_broken_yaml_is_told_with_line_and_plain_words(text: str, line: int, words: str) -> None:
    violation = first(text)
    assert violation.line == line
    assert words in violation.message


@pytest.mark.parametrize("word", [".inf", "-.INF", ".nan", "1e999"])
def test_numbers_that_are_not_finite_are_refused_in_yaml(word: str) -> None:
    assert first(f"a: 1\nb: {word}\n").line == 2


def test_tags_are_refused() -> None:
    assert first("a: 1\nb: !!python/object/apply:os.system [ls]\n").line == 2
    assert first("a: !custom x\n").line == 1


def test_keys_that_are_not_texts_and_merge_keys_are_refused() -> None:
    found = refusal("1: a\ntrue: b\n~: c\nbase: &b {x: 1}\nm:\n  <<: *b\n")
    assert [violation.line for violation in found] == [1, 2, 3, 6]


def test_an_alias_bomb_is_refused_without_expanding_it() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    tracemalloc.start()
    assert "alias" in first("\n".join(lines)).message
    assert first("\n".join(lines), aliases=10**6).expected == "at most 100000 values"
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_aliases_of_long_texts_count_in_full() -> None:
    text = f"a: &a {'x' * 1000}\nb: [{', '.join(['*a'] * 50)}]\n"
    assert "characters" in first(text, bytes=20_000).expected


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    assert "inside its own anchor" in first("a: &a\n  - 1\n  - *a\n").message


def nested(levels: int, aliases: int) -> str:
    """A text each of whose lines nests the line before so many levels deeper."""
    lines = [f"k0: &a0 {'[' * levels}x{']' * levels}"]
    lines += [f"k{n}: &a{n} {'[' * levels}*a{n - 1}{']' * levels}" for n in range(1, aliases + 1)]
    return "\n".join(lines)


@pytest.mark.parametrize(("levels", "aliases"), [(60, 12), (30, 17), (30, 15), (32, 1), (1, 63)])
def test_what_an_alias_brings_along_counts_as_depth(levels: int, aliases: int) -> None:
    assert first(nested(levels, aliases)).expected == "at most 64 levels of nesting"


@pytest.mark.parametrize(("levels", "aliases"), [(31, 1), (21, 2), (1, 62)])
def test_aliases_up_to_the_depth_are_read(levels: int, aliases: int) -> None:
    found = value(nested(levels, aliases))[f"k{aliases}"]
    for _ in range(levels * (aliases + 1)):
        (found,) = found
    assert found == "x"


def test_names_of_any_length_make_short_messages() -> None:
    for text in (f"a: *{'n' * 5000}", f"a: &{'n' * 5000} [*{'n' * 5000}]", f"a: !{'t' * 5000} x"):
        assert len(first(text).message) < 300
