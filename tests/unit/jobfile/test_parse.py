from __future__ import annotations

import json
import random
import tracemalloc
from typing import Any

import pytest

from shared.jobfile import ParseLimits, Unreadable, Violation, parse


def value(text: str | bytes, name: str = "a.yaml") -> Any:
    body = text.encode() if isinstance(text, str) else text
    documents = parse(body, name)
    assert len(documents) == 1
    return documents[0].value


def refusal(text: str | bytes, name: str = "a.yaml", **limits: int) -> tuple[Violation, ...]:
    body = text.encode() if isinstance(text, str) else text
    with pytest.raises(Unreadable) as raised:
        parse(body, name, ParseLimits(**limits))
    assert raised.value.violations
    return raised.value.violations


def first(text: str | bytes, name: str = "a.yaml", **limits: int) -> Violation:
    return refusal(text, name, **limits)[0]


def test_yaml_documents_json_lists_and_json_lines_hold_many_jobs() -> None:
    assert [d.value for d in parse(b"a: 1\n---\na: 2\n---\n", "x.yml")] == [{"a": 1}, {"a": 2}]
    assert [d.value for d in parse(b'[{"a":1},{"a":2}]', "x.JSON")] == [{"a": 1}, {"a": 2}]
    assert [d.value for d in parse(b'{"a":1}\n\n{"a":2}\n', "x.jsonl")] == [{"a": 1}, {"a": 2}]
    assert [d.index for d in parse(b"a: 1\n---\na: 2\n", "x.yml")] == [0, 1]


