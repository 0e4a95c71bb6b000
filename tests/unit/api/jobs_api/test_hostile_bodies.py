"""Whatever somebody sends or drops: a short answer, a short record, a result.json, a short log."""

from __future__ import annotations

import json

import pytest

from tests.kit.http import PREFIX, ask, token
from tests.kit.log_lines import Lines, printed
from tests.kit.world import MODEL, World

__all__ = ["printed"]

TYPES = {"json": "application/json", "jsonl": "application/jsonl", "yaml": "application/yaml"}
ANSWER, OBJECT, LOG = 400_000, 900_000, 70_000
"""Bytes at most: of an answer, of an object in the bucket, of the log."""


def nested(levels: int, aliases: int) -> str:
    lines = [f"k0: &a0 {'[' * levels}x{']' * levels}"]
    lines += [f"k{n}: &a{n} {'[' * levels}*a{n - 1}{']' * levels}" for n in range(1, aliases)]
    return "\n".join(lines)


def job(**more: object) -> str:
    return json.dumps({"model": MODEL, "input": {"prompt": "x"}, **more})


HOSTILE = {
    "an open text.json": '"' + '\\"' * 20_000,
    "aliases.yaml": nested(60, 12),
    "fewer aliases.yaml": nested(30, 17),
    "one key many times.json": "{" + ",".join(['"a":1'] * 20_000) + "}",
    "no numbers.jsonl": "\n".join(["[" + "NaN," * 100 + "1]"] * 200),
    "long keys twice.json": "{" + ",".join(f'"{"k" * 150}{n // 2}":1' for n in range(9000)) + "}",
    "many jobs.jsonl": "\n".join([job(parameters={f"k{n}": 1 for n in range(98)})] * 60),
    "a huge model.json": job(model="x" * 3_000_000),
    "a huge prompt.json": job(input={"prompt": "\N{CAT FACE}" * 1_000_000}),
    "wide.json": job(input={"images": [{"a": []}] * 40_000}),
    "a huge data URL.json": job(input={"prompt": "data:" + "x" * 3_000_000}),
    "others' images.json": job(input={"k" * 250: ["oss:///results/x"] * 3000}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_request_gets_a_short_refusal(name: str) -> None:
    suffix = name.rpartition(".")[2]
    for given in (token("submit"), token("submit", PREFIX)):
        reply = ask(
            World(), "POST", "/jobs", HOSTILE[name].encode(), given, Content_Type=TYPES[suffix]
        )
        assert reply.status == 422
        assert 1 <= len(reply.json["violations"]) <= 101
        assert len(reply.raw) < ANSWER


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_its_result_and_little_else(name: str, printed: Lines) -> None:
    world = World()
    world.bucket.write(f"jobs/{name}", HOSTILE[name].encode())
    taken = world.app("submit").acceptance.job_file(f"jobs/{name}")
    assert {world.state(one.job) for one in taken} == {"REJECTED"}
    for one in taken:
        result = world.manifest(one.job)
        assert result["state"] == "REJECTED"
        assert 1 <= len(result["violations"]) <= 101
        shown = ask(world, "GET", f"/jobs/{one.job}")
        assert (shown.status, len(shown.raw) < ANSWER) == (200, True)
    written = [*world.bucket.keys("state/"), *world.bucket.keys("results/")]
    assert max(len(world.bucket.peek(key)) for key in written) < OBJECT
    assert sum(map(len, printed.raw())) < LOG
    rows = ask(world, "GET", "/jobs?limit=100")
    assert (rows.status, len(rows.raw) < ANSWER) == (200, True)
    tasks = ask(world, "GET", f"/api/v1/tasks/{taken[0].job}")
    assert len(tasks.raw) < 30_000
