"""Records as JSON: those of version 0.1 stay readable, those of today fit the schema."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from shared.catalogue.errors import JobError
from shared.catalogue.files import SCHEMAS, read_schema
from shared.catalogue.price import Bill
from shared.jobfile import ImageUse, JobSpec
from shared.ledger import codec
from shared.ledger.manifest import Manifest, StoredImage
from shared.ledger.record import QUEUED, REJECTED, Origin, Record
from shared.platform.clock import iso
from shared.storage import layout
from shared.storage.objects import ObjectDamaged
from tests.kit.store import Bucket
from tests.kit.world import World, run
from tests.simulation.record_schema import wrong_record

OLD = Path(__file__).with_name("records_0_1")
CHAINS = sorted(OLD.glob("*.jsonl"), key=lambda path: path.name)
FINDING = ("pointer", "expected", "found", "message", "source")
NOTICE = dict.fromkeys(FINDING, "x") | {"line": None}
EVERYTHING = Record(
    job="cat",
    seq=3,
    state=QUEUED,
    at="2026-11-20T05:12:00.123Z",
    nonce="0" * 32,
    model="brush",
    priority=0,
    tenant="-",
    queued_ms=1,
    digest="1" * 64,
    written="2" * 64,
    spec_seq=2,
    webhook="https://hooks.example.com/a",
    expires_at="2026-11-21T05:12:00.123Z",
    attempt=2,
    slot_seq=2,
    slot_mark="3" * 12,
    api_key="-",
    epoch=7,
    call=True,
    task_id="task",
    submitted_at="2026-11-20T05:12:01.123Z",
    create_request_id="request",
    not_before="2026-11-20T05:13:00.123Z",
    bill=Bill(((0.2, 1), (0.5, 2)), 3, exact=False),
    paid=2,
    kept=(StoredImage(1, "results/cat/image-1.png", "PNG", 8, 8, 9, "4" * 64),),
    missing=(2, 3),
    spec=JobSpec(
        "brush", {"prompt": "一只猫"}, {}, images=(ImageUse("/input/x", "inputs/x.png", "bucket"),)
    ),
    source=Origin("jobs/cat.yaml", "ETAG", 1),
    retried_from="dog",
    warnings=(NOTICE,),
    unknown="nobody knows",
    erased="2026-11-20T06:00:00.000Z",
    answer={"output": {"choices": []}, "request_id": "r"},
    error=JobError("Ended", "It ended.", "ours", True, "Do it again."),
)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_field_survives_the_store() -> None:
    for record in (
        EVERYTHING,
        replace(EVERYTHING, state="SUCCEEDED", manifest=Manifest({"job": "cat"})),
        replace(EVERYTHING, state=REJECTED, violations=EVERYTHING.warnings, pictures=("inputs/a",)),
    ):
        assert codec.decode(codec.encode(record), "key") == record
    named = {one.name for one in fields(Record)}
    filled = {one.name for one in fields(Record) if getattr(EVERYTHING, one.name) not in (None, ())}
    assert named - filled == {"violations", "pictures", "manifest"}, "fill in new fields above"


@pytest.mark.parametrize("field", codec.TIMES)
@pytest.mark.parametrize("time", ["soon", "2026-11-20T05:12:00Z", 5, ["x"]])
def test_a_record_with_a_time_of_any_other_form_is_damaged(field: str, time: Any) -> None:
    """Else each who reads the time would stumble, and with it the queue."""
    document = codec.to_dict(EVERYTHING) | {field: time}
    with pytest.raises(ObjectDamaged, match="cannot be read"):
        codec.decode(json.dumps(document).encode(), "key")


def test_a_record_that_is_nested_without_end_is_damaged() -> None:
    with pytest.raises(ObjectDamaged, match="cannot be read"):
        codec.decode(b"[" * 100_000, "key")


def test_the_schema_names_every_field_and_no_other() -> None:
    schema = read_schema(SCHEMAS / "record.schema.yaml")
    assert set(schema["properties"]) == {one.name for one in fields(Record)}
    assert wrong_record(layout.record("cat", 3), codec.encode(EVERYTHING)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 0},
        {"state": "DONE"},
        {"nonce": "x"},
        {"extra": 1},
        {"manifest": {}},
        {"model": None},
    ],
)
def test_the_schema_refuses_what_is_not_a_record(change: dict[str, Any]) -> None:
    document = codec.to_dict(EVERYTHING) | change
    assert wrong_record(layout.record("cat", 3), json.dumps(document).encode())


@pytest.mark.parametrize("path", CHAINS, ids=lambda path: path.stem)
def test_records_of_version_0_1_are_read_with_everything_in_them(path: Path) -> None:
    for old in lines(path):
        assert wrong_record(layout.record(old["job"], old["seq"]), json.dumps(old).encode()) == []
        record = codec.decode(json.dumps(old).encode(), "key")
        assert record.version == codec.UNVERSIONED
        written = json.loads(codec.encode(record))
        assert written.pop("version") == 1
        assert written == _without_defaults(old)


def _without_defaults(old: dict[str, Any]) -> dict[str, Any]:
    """Version 0.1 also wrote nulls, empty lists, counts of 0 and an error's image number."""
    kept = {
        name: value
        for name, value in old.items()
        if value not in (None, []) and (name, value) not in (("attempt", 0), ("paid", 0))
    }
    if "error" in kept:
        kept["error"] = {name: value for name, value in kept["error"].items() if name != "number"}
    return kept


def _put(bucket: Bucket, chain: list[dict[str, Any]]) -> None:
    for old in chain:
        bucket.write(layout.record(old["job"], old["seq"]), json.dumps(old).encode())


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_a_job_that_version_0_1_began_goes_on(length: int) -> None:
    """Queued, being submitted, at the service, running: with its markers and slots made again."""
    world = World()
    world.queued("dog")
    run(world)
    chain = lines(OLD / "plain-cat.jsonl")[:length]
    started = world.timeline.now
    for old in chain:
        old.pop("expires_at", None)
        old["at"] = _moved(started)
        if "submitted_at" in old:
            old["submitted_at"] = _moved(started)
    _put(world.bucket, chain)
    world.studio.tasks.update(_task(world, chain))
    world.app("operator").rebuild.run()
    world.timeline.wait(200.0)
    run(world)
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert world.manifest("cat")["source"] == chain[0]["source"]


def _moved(at: float) -> str:
    return iso(at)


def _task(world: World, chain: list[dict[str, Any]]) -> dict[str, Any]:
    named = [old["task_id"] for old in chain if "task_id" in old]
    if not named:
        return {}
    made = world.studio.make("brush")
    world.studio.tasks.pop(made.task_id, None)
    return {named[-1]: replace(made, task_id=named[-1])}