def test_a_byte_order_mark_is_tolerated() -> None:
    assert value(b"\xef\xbb\xbfa: 1") == {"a": 1}
    assert value(b'\xef\xbb\xbf{"a": 1}', "a.json") == {"a": 1}


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


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json", "jsonl"])
@pytest.mark.parametrize("body", [b"", b"  \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(body: bytes, suffix: str) -> None:
    assert "empty" in first(body, f"a.{suffix}").message


@pytest.mark.parametrize(("body", "name"), [("# nothing\n", "a.yaml"), ("[]", "a.json")])
def test_a_file_without_a_job_is_refused(body: str, name: str) -> None:
    assert "no job" in first(body, name).message


def test_an_unknown_suffix_is_refused() -> None:
    assert ".jsonl" in first("a: 1", "jobs/cat.txt").expected


def test_text_that_is_not_utf8_is_refused_with_its_line() -> None:
    assert first(b"a: 1\nb: \xff\n").line == 2
    assert "UTF-16" in first("a: 1".encode("utf-16")).message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [1, 2\n", 3, "bracket"),
        ("a: 1\nb: {c: 1\n", 3, "brace"),
        ("a:\n\t- b\n", 2, "spaces to indent"),
        ("a: b: c\n", 1, "colon"),
        ("a: 'x\nb: 1\n", 3, "quote"),
        ("a: 1\n b: 2\n", 2, "colon"),
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


@pytest.mark.parametrize("word", [".inf", "-.INF", ".nan", "1e999"])
def test_numbers_that_are_not_finite_are_refused_in_yaml(word: str) -> None:
    assert first(f"a: 1\nb: {word}\n").line == 2


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_numbers_that_cannot_be_sent_are_refused_in_json(word: str) -> None:
    assert first(f'{{"a": 1,\n"b": {word}}}', "a.json").line == 2


def test_keys_written_twice_are_refused_each_with_its_line() -> None:
    yaml = refusal("a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert [(v.pointer, v.line) for v in yaml] == [("/b/c", 2), ("/a", 3)]
    found = refusal('{"a": 1,\n"b": {"c": 1,\n"c": 2},\n"a": 2}', "a.json")
    assert [(v.pointer, v.line) for v in found] == [("/b/c", 3), ("/a", 4)]


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


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("suffix", ["yaml", "json", "jsonl"])
def test_deep_nesting_is_refused(opening: str, suffix: str) -> None:
    assert first(opening * 200_000, f"a.{suffix}").expected == "at most 64 levels of nesting"


def test_nesting_up_to_the_bound_is_read() -> None:
    for name in ("a.json", "a.yaml"):
        assert parse(b"[" * 64 + b"]" * 64, name)
        assert refusal("[" * 65 + "]" * 65, name)


def test_the_bounds_of_a_file() -> None:
    assert "bytes" in first("a: 1111", bytes=6).expected
    assert parse(b"a: 1", "a.yaml", ParseLimits(bytes=4))
    assert "documents" in first("a: 1\n---\n" * 4 + "a: 1", documents=4).expected
    assert "4 jobs" in first('{"a":1}\n' * 5, "a.jsonl", documents=4).expected
    assert "4 jobs" in first("[1,2,3,4,5]", "a.json", documents=4).expected
    assert "values" in first(str(list(range(200))), nodes=100).expected
    assert "values" in first(str(list(range(300))), "a.json", nodes=100).expected


def test_lines_are_known_in_every_format() -> None:
    (document,) = parse(b"# c\na:\n  b:\n    - 1\n    - x: 2\n'~/': 3\n", "a.yaml")
    pointers = ["", "/a", "/a/b", "/a/b/0", "/a/b/1/x", "/~0~1", "/a/b/1/absent", "/nowhere"]
    assert [document.line(pointer) for pointer in pointers] == [2, 2, 3, 4, 5, 6, 5, 2]
    (document,) = parse(b'\n{"a": {\n"b": [1,\n{"x": 2}]},\n"": "}",\n"~/": 3}', "a.json")
    pointers = ["", "/a", "/a/b", "/a/b/0", "/a/b/1", "/a/b/1/x", "/", "/~0~1", "/nowhere"]
    assert [document.line(pointer) for pointer in pointers] == [2, 2, 3, 3, 4, 4, 5, 6, 2]
    _, second = parse(b'[{"a": 1},\n{\n"a": 2}]', "a.json")
    assert [second.line(""), second.line("/a"), second.line("/b")] == [2, 3, 2]
    _, second = parse(b'{"a":1}\n\n{"a":2}', "a.jsonl")
    assert second.line("/a") == 3
    _, second = parse(b"a: 1\n---\n---\nb: 2\n", "a.yaml")
    assert second.line("/b") == 4


NASTY = [
    b"\x00",
    b"%YAML 9.9\n---\na",
    b"%TAG ! x\n" * 500 + b"--- a",
    b"--- >\n\xf0\x9f\x98\x80",
    b"a: &a a\n*a : b",
    b"&a &b c",
    b"*a",
    b"? ",
    b": ",
    b"- - - - -",
    b"!!binary x",
    b"!<tag:yaml.org,2002:float> x",
    b'"\\U00110000"',
    b"'",
    b'"',
    b"|",
    b"@",
    b"`",
    b"{]",
    b"[}",
    b'{"a":1}{"a":2}',
    b'{"\\ud800": 1}',
    b"\\",
    b"nul",
    b"-",
    b"0x" + b"f" * 400,
    b"9" * 400,
    b"1e-999",
    b'{"' + b"k" * 5000 + b'": 1}',
    b"? " + b"k" * 5000 + b"\n: 1",
    b"a: 1\r\rb: 2",
    "a: \u2028b: 1".encode(),
    b"\xc3\x28",
    b"\xed\xa0\x80",
]


@pytest.mark.parametrize("suffix", ["yaml", "json", "jsonl"])
def test_nothing_but_unreadable_is_ever_raised(suffix: str) -> None:
    rng = random.Random(7)
    alphabet = [*NASTY, b"\n", b" ", b"[", b"]", b"{", b"}", b":", b",", b"a", b"&a ", b"*a "]
    mixed = [b"".join(rng.choices(alphabet, k=rng.randint(1, 12))) for _ in range(1500)]
    for body in [*NASTY, *mixed]:
        try:
            documents = parse(body, f"a.{suffix}")
        except Unreadable as error:
            assert error.violations
            continue
        for document in documents:
            json.dumps(document.value, allow_nan=False, ensure_ascii=False).encode("utf-8")
            document.line("/a/0")
