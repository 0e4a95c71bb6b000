"""A permission that is taken away is missed at once: by the server's word and by what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests

from deploy.policies.table import Permission, load_table, without
from tests.deploy.policies.least_privilege_kit import World, rested, sketch, until, world

pytestmark = pytest.mark.timeout(180)
Take = Callable[[str, str, str], None]


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("live")) as made:
        yield made


@pytest.fixture
def ends(alive: World) -> Iterator[Callable[[str], None]]:
    """With all permissions back the jobs end; asked for before `take_away`, so checked after it."""
    jobs: list[str] = []
    yield jobs.append
    for job in jobs:
        alive.manifest(job, "SUCCEEDED")
    rested(alive)
    assert alive.report()["denials"] == []


@pytest.fixture
def take_away(alive: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Take]:
    """Starts the OSS server again with policies that lack one permission, until the test ends."""

    def take(role: str, action: str, resource: str) -> None:
        part = Permission(role, action, (resource,), "")
        less = without(load_table(), part)
        assert less != load_table()
        monkeypatch.setattr("deploy.policies.documents.load_table", lambda: less)
        alive.cloud.restart("oss")

    yield take
    monkeypatch.undo()
    alive.cloud.restart("oss")


def denied(world: World, role: str, action: str) -> list[str]:
    """The resources that were denied to a role."""
    rows = world.report()["denials"]
    return [r["resource"] for r in rows if (r["role"], r["action"]) == (f"wanx-{role}", action)]


def has(world: World, prefix: str) -> bool:
    return bool(world.bucket.list_objects_v2(prefix=prefix).object_list)


def test_submit_that_may_not_queue_queues_nothing(
    alive: World, ends: Callable[[str], None], take_away: Take
) -> None:
    ends("live-queue")
    take_away("submit", "oss:PutObject", "state/queue/*")
    alive.drop("live-queue.yaml", sketch("live-queue"))
    until(lambda: denied(alive, "submit", "oss:PutObject"), "the denial")
    assert not has(alive, "state/queue/")
    assert not has(alive, "results/live-queue/")
    log = (alive.cloud.data / "logs" / "oss.log").read_text("utf-8")
    assert "denied: wanx-submit may not oss:PutObject on acs:oss:" in log


def test_poll_that_may_not_store_images_ends_no_job(
    alive: World, ends: Callable[[str], None], take_away: Take
) -> None:
    ends("live-results")
    take_away("poll", "oss:PutObject", "results/*")
    alive.drop("live-results.yaml", sketch("live-results"))
    until(lambda: denied(alive, "poll", "oss:PutObject"), "the denial")
    assert not has(alive, "results/live-results/")


def test_api_that_may_not_write_inputs_signs_urls_that_are_worth_nothing(
    alive: World, take_away: Take
) -> None:
    take_away("api", "oss:PutObject", "inputs/*")
    asked = {"name": "a.png", "content_type": "image/png", "size": 3}
    put = alive.post("/uploads", asked)["put"]
    answer = requests.put(put["url"], b"png", headers=put["headers"], timeout=30)
    assert answer.status_code == 403
    assert "<AuthAction>oss:PutObject</AuthAction>" in answer.text
    (resource,) = denied(alive, "api", "oss:PutObject")
    assert "/inputs/" in resource
