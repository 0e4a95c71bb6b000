"""Searching all jobs by words and time."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from shared.platform.clock import iso
from shared.storage import layout
from tests.kit.http import PREFIX, ask, token
from tests.kit.world import World, job_file, run
from tests.unit.api.jobs_api.test_listing import every_page, fill, names


@pytest.fixture()
def world() -> World:
    return World()


def found(world: World, **query: Any) -> list[str]:
    return every_page(world, f"&{urlencode(query)}")[0]


def submit(world: World, job: str, prompt: str, **own: Any) -> None:
    document = json.loads(job_file(prompt, id=job, **own))
    document["input"]["base_image_url"] = "https://pictures.invalid/deadbeef/garden.png?x=secret"
    reply = ask(world, "POST", "/jobs", json.dumps(document).encode())
    assert reply.status == 202, reply.text
    world.timeline.wait(1)


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ("cat", ["b", "a"]),
        ("RED cat", ["a"]),
        ("glasses", ["a"]),
        ("the-end", ["a"]),
        ("\u732b", ["c"]),
        ("ＣＡＴ", ["b", "a"]),
        ("spring", ["b"]),
        ("brush cat", ["b", "a"]),
        ("garden.png", ["c", "b", "a"]),
        ("deadbeef", []),
        ("secret", []),
        ("cat 猫", []),
        ("   ", ["c", "b", "a"]),
    ],
)
def test_each_word_is_somewhere_in_the_job(world: World, words: str, jobs: list[str]) -> None:
    submit(world, "a", "a red cat " + "with glasses " * 20 + " the-end")
    submit(world, "b", "the Cat sleeps", labels={"season": "Spring"})
    submit(world, "c", "一只猫")
    assert found(world, search=words) == jobs
    run(world)
    assert found(world, search=words) == jobs


def test_from_a_moment_until_another(world: World) -> None:
    moments = []
    for job in ("a", "b", "c"):
        world.queued(job)
        moments.append(ask(world, "GET", f"/jobs/{job}").json["created_at"])
        world.timeline.wait(86400)
    assert found(world, until=moments[1]) == ["b", "a"]
    assert found(world, since=moments[1], until=moments[1]) == ["b"]
    assert found(world, until=moments[1][:10]) == ["b", "a"], "the whole day"
    assert found(world, since=moments[2], until=moments[0]) == []
    assert found(world, until="1969-01-01") == []
    assert found(world, until="9999-12-31") == ["c", "b", "a"]


@pytest.mark.parametrize(
    "query", [f"search={'x' * 201}", "until=tomorrow", "until=2026-13-01", "hidden=yes"]
)
def test_what_cannot_be_read_is_said(world: World, query: str) -> None:
    reply = ask(world, "GET", f"/jobs?{query}")
    assert reply.status == 400
    assert reply.json["violations"][0]["parameter"] == query.split("=")[0]


def test_a_search_looks_at_a_bounded_number_and_goes_on(world: World) -> None:
    fill(world, 700, done=False)
    document = json.loads(world.bucket.peek(layout.record("j00123", 1)))
    document["spec"]["input"]["prompt"] = "a needle"
    world.bucket.write(layout.record("j00123", 1), json.dumps(document).encode())
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = ask(world, "GET", f"/jobs?search=needle&cursor={cursor}").json
        assert page["searched"] <= 300
        seen += names(page["jobs"])
        cursor, pages = page["next"], pages + 1
    assert (seen, pages) == (["j00123"], 3)


def test_a_search_finds_nobody_elses_jobs(world: World) -> None:
    submit(world, "secret-1", "the same words")
    submit(world, f"{PREFIX}1", "the same words")
    reply = ask(world, "GET", "/jobs?search=same", given=token("read", PREFIX))
    assert names(reply.json["jobs"]) == [f"{PREFIX}1"]
    assert "secret" not in reply.text


def test_a_cursor_of_a_search_holds_its_place_within_until(world: World) -> None:
    fill(world, 10, done=False)
    until = iso(world.timeline.now + 6)
    assert found(world, search="brush", until=until) == [f"j0000{n}" for n in range(6, -1, -1)]
