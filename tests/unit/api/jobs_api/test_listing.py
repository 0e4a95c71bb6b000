"""The list of jobs and its export."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any

import pytest

from shared.api.jobs_api import export
from shared.jobs.intake import Source
from shared.ledger.record import STATES
from shared.platform.clock import iso
from shared.storage import layout
from tests.kit.http import PREFIX, TOKENS, ask, failed, token
from tests.kit.world import OTHER, World, job_file, run

ROW = dict[str, Any](dict.fromkeys(export.COLUMNS, "x")) | {"labels": {}, "images": [], "error": {}}


@pytest.fixture()
def world() -> World:
    return World()


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["job"] for row in rows]


def every_page(world: World, query: str = "", **how: Any) -> tuple[list[str], int]:
    """The jobs of all pages, and how many pages there were."""
    found: list[str] = []
    cursor, pages = "", 0
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        reply = ask(world, "GET", f"/jobs?limit=2{query}{more}", **how)
        assert reply.status == 200, reply.json
        found += names(reply.json["jobs"])
        cursor, pages = reply.json["next"], pages + 1
    return found, pages


def fill(world: World, count: int, done: bool) -> None:
    """Many jobs, written straight into the bucket."""
    start = world.timeline.now
    for number in range(count):
        job, at = f"j{number:05d}", start + number
        record = {"job": job, "seq": 1, "state": "QUEUED", "at": iso(at), "nonce": "n"}
        record |= {
            "model": "brush",
            "spec_seq": 1,
            "spec": json.loads(job_file()) | {"parameters": {}},
        }
        world.bucket.write(layout.record(job, 1), json.dumps(record).encode())
        world.bucket.write(layout.indexed(int(at * 1000), job), b"")
        if done:
            manifest = {"job": job, "state": "SUCCEEDED", "model": "brush", "created_at": iso(at)}
            world.bucket.write(layout.result(job), json.dumps(manifest).encode())


def test_jobs_are_listed_newest_first_page_by_page(world: World) -> None:
    for number in range(5):
        world.queued(f"j{number}")
    assert every_page(world) == (["j4", "j3", "j2", "j1", "j0"], 3)


@pytest.mark.parametrize(
    ("key", "body"),
    [
        (layout.record("dog", 1), b"{"),
        (layout.record("dog", 1), b"[]"),
        (layout.result("dog"), b'{"state": "FAILED", "images": [1]}'),
        (layout.result("dog"), b'{"state": "FAILED", "images": [{}]}'),
        (layout.result("dog"), b'{"state": "FAILED", "error": "no"}'),
    ],
)
def test_a_job_that_was_spoiled_by_hand_does_not_hide_the_others(
    world: World, caplog: pytest.LogCaptureFixture, key: str, body: bytes
) -> None:
    for job in ("cat", "dog", "owl"):
        world.queued(job)
    world.bucket.write(key, body)
    assert every_page(world)[0] == ["owl", "cat"]
    (said,) = [line for line in caplog.messages if "left out of the list" in line]
    assert said.startswith("job dog: ")
    assert ask(world, "GET", "/jobs.csv").status == 200


def test_a_row_tells_what_a_gallery_shows(world: World) -> None:
    world.queued("cat", labels={"who": "me"})
    (row,) = ask(world, "GET", "/jobs").json["jobs"]
    assert (row["state"], row["images"], row["error"]) == ("QUEUED", [], None)
    run(world)
    (row,) = ask(world, "GET", "/jobs").json["jobs"]
    assert row["state"] == "SUCCEEDED"
    assert row["labels"] == {"who": "me"}
    assert row["prompt"] == "prompt of cat"
    assert row["images"][0]["url"].startswith("https://bucket.invalid/results/cat/image-1.png")
    assert set(row["images"][0]) == {"key", "url", "width", "height"}


def test_a_job_without_a_result_says_why(world: World) -> None:
    ask(world, "POST", "/jobs", job_file(" ", id="bad"))
    world.timeline.wait(1)
    failed(world, "late")
    late, bad = ask(world, "GET", "/jobs").json["jobs"]
    assert bad["error"]["code"] == "REJECTED"
    assert "/input/prompt" in bad["error"]["message"]
    assert late["state"] == "EXPIRED"


def test_a_long_prompt_is_cut(world: World) -> None:
    ask(world, "POST", "/jobs", job_file("猫" * 500))
    (row,) = ask(world, "GET", "/jobs").json["jobs"]
    assert row["prompt"] == "猫" * 80


def test_filters_by_state_model_label_and_time(world: World) -> None:
    world.queued("a", labels={"k": "v:w"})
    world.queued("b", OTHER)
    world.timeline.wait(10)
    since = iso(world.timeline.now)
    world.queued("c", labels={"k": "x"})
    world.app().cancellation.cancel("c")
    assert every_page(world, "&state=QUEUED")[0] == ["b", "a"]
    assert every_page(world, "&state=CANCELED")[0] == ["c"]
    assert every_page(world, f"&model={OTHER}")[0] == ["b"]
    assert every_page(world, "&label=k:v:w")[0] == ["a"]
    assert every_page(world, f"&since={since}")[0] == ["c"]
    assert every_page(world, "&state=QUEUED&label=k:x")[0] == []


@pytest.mark.parametrize(
    "query",
    [
        "state=DONE",
        "limit=0",
        "limit=101",
        "limit=x",
        "label=none",
        "label=:x",
        "since=yesterday",
        "since=9999-99-99",
        "cursor=../../state/records",
        "cursor=0000000000000-..%2f",
        "cursor=1-a",
    ],
)
@pytest.mark.parametrize("path", ["/jobs", "/jobs.csv"])
def test_parameters_that_cannot_be_read(world: World, query: str, path: str) -> None:
    if path == "/jobs.csv" and query == "limit=101":
        return
    reply = ask(world, "GET", f"{path}?{query}")
    assert reply.status == 400
    assert reply.json["violations"][0]["parameter"] == query.split("=")[0]
    assert world.bucket.count() == 0


@pytest.mark.parametrize("done", [True, False])
def test_listing_ten_thousand_jobs_reads_a_bounded_number_of_objects(
    world: World, done: bool
) -> None:
    fill(world, 10_000, done)
    reply = ask(world, "GET", "/jobs?limit=20")
    assert names(reply.json["jobs"])[0] == "j09999"
    kinds = Counter(call.kind for call in world.bucket.calls)
    assert kinds == ({"list": 1, "read": 20} if done else {"list": 1, "read": 60})


def test_a_rare_filter_looks_at_a_bounded_number_and_says_how_to_go_on(world: World) -> None:
    fill(world, 1000, done=True)
    pages, cursor = 0, ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        world.bucket.calls.clear()
        page = ask(world, "GET", f"/jobs?state=FAILED{more}").json
        assert page["jobs"] == []
        assert page["searched"] <= 300
        assert world.bucket.count("read") <= 300
        cursor, pages = page["next"], pages + 1
    assert pages == 4


def test_the_last_page_has_no_next(world: World) -> None:
    for number in range(2):
        world.queued(f"j{number}")
    assert ask(world, "GET", "/jobs?limit=2").json["next"] is None


def test_foreign_jobs_are_not_listed_and_no_cursor_names_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.jobs.listing.MOST_LISTED", 3)
    app = world.app("one moment")
    for number in range(4):  # all within one millisecond
        for owner in ("secret-", PREFIX):
            body = job_file("p", id=f"{owner}{number}")
            app.acceptance.intake.take(body, Source(f"jobs/{owner}{number}.json", "E"))
    seen: list[str] = []
    cursor = ""
    for _ in range(20):
        more = f"&cursor={cursor}" if cursor else ""
        given = token("read", PREFIX)
        page = ask(world, "GET", f"/jobs?limit=3{more}", given=given).json
        seen += names(page["jobs"])
        assert "secret" not in json.dumps(page)
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"{PREFIX}{number}" for number in range(4)]


def test_the_export_holds_the_same_jobs_for_spreadsheet_and_program(world: World) -> None:
    for number in range(3):
        world.queued(f"j{number}", labels={"n": str(number)})
    ask(world, "POST", "/jobs", job_file('=1+1,"x"\n猫', id="f"))
    sheet = ask(world, "GET", "/jobs.csv")
    assert sheet.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(sheet.text)))
    assert names(rows) == ["f", "j2", "j1", "j0"]
    assert rows[0]["prompt"] == '\'=1+1,"x"\n猫'
    assert rows[3]["labels"] == "n:0"
    lines = ask(world, "GET", "/jobs.jsonl").text.splitlines()
    assert names([json.loads(line) for line in lines]) == names(rows)


CELLS = {
    **{f"{sign}1+1": True for sign in "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\u207c"},
    **{f"{lead}=1+1": True for lead in "\0\t\r\n \u3000\u200b\ufeff\u2028"},
    **{f"{lead}a cat": True for lead in "\0\t\r\n"},
    " \t =1+1": True,
    **dict.fromkeys(("a cat = 1", "猫", "  a cat", "\u3000猫", "(-1)", "'=1"), False),
}


@pytest.mark.parametrize(("prompt", "quoted"), CELLS.items())
def test_no_cell_is_run_by_any_spreadsheet(prompt: str, quoted: bool) -> None:
    line = export.csv_line({**ROW, "prompt": prompt})
    (row,) = csv.reader(io.StringIO(line, newline=""))
    cell = row[export.COLUMNS.index("prompt")]
    assert cell.startswith("'") == (quoted or prompt.startswith("'"))
    assert cell.replace("'", "") == prompt.replace("'", "")


@pytest.mark.parametrize("sign", ";|\t\n\r")
def test_no_other_separator_splits_a_cell(sign: str) -> None:
    line = export.csv_line({**ROW, "prompt": f"a{sign}=1+1"})
    assert f"{sign}'=1+1" in line
    assert f"{sign}=" not in line


def test_an_export_is_bounded_and_names_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world, 900, done=True)
    whole = ask(world, "GET", "/jobs.jsonl")
    assert len(whole.text.splitlines()) == 900
    assert "link" not in whole.headers
    monkeypatch.setattr(export, "MOST_CHARACTERS", 1000)
    target, found = "/jobs.jsonl?state=SUCCEEDED", 0
    while target:
        part = ask(world, "GET", target)
        found += len(part.text.splitlines())
        link = part.headers.get("link", "")
        target = link.partition("<https://fn.example.com")[2].partition(">")[0]
        assert not target or "state=SUCCEEDED" in target
    assert found == 900


def test_an_export_of_given_length(world: World) -> None:
    fill(world, 10, done=True)
    assert len(ask(world, "GET", "/jobs.jsonl?limit=3").text.splitlines()) == 3


def test_every_state_can_be_asked_for(world: World) -> None:
    app = world.app(tokens=TOKENS)
    assert all(ask(app, "GET", f"/jobs?state={state}").status == 200 for state in STATES)
