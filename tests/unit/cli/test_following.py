"""Waiting for jobs: jobs that were never seen, outages, names that are wrong or come twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.access import Access
from cli.backends.protocol import Submitted
from cli.trouble import Refused, Trouble
from tests.kit import wanx

Look = str | None | type[BaseException]
WHERE = ("--api", "http://127.0.0.1:1", "--token", "secret")
AGAIN = 'wanx --api http://127.0.0.1:1 --token "$API_TOKEN"'


class Scripted:
    """A backend whose looks at each job are written down beforehand; the last one is repeated."""

    place = "API http://127.0.0.1:1"

    def __init__(self, **looks: list[Look]) -> None:
        self.looks = looks
        self.asked: list[str] = []

    def status(self, job: str) -> dict[str, Any] | None:
        left = self.looks.get(job, [None])
        look = left.pop(0) if len(left) > 1 else left[0]
        if look is Trouble:
            raise Trouble("it could not be reached.")
        if isinstance(look, type):
            raise look
        return None if look is None else {"job": job, "state": look, "model": "brush"}

    def cancel(self, job: str) -> dict[str, Any]:
        self.asked.append(job)
        return {"job": job, "state": "CANCELED"}

    def retry(self, job: str) -> Submitted:
        self.asked.append(job)
        if job == "bad":
            raise Refused("no")
        return Submitted(f"{job}-retry-1", "QUEUED", True)

    def submit(self, _body: bytes, name: str) -> list[Submitted]:
        self.asked.append(name)
        if "submit" in self.looks:
            raise Trouble("it could not be reached.")
        return [Submitted(Path(name).stem, "QUEUED", True)]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.following.time.sleep", lambda _seconds: None)


def backend(monkeypatch: pytest.MonkeyPatch, **looks: list[Look]) -> Scripted:
    made = Scripted(**looks)
    monkeypatch.setattr(Access, "backend", lambda _access: made)
    return made


def run(*words: str, code: int = 0) -> str:
    return wanx.run(*WHERE, *words, code=code)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_nothing_is_claimed_of_jobs_that_were_never_seen(
    monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    backend(monkeypatch, cat=[Trouble])
    said = run("status", "--wait", "cat", *more, code=3)
    assert "could not be reached" in said
    assert "not over yet" not in said


def test_jobs_that_were_seen_are_told_from_those_that_were_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend(monkeypatch, cat=["QUEUED"], dog=[Trouble])
    said = run("status", "--wait", "cat", "dog", code=3)
    assert "1 job not over yet, which goes on without you" in said
    assert f"  {AGAIN} status --wait cat dog\n" in said


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_an_outage_is_waited_through(
    monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    backend(monkeypatch, cat=["QUEUED", Trouble, Trouble, "RUNNING", Trouble, "SUCCEEDED"])
    said = run("status", "--wait", "cat", *more)
    assert "SUCCEEDED" in said
    if more:
        assert [one["state"] for one in json.loads(said)] == ["SUCCEEDED"]


@pytest.mark.parametrize("more", [(), ("--json",)])
@pytest.mark.parametrize("names", [("typo", "cat"), ("cat", "typo")])
def test_a_name_that_is_wrong_is_reported_and_the_others_waited_for(
    monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], names: tuple[str, str]
) -> None:
    backend(monkeypatch, cat=["QUEUED", "RUNNING", "SUCCEEDED"])
    said = run("status", "--wait", *names, *more, code=1)
    assert "SUCCEEDED" in said
    assert said.count("typo: there is no such job in API") == 1


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_ctrl_c_prints_the_command_that_waits_again(
    monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    backend(monkeypatch, cat=["QUEUED", KeyboardInterrupt])
    said = run("status", "--wait", "cat", *more, code=130)
    words = " ".join(("status", "--wait", *more, "cat"))
    assert f"  {AGAIN} {words}\n" in said
    assert "secret" not in said


def test_a_job_that_is_named_twice_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = backend(monkeypatch, cat=["SUCCEEDED"])
    assert len(json.loads(run("status", "cat", "cat", "--json"))) == 1
    assert run("status", "--wait", "cat", "cat").count("SUCCEEDED") == 1
    assert run("cancel", "cat", "cat") == "cat: CANCELED\n"
    said = run("retry", "cat", "cat")
    assert said.count("runs again as") == 1
    assert f"  {AGAIN} status --wait cat-retry-1\n" in said
    assert run("retry", "bad", "bad", "cat", code=1).count("not tried again") == 1
    assert made.asked == ["cat", "cat", "bad", "cat"]


def job_file(name: str) -> None:
    value = {"model": "wan2.5-i2i-preview", "input": {"prompt": "x", "images": ["https://a.b/c"]}}
    Path(name).write_text(json.dumps(value), "utf-8")


def test_a_file_that_is_named_twice_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = backend(monkeypatch)
    job_file("cat.json")
    run("submit", "cat.json", "cat.json")
    assert made.asked == ["cat.json"]


@pytest.mark.parametrize("wait", [(), ("--wait",)])
def test_the_command_that_submits_again_waits_too(
    monkeypatch: pytest.MonkeyPatch, wait: tuple[str, ...]
) -> None:
    backend(monkeypatch, submit=[Trouble])
    job_file("cat.json")
    said = run("submit", *wait, "cat.json", code=3)
    assert f"  {AGAIN} {' '.join(('submit', *wait, 'cat.json'))}\n" in said


def test_a_job_that_was_just_submitted_goes_on_though_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend(monkeypatch, cat=[Trouble])
    job_file("cat.json")
    said = run("submit", "--wait", "cat.json", code=3)
    assert "1 job not over yet, which goes on without you" in said
    assert f"  {AGAIN} status --wait cat\n" in said
