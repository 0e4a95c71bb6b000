"""`wanx verify-cloud` against the laptop cloud: all facts hold there, and each is seen to be
otherwise where a server answers the other way."""

from __future__ import annotations

import json
import os
import pty
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
import requests

from cli.verify.facts import HOLDS, OTHERWISE, UNTRIED, load_facts
from cli.verify.trial import NAME
from shared.poller.inside import CALL, KEY
from shared.storage import layout
from tests.e2e.conftest import PATIENCE, THROTTLED, faults
from tests.e2e.verify_laptop import (
    API,
    OSS,
    STUDIO,
    Interrupted,
    Laptop,
    downloads,
    laptop_with_proxies,
    until,
    untwisted,
)
from tests.kit.twisted import Answer, Request, Twist

FACTS = [fact.id for fact in load_facts()[0]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop_with_proxies(tmp_path_factory, task_seconds=0.4) as laptop:
        yield laptop


@pytest.fixture
def laptop(running: Laptop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with untwisted(running, monkeypatch):
        yield running


@pytest.mark.slow
def test_on_the_laptop_cloud_every_fact_holds_that_it_has(laptop: Laptop) -> None:
    done = laptop.verify("--yes", "--json", "--delay", "10")
    assert done.exit_code == 0, done.output
    verdicts = {fact["id"]: fact["verdict"] for fact in json.loads(done.stdout)["facts"]}
    assert verdicts == {name: UNTRIED if name == "kms" else HOLDS for name in FACTS}
    assert "at most 0.31 CNY for one image" in done.stderr
    assert laptop.left() == []
    denied = {
        (row["action"], row["prefix"] or row["resource"].split("/", 1)[1][:10])
        for row in laptop.cloud.denials()
    }
    assert denied == {("oss:ListObjects", "state/tasks/"), ("oss:GetObject", "dead/look-")}


def changed(part: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Twist:
    """JSON answers to requests with this part in their paths become others."""

    def twist(request: Request, answer: Answer) -> Answer | None:
        fits = part in request.path and answer.status == 200 and answer.body.startswith(b"{")
        return answer.with_json(change) if fits else None

    return twist


def poll_sees(**seen: Any) -> Twist:
    return changed("/invocations", lambda said: said | seen)


def poll_is_ahead(seconds: float) -> Twist:
    return changed("/invocations", lambda said: said | {"now": said["now"] + seconds})


def has_versioning(request: Request, answer: Answer) -> Answer | None:
    body = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
    return replace(answer, body=body) if "?versioning" in request.path else None


def overwrites(request: Request, answer: Answer) -> Answer | None:
    is_refusal = request.method == "PUT" and answer.status == 409
    return Answer(200, answer.headers | {"ETag": '"E"'}, b"") if is_refusal else None


def listing(change: Callable[[list[bytes]], list[bytes]]) -> Twist:
    """The rows of a list of our folder become others."""

    def twist(request: Request, answer: Answer) -> Answer | None:
        if "list-type=2" not in request.path or b"/list/" not in answer.body:
            return None
        head, *rows = answer.body.split(b"<Contents>")
        rows[-1], mark, tail = rows[-1].partition(b"</Contents>")
        rows = change([*rows[:-1], rows[-1] + mark])
        return replace(answer, body=head + b"".join(b"<Contents>" + row for row in rows) + tail)

    return twist


def two_hours_behind(request: Request, answer: Answer) -> Answer | None:
    return replace(answer, headers=answer.headers | {"Date": formatdate(time.time() - 7200)})


def header_comes_through(request: Request, answer: Answer) -> Answer | None:
    sent = [name[5:].lower() for name in request.headers if name.lower().startswith("x-fc-look-")]
    if request.path != "/runtime":
        return None
    return answer.with_json(lambda said: said | {"headers": [*said["headers"], *sent]})


def encoded(note: dict[str, Any]) -> dict[str, Any]:
    return {"key": note["key"].replace("+", "%2B").replace(" ", "+")}


def came(seconds: float) -> Twist:
    return changed(f"-{CALL}.json", lambda note: note | {"came": note["due"] + seconds})


def other_time(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"gmt_create": row["gmt_create"] - 8 * 3600 * 1000}


NO_KEYS = changed("/runtime", lambda said: said | {"headers": ["request-id"]})
NO_ROWS: dict[str, Any] = {"data": [], "total": 0, "total_page": 0}
FREE = [
    ("versioning", OSS, has_versioning, "versioning is Suspended", {}),
    ("put-if-absent", OSS, overwrites, "replaced the object", {}),
    ("list-order", OSS, listing(lambda rows: rows[::-1]), "in another order", {}),
    ("list-order", OSS, listing(lambda rows: rows[:-1]), "1 missing", {}),
    ("clock", OSS, two_hours_behind, "ahead of the store", {}),
    ("clock", API, poll_is_ahead(300.0), "poll's clock is +30", {}),
    ("role-missing", API, poll_sees(missing="forbidden"), "reading it: forbidden", {}),
    ("role-limits", API, poll_sees(listed="done"), "may list state/tasks/", {}),
    ("role-limits", API, poll_sees(foreign="missing"), "may read dead/", {}),
    ("put-if-absent-inside", API, poll_sees(twice=True), "replaced", {"OSS_ENDPOINT"}),
    (
        "kms",
        API,
        poll_sees(secret="k", key_trouble="KMS refuses"),
        "KMS refuses",
        {"DASHSCOPE_API_KEY_SECRET"},
    ),
    ("event-keys", OSS, changed(f"-{KEY}.json", encoded), "a%2Bb+%25+c%2Bd+中文.txt", {}),
    ("runtime", API, NO_KEYS, "x-fc-access-key-id", {}),
    ("foreign-headers", API, header_comes_through, "came through", {}),
    ("page", API, downloads, "forces a download", {"API_URL"}),
    ("delayed-call", API, poll_sees(call_refused="no right"), "no right", {"POLL_TIMER"}),
    pytest.param(
        "delayed-call", OSS, came(-10.0), "-10.0 s", {"POLL_TIMER"}, marks=pytest.mark.slow
    ),
    pytest.param("delayed-call", OSS, came(6.0), "+6.0 s", {"POLL_TIMER"}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("fact", "server", "twist", "seen", "settings"), FREE)
def test_a_fact_that_is_otherwise_is_said_to_be(
    laptop: Laptop, fact: str, server: str, twist: Twist, seen: str, settings: set[str]
) -> None:
    laptop.proxies[server].twists.append(twist)
    said = laptop.fact(fact, 1, "--skip-paid", "--delay", "10")
    assert (said["verdict"], set(said["settings"])) == (OTHERWISE, set(settings)), said
    assert seen in said["seen"]
    assert said["to_do"]
    if "POLL_TIMER" in settings:
        assert said["settings"] == {"POLL_TIMER": "@every 1m"}


def test_a_secret_that_poll_reads_holds(laptop: Laptop) -> None:
    laptop.proxies[API].twists.append(poll_sees(secret="key-of-models"))
    assert laptop.fact("kms", 0)["verdict"] == HOLDS


PAID = [
    (
        "task-times",
        STUDIO,
        [
            changed(
                "/tasks/?", lambda said: said | {"data": [other_time(row) for row in said["data"]]}
            )
        ],
        "-8.0 h",
    ),
    (
        "task-list-zone",
        STUDIO,
        [changed("start_time=", lambda said: said | NO_ROWS)],
        "neither UTC+8 nor UTC+0",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("fact", "server", "twists", "seen"), PAID)
def test_a_task_list_that_is_otherwise_is_said_to_be(
    laptop: Laptop, fact: str, server: str, twists: list[Twist], seen: str
) -> None:
    laptop.proxies[server].twists += twists
    said = laptop.fact(fact, 1)
    assert (said["verdict"], said["settings"]) == (OTHERWISE, {"UNKNOWN_POLICY": "ask"})
    assert seen in said["seen"]
    assert laptop.left() == []


@pytest.mark.slow
def test_a_list_that_lags_more_than_the_grace_is_said_to(laptop: Laptop) -> None:
    """By as many questions as three: how long they take does not matter."""
    unlisted = iter(range(3))

    def twist(request: Request, answer: Answer) -> Answer | None:
        late = "task_id=" in request.path and next(unlisted, None) is not None
        return answer.with_json(lambda said: said | NO_ROWS) if late else None

    laptop.proxies[STUDIO].twists.append(twist)
    laptop.proxies[API].twists.append(poll_sees(unknown_grace=1.0))
    said = laptop.fact("task-list-lag", 1)
    assert said["verdict"] == OTHERWISE
    assert "UNKNOWN_GRACE is 1" in said["seen"]
    assert list(said["settings"]) == ["UNKNOWN_GRACE"]


NOT_FETCHED = {
    "at": "create",
    "status": 400,
    "code": "InvalidParameter",
    "message": "download image failed",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "verdict", "exit_code"),
    [("InvalidParameter", OTHERWISE, 1), ("DataInspectionFailed", UNTRIED, 4)],
)
def test_only_an_image_that_is_not_fetched_speaks_against_presigned_urls(
    laptop: Laptop, code: str, verdict: str, exit_code: int
) -> None:
    with faults(laptop.cloud, NOT_FETCHED | {"code": code}):
        said = laptop.fact("presigned-url", exit_code)
    assert (said["verdict"], code in said["seen"]) == (verdict, True)
    assert ("OSS_PUBLIC_ENDPOINT" in said["settings"]) == (verdict == OTHERWISE)
    assert laptop.left() == []


@pytest.mark.parametrize(
    ("fact", "words", "changes", "why"),
    [
        ("role-missing", ["--stack", "other"], {}, "--stack"),
        ("role-missing", [], {"OSS_ACCESS_KEY_ID": ""}, ""),
        ("page", [], {"API_URL": ""}, "API_URL is not in these settings"),
        ("runtime", [], {"API_TOKEN": "wrong"}, "scope admin"),
        ("task-list-lag", [], {"DASHSCOPE_API_KEY": ""}, "DASHSCOPE_API_KEY is not in"),
        ("page", [], {"API_URL": "http://127.0.0.1:9"}, "no answer"),
    ],
)
def test_what_cannot_be_tried_is_never_said_to_hold(
    laptop: Laptop, fact: str, words: list[str], changes: dict[str, str], why: str
) -> None:
    if not why:
        done = laptop.verify("--only", fact, **changes)
        assert (done.exit_code, "no keys for OSS" in done.output) == (3, True)
        return
    said = laptop.fact(fact, 4, *words, **changes)
    assert said["verdict"] == UNTRIED
    assert why in said["seen"]
    assert said["settings"] == {}


def test_a_poll_of_an_older_version_is_said_to_be_one(laptop: Laptop) -> None:
    def fails(request: Request, answer: Answer) -> Answer | None:
        error = {"X-Fc-Error-Type": "UnhandledInvocationError"}
        return replace(answer, headers=error) if "/invocations" in request.path else None

    laptop.proxies[API].twists.append(fails)
    said = laptop.fact("role-limits", 4)
    assert "deploy this version" in said["seen"]


def test_nothing_is_paid_for_without_a_yes(laptop: Laptop) -> None:
    creates = laptop.cloud.creates()
    asked = laptop.verify("--only", "presigned-url")
    assert (asked.exit_code, "--yes" in asked.output) == (2, True)
    skipped = laptop.verify("--only", "presigned-url", "--skip-paid")
    assert (skipped.exit_code, "left out by --skip-paid" in skipped.output) == (0, True)
    assert laptop.cloud.creates() == creates


@pytest.mark.slow
def test_a_person_at_a_terminal_is_asked_and_may_say_no(laptop: Laptop) -> None:
    creates = laptop.cloud.creates()
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"n\n")
        asked = Interrupted(laptop, "--only", "presigned-url", stdin=theirs)
        said, _ = asked.process.communicate(timeout=PATIENCE)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (asked.process.returncode, "Go on? [y/N]" in said) == (4, True), said
    assert laptop.cloud.creates() == creates


def test_people_read_it_in_80_columns(laptop: Laptop) -> None:
    laptop.proxies[API].twists.append(downloads)
    done = laptop.verify("--only", "page", "--only", "kms", "--only", "put-if-absent")
    assert done.exit_code == 1
    assert max(map(len, done.output.splitlines())) <= 80
    for words in (
        "holds      put-if-absent",
        "otherwise  page",
        "untried    kms",
        "Do: Bind a domain of your own",
        "Set API_URL to https://",
        "Holds: 1. Otherwise: 1. Could not be tried: 1.",
    ):
        assert words in done.stdout


def has(laptop: Laptop, place: str) -> bool:
    return any(key.startswith(place) for key in laptop.left())


@pytest.mark.slow
def test_after_ctrl_c_nothing_is_left(laptop: Laptop) -> None:
    """In the middle of its paid job, which waits: it is canceled."""
    with faults(laptop.cloud, THROTTLED):
        stopped = Interrupted(laptop, "--only", "presigned-url", "--yes")
        until(lambda: has(laptop, layout.RECORDS + NAME), "the job")
        code, said = stopped.end(signal.SIGINT)
    assert code == 130, said
    assert "Removed" in said
    assert laptop.left() == []


@pytest.mark.slow
def test_a_later_run_removes_what_a_killed_one_left(laptop: Laptop) -> None:
    """Its job runs at the service and cannot be canceled: it stays until it is over."""
    with tasks_that_last(laptop):
        killed = Interrupted(laptop, "--only", "presigned-url", "--yes")
        until(lambda: running_at_service(laptop), "the task")
        killed.end(signal.SIGKILL)
        assert has(laptop, layout.RECORDS + NAME)
        creates = laptop.cloud.creates()
        again = laptop.verify("--only", "versioning")
        assert "is not over yet and stays" in again.output
        assert not has(laptop, layout.INPUTS)
    until(lambda: has(laptop, layout.RESULTS), "the result")
    assert "earlier runs" in laptop.verify("--only", "versioning").output
    assert laptop.left() == []
    assert laptop.cloud.creates() == creates, "nothing was paid a second time"


@contextmanager
def tasks_that_last(laptop: Laptop) -> Iterator[None]:
    """Until it ends no task does: the service counts a running task by the settings of now."""
    settings = laptop.cloud.env[STUDIO].rsplit("/api/v1", 1)[0] + "/_admin/settings"
    requests.post(settings, json={"task_seconds": 600}, timeout=10).raise_for_status()
    try:
        yield
    finally:
        requests.post(settings, json={"task_seconds": 0.4}, timeout=10).raise_for_status()


def running_at_service(laptop: Laptop) -> bool:
    keys = [key for key in laptop.left() if key.startswith(layout.RECORDS)]
    return any(b'"RUNNING"' in laptop.cloud.bucket.get_object(key).read() for key in keys)
