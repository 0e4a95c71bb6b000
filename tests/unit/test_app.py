"""One instance, many requests at once: what they share is made once, keys stay with a request."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.api.jobs_api import app as jobs_api
from shared.app import App, for_invocation
from shared.instance import Instance
from shared.storage.objects import StoreError
from tests.kit.scripted_http import Answer, HttpScript, scripted_http
from tests.kit.world import World
from tests.simulation.log_state import log_state_restored

REQUESTS = 60
UNVERSIONED = Answer(200, b"<VersioningConfiguration></VersioningConfiguration>")
DENIED = Answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")


@pytest.fixture
def oss() -> Iterator[HttpScript]:
    with log_state_restored(), scripted_http() as script:
        yield script


def system(oss: HttpScript, instance: Instance, number: int = 0) -> App:
    """The system of one request, which has the keys of its own."""
    environ = {
        "OSS_ENDPOINT": oss.url,
        "OSS_BUCKET": "studio",
        "LOG_LEVEL": "WARNING",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": f"id-{number}",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": f"secret-{number}",
        "ALIBABA_CLOUD_SECURITY_TOKEN": f"token-{number}",
        "DASHSCOPE_API_KEY": "sk-none",
    }
    return for_invocation(environ, None, instance)


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Do a work for each request, all of them beginning together."""
    begun = threading.Barrier(REQUESTS)

    def begin(number: int) -> Any:
        begun.wait()
        return work(number)

    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(begin, range(REQUESTS)))


def test_the_bucket_is_checked_once_over_one_set_of_connections(oss: HttpScript) -> None:
    oss.then(UNVERSIONED)
    instance = Instance()
    systems = at_once(lambda number: system(oss, instance, number))
    assert len(oss.seen) == 1
    assert len({id(one.store.bucket.session) for one in systems}) == 1


def test_a_bucket_that_could_not_be_checked_is_checked_again(oss: HttpScript) -> None:
    oss.then(DENIED, UNVERSIONED)
    instance = Instance()
    with pytest.raises(StoreError):
        system(oss, instance)
    system(oss, instance)
    assert len(oss.seen) == 2


def test_each_request_signs_with_its_own_keys_alone(oss: HttpScript) -> None:
    oss.then(UNVERSIONED, *[Answer(200, b"{}")] * REQUESTS)
    instance = Instance()
    at_once(lambda number: system(oss, instance, number).store.read(f"of-{number}", 9))
    for seen in oss.seen[1:]:
        (number,) = re.findall(r"/of-(\d+)$", seen.target)
        assert f"Credential=id-{number}/" in seen.headers["authorization"]
        assert seen.headers["x-oss-security-token"] == f"token-{number}"


def test_the_routes_are_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []
    build = jobs_api.build

    def counted(web: Path) -> Any:
        built.append(web)
        return build(web)

    monkeypatch.setattr(jobs_api, "build", counted)
    app = World().app()
    app.instance = Instance()
    at_once(lambda _: jobs_api.create_app(app))
    assert len(built) == 1
