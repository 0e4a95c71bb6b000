"""`wanx.Client` against the API itself, and against servers that lose answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import wanx
from shared.ledger.record import FINAL
from tests.kit.http import failed
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, refusing_port, scripted_http
from tests.kit.world import TOKEN, World, job_file, run
from tests.unit.cli.api_server import answering, api_of, served

JOB: dict[str, Any] = json.loads(job_file())
JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
PIXELS = b"\x89PNG and so on"


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def world() -> World:
    made = World()
    made.bucket.write("inputs/a.png", b"\x89PNG\r\n\x1a\n")
    return made


@pytest.fixture
def client(world: World) -> Iterator[wanx.Client]:
    with served(api_of(world)) as url:
        yield wanx.Client(url, TOKEN)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def script() -> Iterator[HttpScript]:
    with scripted_http() as made:
        yield made


@pytest.fixture
def asking(script: HttpScript, time: Time) -> wanx.Client:
    return wanx.Client(script.url, TOKEN, clock=lambda: time.now, sleep=time.sleep)


def view(state: str = "QUEUED", **more: Any) -> Answer:
    return Answer(body=json.dumps({"job": "cat", "state": state, **more}).encode(), headers=JSON)


def with_image(url: str, body: bytes = PIXELS, **other: Any) -> Answer:
    facts = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(), **other}
    image = {"key": "results/cat/image-1.png", "url": url, "width": 1, "height": 1, **facts}
    return view("SUCCEEDED", images=[image])


def test_the_same_job_is_submitted_once_and_another_key_makes_another(
    world: World, client: wanx.Client
) -> None:
    job = client.submit(JOB)
    assert (job.state, job.position, job.is_over) == ("QUEUED", 1, False)
    assert job.price_at_most is not None
    assert client.submit(dict(reversed(JOB.items()))).id == job.id
    assert len(world.markers()) == 1
    assert client.submit(JOB, key="once more").id != job.id
    assert len(world.markers()) == 2


def test_a_job_is_over_and_tells_its_images(world: World, client: wanx.Client) -> None:
    job = client.submit({**JOB, "job": {"id": "cat"}})
    run(world)
    over = client.wait(job)
    assert (over.state, over.is_over) == ("SUCCEEDED", True)
    (image,) = over.images
    assert image.key == world.manifest("cat")["images"][0]["key"]
    assert over.document["result"]["job"] == "cat"


def test_a_job_file_is_read_from_disk(client: wanx.Client, tmp_path: Path) -> None:
    two = tmp_path / "two.jsonl"
    two.write_bytes(job_file(id="one") + b"\n" + job_file(id="two") + b"\n")
    assert [job.id for job in client.submit_file(two)] == ["one", "two"]
    pages = [[job.id for job in page] for page in client.pages(limit="1")]
    assert sorted(pages) == [["one"], ["two"]]
    assert client.cancel("one").state == "CANCELED"
    (queued,) = [job for page in client.pages(state="QUEUED") for job in page]
    assert queued.id == "two"
    assert [event["state"] for event in client.events("one")] == ["QUEUED", "CANCELED"]


def test_a_failure_is_told_and_the_job_runs_again(world: World, client: wanx.Client) -> None:
    failed(world, "cat")
    cat = client.get("cat")
    assert cat.failure is not None
    assert (cat.state, cat.failure.code) == ("EXPIRED", "Expired")
    assert client.retry(cat).id == "cat-retry-1"


def test_the_api_says_no_in_its_own_words(client: wanx.Client) -> None:
    with pytest.raises(wanx.Refused, match="at /model") as refused:
        client.submit({**JOB, "model": "nope", "input": {}})
    problem = refused.value.problem
    assert problem.status == 422
    assert {one["pointer"] for one in problem.violations} == {"/model"}
    with pytest.raises(wanx.UnknownJob, match="no job 'dog'"):
        client.get("dog")
    with pytest.raises(wanx.UnknownJob):
        client.cancel("dog")
    with pytest.raises(wanx.Refused, match="401"):
        wanx.Client(client.url, "another").get("dog")
    with pytest.raises(wanx.NotTheApi, match="without the path"):
        wanx.Client(f"{client.url}/jobs", TOKEN).get("dog")


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [("200 OK", "text/html", b"<html>"), ("200 OK", "application/json", b'{"ok": true}')],
)
def test_another_server_is_not_the_api(status: str, media_type: str, body: bytes) -> None:
    with served(answering(status, media_type, body)) as url:
        with pytest.raises(wanx.NotTheApi, match="HTTP 200"):
            wanx.Client(url, TOKEN).get("cat")
        with pytest.raises(wanx.NotTheApi, match="HTTP 200"):
            wanx.Client(url, TOKEN).submit(JOB)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("localhost", TOKEN),
        ("http://me:secret@a.b", TOKEN),
        ("http://a.b", ""),
        ("http://a.b", "t\n"),
    ],
)
def test_what_cannot_be_an_address_or_token_is_refused(url: str, token: str) -> None:
    with pytest.raises(wanx.WanxError, match=r"token|address") as refused:
        wanx.Client(url, token)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"[" * 100_000, "application/json", "200 OK"),
        (b'{"jobs": [1], "job": "a"}', "application/json", "200 OK"),
        (b'{"jobs": "a", "job": "a", "events": 1}', "application/json", "200 OK"),
        (b'{"job": "a", "state": "x", "images": 5}', "application/json", "200 OK"),
        (b'{"state": "x", "images": [{"bytes": "x"}, 7]}', "application/json", "200 OK"),
        (b'{"title": "x", "violations": ["a"]}', "application/problem+json", "400 Bad Request"),
        (b'{"title": "x", "violations": 5}', "application/problem+json", "400 Bad Request"),
    ],
)
def test_whatever_answers_no_other_error_is_raised(
    body: bytes, media_type: str, status: str
) -> None:
    with served(answering(status, media_type, body)) as url:
        to = wanx.Client(url, TOKEN)
        for ask in (
            lambda: to.get("cat"),
            lambda: to.submit(JOB),
            lambda: next(to.pages()),
            lambda: to.events("cat"),
        ):
            with suppress(wanx.WanxError):
                ask()


def test_a_submission_whose_answer_was_lost_is_sent_again_under_its_key(
    script: HttpScript, asking: wanx.Client, time: Time
) -> None:
    script.then(NOTHING, Answer(503, headers={"Retry-After": "7"}), view())
    assert asking.submit(JOB).id == "cat"
    assert time.slept == [0.25, 7.0]
    keys = {seen.headers["idempotency-key"] for seen in script.seen}
    assert len(keys) == 1
    assert len({seen.body for seen in script.seen}) == 1


def test_what_is_not_safe_to_repeat_is_sent_once(script: HttpScript, asking: wanx.Client) -> None:
    script.then(NOTHING)
    with pytest.raises(wanx.Unreachable):
        asking.retry("cat")


def test_repeating_ends(script: HttpScript, asking: wanx.Client, time: Time) -> None:
    script.then(NOTHING, NOTHING, NOTHING, NOTHING, *[Answer(502)] * 4)
    with pytest.raises(wanx.Unreachable, match="could not be reached"):
        asking.get("cat")
    with pytest.raises(wanx.Refused, match="HTTP 502: no explanation"):
        asking.get("cat")
    assert time.slept == [0.25, 0.5, 1.0] * 2


def test_a_long_pause_that_is_asked_for_is_bounded(
    script: HttpScript, asking: wanx.Client, time: Time
) -> None:
    script.then(Answer(429, headers={"Retry-After": "99999"}), view())
    asking.get("cat")
    assert time.slept == [30.0]


def test_nobody_there(time: Time) -> None:
    with refusing_port() as port:
        with pytest.raises(wanx.Unreachable) as gone:
            wanx.Client(f"http://127.0.0.1:{port}", TOKEN, sleep=time.sleep).get("cat")
        assert TOKEN not in str(gone.value)
    assert len(time.slept) == 3


def test_waiting_asks_the_api_to_wait_and_pauses_where_it_does_not(
    script: HttpScript, asking: wanx.Client, time: Time
) -> None:
    script.then(view(), view(), view("RUNNING"), view("SUCCEEDED"))
    looks = [job.state for job in asking.follow("cat", timeout=20)]
    assert looks == ["QUEUED", "QUEUED", "RUNNING", "SUCCEEDED"]
    targets = ["/jobs/cat", "/jobs/cat?wait=20", "/jobs/cat?wait=18", "/jobs/cat?wait=18"]
    assert [seen.target for seen in script.seen] == targets
    assert time.slept == [2.0]


def test_waiting_is_bounded_and_leaves_the_job_going(
    script: HttpScript, asking: wanx.Client, time: Time
) -> None:
    script.then(*[view()] * 3)
    with pytest.raises(wanx.StillRunning, match="cat is QUEUED after 3 s") as running:
        asking.wait("cat", timeout=3)
    assert running.value.job.id == "cat"
    assert time.slept == [2.0, 1.0]


def test_images_are_verified_and_the_token_stays_at_home(
    script: HttpScript, asking: wanx.Client, tmp_path: Path
) -> None:
    link = f"{script.url}/signed"
    script.then(with_image(link), Answer(body=PIXELS), with_image(link), Answer(body=PIXELS))
    ((image, data),) = asking.images("cat")
    assert (image.name, data) == ("image-1.png", PIXELS)
    assert "authorization" not in script.seen[1].headers
    assert [path.read_bytes() for path in asking.save("cat", tmp_path / "new")] == [PIXELS]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["image-1.png"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(body=PIXELS[:-1] + b"?"), "other bytes"),
        (Answer(body=PIXELS + b"and more"), "other bytes"),
        (Answer(404), "does not lie in the bucket"),
        (Answer(403), "HTTP 403"),
        (Answer(body=PIXELS, cut=3), "could not be fetched"),
    ],
)
def test_other_bytes_are_not_kept(
    script: HttpScript, asking: wanx.Client, tmp_path: Path, answer: Answer, said: str
) -> None:
    script.then(with_image(f"{script.url}/signed"), answer)
    with pytest.raises(wanx.ImageFailed, match=said):
        asking.save("cat", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_leads_elsewhere_is_not_written(
    script: HttpScript, asking: wanx.Client, tmp_path: Path
) -> None:
    script.then(with_image(f"{script.url}/signed", key="results/cat/.."), Answer(body=PIXELS))
    with pytest.raises(wanx.ImageFailed, match="not a name"):
        asking.save("cat", tmp_path)


def test_the_states_are_those_of_the_system() -> None:
    assert wanx.FINAL == FINAL
