"""The measurements of depth: copies of jobs are as the system makes them, requests do not grow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.oss.storage import Store
from shared.ledger.codec import decode
from shared.ledger.queue import marker_of
from shared.ledger.record import QUEUED, SUCCEEDED
from shared.platform.clock import from_iso
from shared.storage import layout
from tests.bench import depth, listing
from tests.bench.populate import (
    BUCKET,
    REAL_MODEL,
    WEEK,
    done_job,
    fill,
    jobs,
    pattern,
    waiting_job,
)
from tests.bench.results import Sample

NOW_MS = 1_800_000_000_000


def test_copies_are_jobs() -> None:
    made = dict(jobs(pattern(), REAL_MODEL, NOW_MS, queued=2, finished=1))
    assert not [key for key in made if pattern().job in key]
    first = decode(made[layout.record(waiting_job(1), 1)], waiting_job(1))
    assert (first.job, first.state, first.model) == (waiting_job(1), QUEUED, REAL_MODEL)
    assert marker_of(first) in made
    expires = from_iso(first.expires_at or "")
    assert expires == pytest.approx(first.queued_ms / 1000 + WEEK)
    assert layout.reminder(round(expires * 1000), first.job) in made
    chain = sorted(key for key in made if key.startswith(f"{layout.RECORDS}{done_job(0)}/"))
    last = decode(made[chain[-1]], chain[-1])
    assert last.state == SUCCEEDED
    assert last.manifest is not None
    assert json.loads(made[layout.result(done_job(0))]) == last.manifest.document
    assert all(image["key"] in made for image in last.manifest.images)


def test_the_server_takes_the_files_for_its_own(tmp_path: Path) -> None:
    made = dict(jobs(pattern(), REAL_MODEL, NOW_MS, queued=3))
    assert fill(tmp_path, BUCKET, made.items()) == len(made)
    store = Store(tmp_path, "cn-beijing", notify=False)
    for key, body in made.items():
        known = store.database.record(BUCKET, key)
        opened = store.recogniser.open(BUCKET, key)
        with opened.file:
            assert (opened.record, opened.file.read()) == (known, body)


def test_requests_do_not_grow() -> None:
    found = depth._requests((10, 1500), 1500)
    assert found.reached
    assert len({line.value for line in found.lines if line.name.startswith("poll")}) == 1


def test_growth_is_told() -> None:
    samples = {10: Sample([0.1] * 20), 100: Sample([0.2] * 20)}
    found = listing._measure({listing.LIST: samples}, (10, 100), 5, 1)
    assert found.reached is False
    assert [line.note for line in found.lines] == ["p95 × 1.00", "p95 × 2.00"]
    assert found.bound
