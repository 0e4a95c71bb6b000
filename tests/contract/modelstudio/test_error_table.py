"""Every line of the error table is provoked wherever it can occur, and read as the functions do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from local.modelstudio.errors import error_table
from shared.catalogue.errors import ErrorTable, load_errors
from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import ModelStudio, OutcomeUnknown, ServiceError, TaskCreated
from shared.modelstudio.result_urls import result_items
from tests.kit.modelstudio_server import CREATE, KEY, SKETCH, Client, running_server

TABLE: Mapping[str, Any] = yaml.safe_load(
    Path(__file__).with_name("error_rows.yaml").read_text(encoding="utf-8")
)
LINES, TEXTS = 48, 142  # of the documents' table without the SDK's own line, and newer pages
IN_A_TASK = 200  # a failed task is no failed query


@dataclass(frozen=True)
class Row:
    """One code with one text, and what is to be made of it."""

    name: str
    code: str
    message: str
    http: int
    places: tuple[str, ...]
    kind: str
    retry: tuple[str, ...]
    breaker: tuple[str, ...]


def read_rows() -> list[Row]:
    rows = []
    for line in TABLE["lines"]:
        usual = TABLE["classes"][line["class"]]
        retry, breaker = (tuple(line.get(key, usual[key])) for key in ("retry", "breaker"))
        for name, code, message, *http in line["errors"]:
            status = http[0] if http else line["http"]
            places = tuple(line["at"])
            rows.append(Row(name, code, message, status, places, line["class"], retry, breaker))
    return rows


ROWS = read_rows()
AT = [(row, place) for row in ROWS for place in row.places]


def at(place: str) -> pytest.MarkDecorator:
    rows = [row for row, where in AT if where == place]
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


@dataclass
class Rig:
    """The server, our client of it, and the last answer as it came over the wire."""

    server: Client
    seen: list[requests.Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        session = requests.Session()
        session.trust_env = False
        session.hooks["response"].append(self._see)
        self.api = ModelStudio(self.server.url + "/api/v1", FixedKey(KEY), session)
        self.errors: ErrorTable = load_errors()

    def _see(self, answer: requests.Response, *_: object, **__: object) -> None:
        assert answer.content  # kept by this, for the client reads it in pieces
        self.seen.append(answer)

    def provoke(self, place: str, row: Row) -> None:
        self.server.set(faults=[{"at": place, "error": row.name, "times": 1}])

    def create(self, **parameters: object) -> TaskCreated | ServiceError | OutcomeUnknown:
        body = self.server.body(SKETCH, **parameters)
        return self.api.create(CREATE.removeprefix("/api/v1"), body)

    def on_the_wire(self, row: Row) -> str:
        """The request id of the last answer, which is this row word for word."""
        answer = self.seen[-1].json()
        assert self.seen[-1].status_code == row.http
        assert (answer["code"], answer["message"]) == (row.code, row.message)
        assert set(answer) == {"code", "message", "request_id"}
        return str(answer["request_id"])

    def understood(self, row: Row, code: str, message: str, http: int) -> None:
        assert (code, message) == (row.code, row.message)
        rule = self.errors.classify(code, message, http)
        assert rule.kind == row.kind, rule
        assert rule.retry in row.retry, rule
        assert rule.breaker in row.breaker, rule


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running_server({"task_seconds": 0}) as served:
        yield Rig(served)


@at("create")
def test_as_the_answer_to_create(rig: Rig, row: Row) -> None:
    rig.provoke("create", row)
    outcome = rig.create()
    request_id = rig.on_the_wire(row)
    if isinstance(outcome, OutcomeUnknown):  # a 5xx may come after the task was made
        assert row.http >= 500
        assert row.code in outcome.reason
        rig.understood(row, row.code, row.message, row.http)
        return
    assert isinstance(outcome, ServiceError)
    assert row.http < 500
    assert (outcome.http, outcome.request_id) == (row.http, request_id)
    rig.understood(row, outcome.code, outcome.message, outcome.http)


@at("task")
def test_as_the_end_of_a_task(rig: Rig, row: Row) -> None:
    rig.provoke("task", row)
    made = rig.create(n=2)
    assert isinstance(made, TaskCreated)
    rig.server.wait(made.task_id)
    task = rig.api.query(made.task_id)
    assert (rig.seen[-1].status_code, task.status) == (200, "FAILED")
    assert task.request_id not in ("", made.request_id)
    assert "results" not in task.answer["output"]
    rig.understood(row, task.code, task.message, IN_A_TASK)


IMAGE_ROWS = [row for row, place in AT if place == "image"]
BY_THREE = [IMAGE_ROWS[k : k + 3] for k in range(0, len(IMAGE_ROWS), 3)]


@pytest.mark.parametrize("rows", BY_THREE, ids=["-".join(row.name for row in r) for r in BY_THREE])
def test_as_one_image_of_a_task_beside_a_good_one(rig: Rig, rows: list[Row]) -> None:
    rig.server.set(
        faults=[{"at": "image", "image": k, "error": row.name} for k, row in enumerate(rows)]
    )
    made = rig.create(n=len(rows) + 1)
    assert isinstance(made, TaskCreated)
    rig.server.wait(made.task_id)
    task = rig.api.query(made.task_id)
    assert (task.status, task.usage) == ("SUCCEEDED", {"image_count": 1})
    *failed, good = result_items(task.answer, "/output/results/*/url")
    assert good["url"]
    for row, item in zip(rows, failed, strict=True):
        assert item["url"] is None
        rig.understood(row, item["code"], item["message"], IN_A_TASK)


CALLS: Mapping[str, Callable[[ModelStudio], object]] = {
    "query": lambda api: api.query("no-such-task"),
    "list": lambda api: api.listed(SKETCH),
    "cancel": lambda api: api.cancel("no-such-task"),
}


@pytest.mark.parametrize(
    ("row", "place"),
    [pair for pair in AT if pair[1] in CALLS],
    ids=[f"{row.name}-{place}" for row, place in AT if place in CALLS],
)
def test_as_the_answer_to_a_task_call(rig: Rig, row: Row, place: str) -> None:
    rig.provoke(place, row)
    with pytest.raises(ServiceError) as raised:
        CALLS[place](rig.api)
    request_id = rig.on_the_wire(row)
    error = raised.value
    assert (error.http, error.request_id) == (row.http, request_id)
    rig.understood(row, error.code, error.message, error.http)


@at("policy")
def test_as_the_answer_to_a_policy_call(rig: Rig, row: Row) -> None:
    rig.provoke("policy", row)
    query = {"action": "getPolicy", "model": SKETCH}
    rig.seen.append(rig.server.get("/api/v1/uploads", **query))
    rig.on_the_wire(row)
    rig.understood(row, row.code, row.message, row.http)


@at("upload")
def test_as_the_answer_to_an_upload(rig: Rig, row: Row) -> None:
    rig.provoke("upload", row)
    files = {"file": ("a.png", b"any", "image/png")}
    rig.seen.append(requests.post(rig.server.url + "/uploads", files=files, timeout=20))
    rig.on_the_wire(row)
    rig.understood(row, row.code, row.message, row.http)


def test_every_line_of_the_table_is_there() -> None:
    assert {line["line"] for line in TABLE["lines"]} == set(range(1, LINES + 1))
    assert all(row.places for row in ROWS)
    assert len({row.name for row in ROWS}) == len(ROWS) == TEXTS
    assert len({(row.http, row.code, row.message) for row in ROWS}) == TEXTS


def test_every_error_the_server_knows_is_provoked_and_the_other_way_round() -> None:
    assert {row.name for row in ROWS} | set(TABLE["own"]) == set(error_table())


def test_every_place_a_row_names_has_its_test() -> None:
    tested = {"create", "task", "image", "policy", "upload", *CALLS}
    assert {place for _, place in AT} == tested


def test_a_refused_create_makes_no_task(rig: Rig) -> None:
    before = rig.server.stats(SKETCH)["tasks_made"]
    rig.provoke("create", ROWS[0])
    rig.create()
    assert rig.server.stats(SKETCH)["tasks_made"] == before
