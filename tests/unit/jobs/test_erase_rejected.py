"""Erasing jobs that were rejected, and files of many jobs."""

from __future__ import annotations

import json

import pytest

from shared.jobs.intake import Source
from shared.storage import layout
from tests.kit.http import ask
from tests.kit.world import World, run
from tests.unit.jobs.erasing import (
    PROMPT,
    UPLOAD,
    holding,
    jobs_of,
    pictured,
    pictured_world,
    rejected,
    taken,
    with_upload,
)


@pytest.fixture()
def world() -> World:
    return pictured_world()


def test_a_file_of_many_jobs_goes_with_the_last_of_them(world: World) -> None:
    taken(world, pictured("one"), pictured("two"))
    run(world)
    kept = ask(world, "POST", "/jobs/one/erase").json["kept"]
    assert {"key": "jobs/heron.jsonl", "why": "it also holds jobs that are not erased: two"} in kept
    assert "jobs/heron.jsonl" in ask(world, "POST", "/jobs/two/erase").json["removed"]
    assert holding(world) == []


def test_a_rejected_job_is_erased(world: World) -> None:
    document = pictured("heron")
    document["parameters"] = {"n": PROMPT}
    body = json.dumps(document).encode()
    world.app("intake").acceptance.intake.take(body, Source("http/job.json", "E"))
    assert world.state("heron") == "REJECTED"
    assert holding(world)
    assert UPLOAD in ask(world, "POST", "/jobs/heron/erase").json["removed"]
    assert holding(world) == []
    assert ask(world, "GET", "/jobs").json["jobs"][0]["state"] == "REJECTED"


@pytest.mark.parametrize(
    "named", ["oss:///{}", "oss://studio/{}", "OSS:///{}", "oss://{}", "oss:///{} "]
)
def test_a_picture_of_a_rejected_job_goes_however_it_is_named(world: World, named: str) -> None:
    document = pictured("heron")
    document["input"]["base_image_url"] = named.format(UPLOAD)
    rejected(world, document)
    gone = ask(world, "POST", "/jobs/heron/erase").json["removed"]
    assert (UPLOAD in gone) is not named.endswith(" "), "with a space it is another key"


def test_a_picture_of_a_rejected_job_goes_that_comes_after_much_else(world: World) -> None:
    document = pictured("heron")
    picture = document["input"].pop("base_image_url")
    document["input"]["prompt"] = PROMPT + "p" * 200_000
    document["input"] |= {f"more{n}": "q" * 20_000 for n in range(5)}
    document["input"]["base_image_url"] = picture
    rejected(world, document)
    assert UPLOAD in ask(world, "POST", "/jobs/heron/erase").json["removed"]
    assert "pictures" not in ask(world, "GET", "/jobs/heron/events").json["events"][0]


def test_a_picture_of_a_rejected_job_of_an_older_release_goes(world: World) -> None:
    rejected(world, pictured("heron"))
    record = world.record("heron")
    del record["pictures"], record["written"]
    world.app("person").store.put(layout.record("heron", 1), json.dumps(record).encode())
    assert UPLOAD in ask(world, "POST", "/jobs/heron/erase").json["removed"]


@pytest.mark.parametrize("named", ["oss://studio/{}", "oss:///{}"])
def test_a_rejected_job_keeps_its_picture_from_the_erasing_of_others(
    world: World, named: str
) -> None:
    taken(world, pictured("one"))
    run(world)
    document = pictured("two")
    document["input"]["base_image_url"] = named.format(UPLOAD)
    rejected(world, document, "two")
    kept = ask(world, "POST", "/jobs/one/erase").json["kept"]
    assert kept == [{"key": UPLOAD, "why": "two uses it"}]


