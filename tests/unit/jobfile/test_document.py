"""The line of every value of a job file."""

from __future__ import annotations

from shared.jobfile import parse


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
