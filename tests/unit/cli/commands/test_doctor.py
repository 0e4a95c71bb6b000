"""`wanx doctor` where not even the settings are right; tests/e2e/test_cli.py has the rest."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import cast

import pytest

from cli.bucket_checks import Bucket, checked
from cli.commands import doctor
from shared.ledger.lease import POLLER
from shared.ledger.wakeups import Armed
from shared.poller.alarm import MOST_EARLY
from shared.storage.oss import OssStore
from tests.kit.store import Store
from tests.kit.wanx import run
from tests.kit.world import World, settings


def test_a_wrong_bucket_name_is_one_line_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"OSS_ENDPOINT": "http://127.0.0.1:1", "OSS_BUCKET": "b"}
    keys = {"OSS_ACCESS_KEY_ID": "a", "OSS_ACCESS_KEY_SECRET": "b"}
    for name, value in (wrong | keys).items():
        monkeypatch.setenv(name, value)
    said = " ".join(run("doctor", code=1).split())
    assert "failed settings: OSS_BUCKET is 'b'; expected 3 to 63" in said
    assert "API: API_URL is not set" in said
    assert "1 check failed." in said
    listed = run("list", code=3)
    assert "OSS_BUCKET is 'b'; expected 3 to 63" in listed


@pytest.mark.parametrize(
    ("armed", "ok", "said"),
    [
        (Armed(), True, "none is under way"),
        (Armed(at=600.0), True, "the next one is due in 600 s"),
        (Armed(at=-600.0), False, "was due 600 s ago has not come"),
        (Armed(early=MOST_EARLY), False, "set POLL_TIMER to @every 1m"),
    ],
)
def test_doctor_says_whether_delayed_calls_come(armed: Armed, ok: bool, said: str) -> None:
    world = World()
    lease = world.app("poller").ledger.lease
    assert lease.take(POLLER)
    at = armed.at and time.time() + armed.at
    lease.armed = replace(armed, at=at)
    lease.release()
    bucket = Bucket(settings(), cast("OssStore", Store(world.bucket)))
    check = checked("delayed calls", lambda: doctor._delayed_calls(bucket))
    assert check.ok is ok
    assert said in check.text.replace("599", "600").replace("601", "600")