def test_a_file_goes_whose_other_document_asked_for_the_id_of_a_foreign_job(world: World) -> None:
    taken(world, pictured("clash"), key="jobs/first.json")
    two = [
        pictured("heron"),
        {**pictured("clash"), "input": pictured("x", "inputs/b.png")["input"]},
    ]
    with_upload(world, "inputs/b.png")
    lines = "\n".join(map(json.dumps, two)).encode()
    world.app("person").store.put("jobs/two.jsonl", lines)
    _, other = world.app("intake").acceptance.intake.take_object("jobs/two.jsonl")
    assert other.record.state == "REJECTED"
    run(world)
    (kept,) = (
        one
        for one in ask(world, "POST", "/jobs/heron/erase").json["kept"]
        if one["key"].startswith("jobs/")
    )
    assert kept["why"] == f"it also holds jobs that are not erased: {other.job}"
    assert "jobs/two.jsonl" in ask(world, "POST", f"/jobs/{other.job}/erase").json["removed"]
    assert "jobs/first.json" in world.bucket.keys("")


def test_a_file_stays_while_the_job_is_not_erased_under_whose_name_it_was_rejected(
    world: World,
) -> None:
    """Though the job is erased whose id the document asked for."""
    taken(world, pictured("clash"), key="jobs/first.json")
    run(world)
    ask(world, "POST", "/jobs/clash/erase")
    with_upload(world)
    other = {**pictured("clash"), "input": {**pictured("x")["input"], "prompt": f"{PROMPT}!"}}
    lines = "\n".join(map(json.dumps, [pictured("heron"), other])).encode()
    world.app("person").store.put("jobs/two.jsonl", lines)
    _, clash = world.app("intake").acceptance.intake.take_object("jobs/two.jsonl")
    run(world)
    kept = ask(world, "POST", "/jobs/heron/erase").json["kept"]
    said = {"key": "jobs/two.jsonl", "why": f"it also holds jobs that are not erased: {clash.job}"}
    assert said in kept
    assert "jobs/two.jsonl" in ask(world, "POST", f"/jobs/{clash.job}/erase").json["removed"]
    assert holding(world) == []


@pytest.mark.parametrize("more", ["", "?inputs=all"])
def test_a_rejected_and_erased_job_sent_again_is_the_same_job(world: World, more: str) -> None:
    """Also as its picture is gone, so that even more is wrong with it."""
    document = pictured("heron")
    document["parameters"] = {"n": PROMPT}
    body = json.dumps(document).encode()
    for _ in range(5):
        world.app("person").store.put("jobs/heron.json", body)
        (made,) = world.app("intake").acceptance.intake.take_object("jobs/heron.json")
        assert (made.job, bool(made.violations)) == ("heron", True)
        ask(world, "POST", f"/jobs/heron/erase{more}")
        assert jobs_of(world) == {"heron"}
        assert world.manifest("heron")["erased_at"]
        assert holding(world) == []


def test_a_rejected_and_erased_job_put_again_is_the_same_job(world: World) -> None:
    document = pictured("heron")
    for _ in range(5):
        rejected(world, document)
        ask(world, "POST", "/jobs/heron/erase")
        assert jobs_of(world) == {"heron"}
        assert holding(world) == []


def test_other_rejected_documents_of_an_erased_jobs_id_are_jobs_of_their_own(world: World) -> None:
    for number in range(5):
        document = pictured("heron")
        document["input"]["prompt"] = f"{PROMPT} {number}"
        document["parameters"] = {"n": "many"}
        assert ask(world, "PUT", "/jobs/heron", document).status == 422
        for job in jobs_of(world):
            assert ask(world, "POST", f"/jobs/{job}/erase").status == 200
    assert holding(world) == []


def test_a_dead_letter_about_the_file_goes_with_it(world: World) -> None:
    taken(world, pictured("heron"))
    run(world)
    store = world.app("person").store
    for name, files in (("mine", ["jobs/heron.jsonl"]), ("both", ["jobs/heron.jsonl", "jobs/b"])):
        store.put(f"dead/{name}.json", json.dumps({"job_files": files, "event": {}}).encode())
    ask(world, "POST", "/jobs/heron/erase")
    assert world.bucket.keys(layout.DEAD) == ["dead/both.json"]
