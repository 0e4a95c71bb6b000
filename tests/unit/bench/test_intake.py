"""The measurement of intake: what it sends, and that the bare way sends the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.models import load_catalogue
from shared.jobfile import parse
from shared.storage import layout
from tests.bench.intake import KINDS, Call, Kind, Recorder, Turns, renamed, replay
from tests.kit.world import World


class Bucket:
    """Notes the calls of oss2 that reach it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __getattr__(self, verb: str) -> Any:
        def ask(key: str = "", *_body: bytes, prefix: str = "", **_options: Any) -> Bucket:
            self.asked.append((verb, key or prefix))
            return self

        return ask

    def read(self) -> bytes:
        """The body of an answer."""
        return b""


def taken_in(kind: Kind) -> list[Call]:
    """The requests that one file takes while somebody polls and an older job waits."""
    world = World()
    app = world.app("submit")
    app.rules = replace(app.rules, catalogue=load_catalogue())
    document = parse(kind.body("ours"), f"jobs/ours.{kind.suffix}")[0].value
    world.bucket.write(layout.marker(document["model"], 0, 0, "waits"), b"")
    world.bucket.write(f"jobs/ours.{kind.suffix}", kind.body("ours"))
    app.ledger.heartbeat.beat()
    recorder = Recorder(app.store)
    app.store = recorder
    for part in ("heartbeat", "queue", "records", "endings"):
        app.__dict__.pop(part, None)
    taken = app.acceptance.job_file(f"jobs/ours.{kind.suffix}")
    assert all(one.new for one in taken)
    return recorder.calls


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_file_holds_as_many_jobs_as_it_says(kind: Kind) -> None:
    found = parse(kind.body("ours-007"), f"file.{kind.suffix}")
    assert len(found) == kind.jobs
    assert {one.value["job"]["id"][:9] for one in found} == {"ours-007-"}


@pytest.mark.parametrize("kind", KINDS[:4], ids=lambda kind: kind.name)
def test_a_file_takes_three_requests_a_job_and_three_more(kind: Kind) -> None:
    """The file itself, the head of the queue, the heartbeat."""
    assert len(taken_in(kind)) == 3 * kind.jobs + 3


def test_the_bare_way_sends_the_same_requests_for_jobs_of_another_name() -> None:
    calls = taken_in(KINDS[1])
    bucket = Bucket()
    replay(bucket, renamed(calls, "ours", "bare"))
    assert [key for _, key in bucket.asked] == [call.key.replace("ours", "bare") for call in calls]
    written = {"create": "put_object", "read": "get_object", "list": "list_objects_v2"}
    assert [verb for verb, _ in bucket.asked] == [written[call.verb] for call in calls]


def test_the_ratio_is_that_of_the_medians() -> None:
    turns = Turns(ours=[0.2, 0.3, 9.0], bare=[0.2, 0.1, 0.3], requests=6)
    ratio = turns.ratio()
    ours, bare = turns.lines(KINDS[0], ratio)
    assert ratio == pytest.approx(1.5)
    assert (ours.ours, bare.ours) == (True, False)
    assert ours.value == pytest.approx(1 / 0.3)
