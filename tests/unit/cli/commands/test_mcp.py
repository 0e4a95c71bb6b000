"""`wanx mcp` without the protocol; tests/e2e/test_mcp.py speaks it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from cli.access import Access
from cli.commands.assistant.jobs import AssistantJobs
from cli.commands.mcp import PACKAGE
from cli.trouble import Refused
from tests.kit import wanx
from tests.kit.documents import ROOT
from tests.kit.jobfile import EDIT
from tests.kit.scripted_http import NOTHING, Answer, scripted_http
from tests.kit.world import TOKEN

JOB: dict[str, Any] = {
    "model": EDIT,
    "input": {"prompt": "a sunset", "images": ["https://pictures.invalid/a.png"]},
}


def jobs(url: str = "http://127.0.0.1:1") -> AssistantJobs:
    return AssistantJobs(Access({}, url, TOKEN, "the test"))


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    said = wanx.run("mcp", code=3)
    assert f'pip install "{PACKAGE}"' in said


def test_the_package_has_one_version_everywhere() -> None:
    assert f'mcp = ["{PACKAGE}"]' in (ROOT / "pyproject.toml").read_text("utf-8")
    for name in ("tests/requirements.txt", "tests/lock.txt"):
        lines = (ROOT / name).read_text("utf-8").splitlines()
        assert PACKAGE in [line.removesuffix(" \\") for line in lines], name
    assert PACKAGE in (ROOT / "docs/mcp.md").read_text("utf-8")


def test_a_job_is_checked_and_has_a_price_without_a_network() -> None:
    found = jobs().check(
        {**JOB, "input": {"prompt": "a sunset", "images": ["oss:///inputs/a.png"]}}
    )
    assert (found["ok"], found["violations"], found["images_not_looked_at"]) == (True, [], 1)
    assert found["price_at_most"][0]["total"] > 0
    wrong = jobs().check({"model": "nope"})
    assert (wrong["ok"], wrong["price_at_most"]) == (False, [])


def test_what_is_wrong_is_not_sent() -> None:
    with pytest.raises(Refused, match="nothing was submitted: at /model"):
        jobs().submit({"model": "nope"})


def test_where_the_answer_is_lost_the_same_call_again_is_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wanx.transport.FIRST_PAUSE", 0.0)
    with scripted_http() as script:
        script.then(*[NOTHING] * 4)
        with pytest.raises(Exception, match="the same call again never pays twice"):
            jobs(script.url).submit(JOB)
    assert len({seen.headers["idempotency-key"] for seen in script.seen}) == 1


def test_a_job_that_the_api_refuses_is_refused() -> None:
    problem = b'{"title": "No", "violations": [{"job": "a", "message": "at /input: gone"}]}'
    with scripted_http() as script:
        script.then(Answer(422, problem, {"Content-Type": "application/problem+json"}))
        with pytest.raises(Refused, match="nothing was submitted: at /input: gone"):
            jobs(script.url).submit(JOB)


@pytest.mark.parametrize("most", [2, 3])
def test_images_that_do_not_fit_come_as_links(most: int) -> None:
    """The second image is one byte too large, or none is."""
    digests = [hashlib.sha256(body).hexdigest() for body in (b"a", b"bc")]
    images = [
        {"key": f"results/cat/image-{n}.png", "width": 1, "height": 1, "bytes": n, "sha256": sha}
        for n, sha in enumerate(digests, 1)
    ]
    with scripted_http() as script:
        linked = [{**one, "url": f"{script.url}/{one['bytes']}"} for one in images]
        view = {"job": "cat", "state": "SUCCEEDED", "images": linked, "result": {"images": images}}
        body = json.dumps(view).encode()
        script.then(Answer(200, body, {"Content-Type": "application/json"}), Answer(body=b"a"))
        if most == 3:
            script.then(Answer(body=b"bc"))
        first, second = jobs(script.url).images("cat", most)
    assert first.data == b"a"
    if most == 3:
        assert second.data == b"bc"
    else:
        assert second.data is None
        assert second.about["link_for_an_hour"] == linked[1]["url"]
        assert second.about["or_run"].endswith("get cat")
        assert TOKEN not in str(second.about)


def test_progress_is_sent_when_something_changed_and_else_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cli.commands.assistant.server import Tools

    now = [0.0]
    states = ["QUEUED"] * 30 + ["RUNNING"] * 3 + ["SUCCEEDED"]

    def follow(_self: AssistantJobs, _job: str) -> Iterator[tuple[float, dict[str, Any]]]:
        for at, state in enumerate(states):
            now[0] += 0.5
            yield (100.0 if state == "SUCCEEDED" else at), {"state": state}

    class Heard:
        said: list[str | None]

        async def report_progress(self, _share: float, _most: float, text: str) -> None:
            self.said.append(text)

    monkeypatch.setattr(AssistantJobs, "follow", follow)
    heard: Any = Heard()
    heard.said = []
    anyio.run(lambda: Tools(jobs(), lambda: now[0]).wait_for_job("cat", heard, 60))
    assert heard.said == ["QUEUED", "QUEUED", "RUNNING", "SUCCEEDED"]
