from __future__ import annotations

import json
import random
import tracemalloc

import pytest

from shared.jobfile import ParseLimits, Unreadable, parse
from tests.kit.jobfile import first, refusal, value


def test_yaml_documents_json_lists_and_json_lines_hold_many_jobs() -> None:
    assert [d.value for d in parse(b"a: 1\n---\na: 2\n---\n", "x.yml")] == [{"a": 1}, {"a": 2}]
    assert [d.value for d in parse(b'[{"a":1},{"a":2}]', "x.JSON")] == [{"a": 1}, {"a": 2}]
    assert [d.value for d in parse(b'{"a":1}\n\n{"a":2}\n', "x.jsonl")] == [{"a": 1}, {"a": 2}]
    assert [d.index for d in parse(b"a: 1\n---\na: 2\n", "x.yml")] == [0, 1]


def test_a_byte_order_mark_is_tolerated() -> None:
    assert value(b"\xef\xbb\xbfa: 1") == {"a": 1}
    assert value(b'\xef\xbb\xbf{"a": 1}', "a.json") == {"a": 1}


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


def test_keys_written_twice_are_refused_each_with_its_line() -> None:
    yaml = refusal("a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert [(v.pointer, v.line) for v in yaml] == [("/b/c", 2), ("/a", 3)]
    found = refusal('{"a": 1,\n"b": {"c": 1,\n"c": 2},\n"a": 2}', "a.json")
    assert [(v.pointer, v.line) for v in found] == [("/b/c", 3), ("/a", 4)]


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


@pytest.mark.parametrize(
    ("name", "text", "more"),
    [
        ("a.json", "{" + ",".join(['"a":1'] * 5000) + "}", 4899),
        ("a.jsonl", "\n".join(["[" + "NaN," * 100 + "1]"] * 100), 9900),
        ("a.jsonl", "\n".join(["{"] * 900), 800),
        ("a.yaml", "\n".join(["a: 1"] * 5000), 4899),
        ("a.yaml", "\n".join(["a: !x 1"] * 101), 101),
    ],
)
def test_a_hundred_violations_of_a_file_are_shown_and_the_rest_counted(
    name: str, text: str, more: int
) -> None:
    body = text.encode()
    with pytest.raises(Unreadable) as raised:
        parse(body, name)
    *shown, rest = raised.value.violations
    assert len(shown) == 100
    assert rest.found == f"{more} more"
    assert len(str(raised.value)) < 300


def test_keys_long_and_deep_take_little_memory() -> None:
    opening = "".join(f'{{"{"k" * 250}":' for _ in range(60))
    body = (opening + "[" + "1," * 50_000 + "1]" + "}" * 60).encode()
    for name in ("a.json", "a.yaml"):
        tracemalloc.start()
        (document,) = parse(body, name)
        assert document.line("") == 1
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
        tracemalloc.stop()
    twice = body.replace(b"1]", b'{"a":1,"a":2}]')
    assert "written twice" in first(twice, "a.json").message


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


@pytest.mark.slow
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
