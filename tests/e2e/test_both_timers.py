"""Either timer: what waits is woken for, with the safety net by a call that poll has arranged."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.platform.settings import EVERY_MINUTE, SAFETY_NET
from tests.e2e.conftest import PATIENCE, Cloud, faults, laptop
from tests.e2e.test_jobs import SKETCH

ARREARS = {"at": "create", "status": 400, "code": "Arrearage", "message": "Access denied."}


def arranged(cloud: Cloud) -> list[dict[str, Any]]:
    """The delayed calls of poll that the platform keeps."""
    queued = [json.loads(path.read_text()) for path in (cloud.data / "queue").glob("*.json")]
    return [one for one in queued if "wakeUp" in one["payload"]]


def await_poll(cloud: Cloud, outcome: str, runs: int = 1) -> None:
    """Wait until so many runs of poll have ended with this outcome."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        logs = "".join(path.read_text() for path in cloud.data.rglob("*poll*.log"))
        if logs.count(f"poll: {outcome}") >= runs:
            return
        time.sleep(0.05)
    raise AssertionError(f"no run of poll ended with {outcome!r}")


@pytest.mark.parametrize("timer", [EVERY_MINUTE, SAFETY_NET])
def test_a_job_that_waits_is_woken_for(tmp_path: Path, timer: str) -> None:
    with laptop(tmp_path, POLL_TIMER=timer) as cloud:
        cloud.drop("e2e-timer.yaml", yaml.safe_dump(SKETCH))
        assert cloud.manifest("e2e-timer")["state"] == "SUCCEEDED"
        with faults(cloud, ARREARS):
            cloud.drop("e2e-waits.yaml", yaml.safe_dump(SKETCH))
            await_poll(cloud, "everything left is paused")
        if timer == EVERY_MINUTE:
            assert arranged(cloud) == []
            return
        [call] = arranged(cloud)
        due = json.loads(call["payload"])["wakeUp"]["due"]
        assert due == pytest.approx(call["next_try_at"], abs=2.0)
        assert 250 < due - call["queued_at"] < 601, "the end of the pause of the key"
