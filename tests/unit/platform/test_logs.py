"""The functions' log: one JSON object a line, without secrets, short enough for the logstore."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from local.runtime.loglines import readable
from shared.jobs.intake import Source
from shared.modelstudio.client import ServiceError
from shared.platform import logs
from shared.platform.logs import JsonLines, about, logged
from shared.poller.metrics import Gauges
from shared.storage import layout
from tests.kit.http import ask
from tests.kit.log_state import log_state_restored
from tests.kit.scripted_service import refuse
from tests.kit.world import LONG, MODEL, World, job_file, model, run

CONTEXT = SimpleNamespace(
    request_id="1-64f6cd87",
    function=SimpleNamespace(name="wanx-poll"),
    credentials=SimpleNamespace(
        access_key_id="STS.roles-own-id",
        access_key_secret="roles-own-secret",
        security_token="roles-own-token",
    ),
)
SECRETS = {
    "DASHSCOPE_API_KEY": "the-key-of-the-account",
    "API_TOKEN_SHA256": "ab" * 32 + "," + "cd" * 32,
    "API_TOKENS": json.dumps([{"sha256": "ef" * 32, "scope": "read"}]),
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI-key-id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "key-secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "security-token",
}
WORDS = (
    *("the-key-of-the-account", "LTAI-key-id", "key-secret", "security-token"),
    *("STS.roles-own-id", "roles-own-secret", "roles-own-token"),
    *("ab" * 32, "cd" * 32, "ef" * 32),
)
log = logging.getLogger("shared.test")


class Lines:
    """What was printed, line by line."""

    def __init__(self, output: pytest.CaptureFixture[str]) -> None:
        self._output = output

    def raw(self) -> list[str]:
        return self._output.readouterr().out.splitlines()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw()]

    def one(self) -> dict[str, Any]:
        (only,) = self.all()
        return only


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """The log as a function sets it up; afterwards it is as it was."""
    with log_state_restored():
        logs.set_up({"FC_FUNCTION_NAME": "wanx-poll"}, CONTEXT)
        yield Lines(capsys)


def test_a_line_says_when_what_and_in_which_invocation(printed: Lines) -> None:
    log.info("job %s: submitted", "cat", extra=about("job.submitted", job="cat", attempt=2))
    line = printed.one()
    assert next(iter(line)) == "time"
    assert line.pop("time")[10] == "T"
    assert line == {
        "level": "INFO",
        "event": "job.submitted",
        "message": "job cat: submitted",
        "function": "wanx-poll",
        "fc_request_id": "1-64f6cd87",
        "job": "cat",
        "attempt": 2,
    }


def test_each_invocation_has_its_own_id_and_one_handler(printed: Lines) -> None:
    logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))  # as a runtime might
    logs.set_up({}, SimpleNamespace(request_id="second", function=SimpleNamespace(name="f")))
    log.info("once")
    line = printed.one()
    assert (line["fc_request_id"], line["function"], line["event"]) == ("second", "f", "log")


def test_a_record_tells_whose_it_is(printed: Lines) -> None:
    world = World()
    world.queued("cat")
    run(world)
    ended = next(line for line in printed.all() if line["event"] == "job.ended")
    assert (ended["job"], ended["model"], ended["attempt"]) == ("cat", MODEL, 1)
    assert (ended["task"], ended["request_id"]) == ("task-1", "r-task-1")


@pytest.mark.parametrize(
    "text",
    [
        *WORDS,
        "https://b.oss-cn-beijing.aliyuncs.com/i.png?Expires=1&OSSAccessKeyId=WORD&Signature=WORD",
        "Max retries exceeded with url: /i.png?x-oss-credential=WORD&x-oss-signature=WORD",
        "GET /?Action=GetSecretValue&SecurityToken=WORD&Signature=WORD&AccessKeyId=WORD",
        "headers {'Authorization': 'Bearer WORD'}",
        "Incorrect API key provided: sk-WORD0123",
        "data:image/png;base64," + "WORD" * 20,
    ],
)
def test_no_secret_comes_through_anywhere(printed: Lines, text: str) -> None:
    logs.set_up(SECRETS, CONTEXT)
    log.warning("saw %s", text, extra=about("log", url=text, deep={"list": [text]}, odd={1: text}))
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("trouble")
    shown = "\n".join(printed.raw())
    assert len(shown.splitlines()) == 2
    for word in (*WORDS, "WORD"):
        assert word not in shown
    assert "hidden" in shown


def test_what_is_no_secret_stays(printed: Lines) -> None:
    log.info("see https://help.example/docs and results/cat/image-1.png, 10 % done? yes")
    expected = "see https://help.example/docs and results/cat/image-1.png, 10 % done? yes"
    assert printed.one()["message"] == expected


@pytest.mark.parametrize("text", ["x" * 40_000, "图" * 40_000, '"' * 40_000])
def test_a_long_line_is_cut_and_says_so(printed: Lines, text: str) -> None:
    log.info("%s", text, extra=about("log", job="cat", other=text, many=[text] * 3))
    (raw,) = printed.raw()
    assert len(raw.encode()) < 32 * 1024
    line = json.loads(raw)
    assert (line["cut"], line["job"]) == (True, "cat")
    assert line["message"].endswith("… (cut, 40000 characters)")


def test_what_has_no_utf_8_is_cut_like_everything_else() -> None:
    # Not through the logger: pytest would keep the text for its report, which cannot be sent.
    record = logging.LogRecord("shared", logging.INFO, "", 0, "\ud800" * 40_000, (), None)
    raw = JsonLines().format(record)
    assert len(raw.encode()) < 32 * 1024
    assert json.loads(raw)["cut"] is True


def test_even_very_many_fields_make_one_short_line(printed: Lines) -> None:
    many: dict[str, Any] = {f"field_{number}": "x" * 50 for number in range(2000)}
    log.info("much", extra=about("log", **many))
    (raw,) = printed.raw()
    assert len(raw.encode()) < 32 * 1024
    assert json.loads(raw)["message"] == "much"


def test_an_exception_is_one_line_with_type_message_and_stack(printed: Lines) -> None:
    @logged(log)
    def handler(event: bytes, context: object) -> str:
        raise ValueError(f"no {event.decode()}\nhere")

    with pytest.raises(ValueError, match="no luck"):
        handler(b"luck", CONTEXT)
    line = printed.one()
    assert (line["event"], line["level"]) == ("function.failed", "ERROR")
    assert (line["error_type"], line["error"]) == ("ValueError", "no luck\nhere")
    assert "in handler" in line["stack"]


def test_what_json_does_not_know_is_text(printed: Lines) -> None:
    log.info("odd", extra=about("log", bytes=b"x", when=SimpleNamespace(a=1), ratio=0.5, no=None))
    line = printed.one()
    assert (line["bytes"], line["when"], line["ratio"]) == ("b'x'", "namespace(a=1)", 0.5)
    assert "no" not in line


@pytest.mark.parametrize(("setting", "shown"), [("", False), ("no", False), ("yes", True)])
def test_prompts_are_logged_only_where_a_setting_says_so(
    printed: Lines, setting: str, shown: bool
) -> None:
    logs.set_up({"LOG_PROMPTS": setting}, CONTEXT)
    world = World()
    world.queued("cat")  # its prompt is "prompt of cat"
    run(world)
    lines = printed.raw()
    assert any("prompt of cat" in line for line in lines) is shown
    assert len(lines) > 3


def test_a_rejection_names_the_place_and_not_the_prompt(printed: Lines) -> None:
    world = World()
    body = {"model": MODEL, "input": {"prompt": ["secret plans"], "base_image_url": "https://x/y"}}
    world.app().intake.take_value(body, Source("jobs/cat.yaml", "ETAG"))
    line = printed.one()
    assert (line["event"], line["level"]) == ("job.rejected", "WARNING")
    assert line["violations"] >= 1
    assert line["pointer"] in line["message"]
    assert "secret plans" not in json.dumps(line)


def test_the_last_line_of_a_job_has_its_numbers(printed: Lines) -> None:
    world = World(models=(model(price=0.2),))
    world.queued("first", labels={"team": "a", "campaign": "spring"})
    world.queued("second")
    run(world)
    ended = [line for line in printed.all() if line["event"] == "job.ended"]
    first, second = ended
    assert (first["job"], first["state"], first["images"]) == ("first", "SUCCEEDED", 1)
    assert (first["price_cny"], first["attempts"], first["images_failed"]) == (0.2, 1, 0)
    assert (first["labels"], first["level"]) == ("campaign=spring,team=a", "INFO")
    assert first["wait_s"] < 0.1 < second["wait_s"]
    assert first["task_s"] == pytest.approx(5.0, abs=0.5)
    assert second["total_s"] == pytest.approx(second["wait_s"] + second["task_s"], abs=1.0)


def test_a_failed_job_costs_nothing_and_says_why(printed: Lines) -> None:
    world = World(models=(model(price=0.2),))
    world.queued("cat")
    world.studio.script.append(refuse("InvalidParameter", 400))
    run(world)
    ended = next(line for line in printed.all() if line["event"] == "job.ended")
    assert (ended["state"], ended["code"], ended["level"]) == (
        *("FAILED", "InvalidParameter", "WARNING"),
    )
    assert (ended["class"], ended["price_cny"], ended["images"]) == ("caller", 0.0, 0)


def test_a_model_at_work_is_charted_from_its_start_to_zero(printed: Lines) -> None:
    world = World()
    for number in range(30):
        world.queued(f"job-{number}")
    run(world)
    metrics = [line for line in printed.all() if line["event"] == "metric"]
    assert {line["model"] for line in metrics} == {MODEL}
    first, *_, last = metrics
    assert "queued" not in first, "who waits is counted a minute after the start"
    assert (first["in_flight"], first["window"]) == (1, 1)
    assert first["slot_use"] == 1.0
    assert (last["queued"], last["in_flight"], last["oldest_wait_s"]) == (0, 0, 0.0)
    between = metrics[1]
    assert 0 < between["queued"] < 29
    assert between["oldest_wait_s"] == pytest.approx(60, abs=5)


def test_charting_costs_no_request(printed: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def requests_made() -> list[str]:
        world = World()
        for number in range(12):
            world.queued(f"job-{number}")
        run(world)
        return [call.kind for call in world.bucket.calls]

    charted = requests_made()
    assert any(line["event"] == "metric" for line in printed.all())
    monkeypatch.setattr(Gauges, "look", lambda _self, _model, useful: useful)
    monkeypatch.setattr(Gauges, "tell", lambda _self, _in_flight, **_last: None)
    assert requests_made() == charted
    assert not any(line["event"] == "metric" for line in printed.all())


def test_what_changes_is_told_at_once_and_the_rest_once_a_minute(printed: Lines) -> None:
    app = World().app()
    gauges, now = app.poller.gauges, app.clock.now()
    waiting = [layout.marker(MODEL, 5, int((now - age) * 1000), f"job-{age}") for age in (90, 30)]
    gauges.queue(MODEL, waiting, whole=True)
    gauges.tell([MODEL])
    first = printed.one()
    assert (first["queued"], first["oldest_wait_s"], first["breaker_open"]) == (2, 90.0, 0)
    rule = app.errors.classify("AllocationQuota", "", 429)
    app.states.pause(MODEL, ServiceError("AllocationQuota", "used up", 429), rule)
    gauges.tell([MODEL])
    opened, second = printed.all()
    assert (opened["event"], second["event"], second["breaker_open"]) == (
        *("breaker.opened", "metric", 1),
    )
    gauges.tell([MODEL])
    assert printed.raw() == []
    app.clock.sleep(60)
    gauges.tell([MODEL])
    assert printed.one()["event"] == "metric"


def test_an_open_breaker_is_told_at_once(printed: Lines) -> None:
    world = World()
    world.queued("cat")
    world.studio.script.append(refuse("Arrearage", 400))
    run(world, LONG)
    lines = printed.all()
    opened = next(line for line in lines if line["event"] == "breaker.opened")
    assert (opened["breaker"], opened["code"], opened["level"]) == ("~key", "Arrearage", "WARNING")
    metric = next(line for line in lines if line["event"] == "metric")
    assert (metric["breaker_open"], metric["queued"]) == (1, 1)
    assert metric["paused_s"] > 100


def test_a_defect_of_the_api_is_logged_and_answered_without_its_text(printed: Lines) -> None:
    world = World()
    app = world.app()
    app.__dict__["intake"] = None
    answer = ask(app, "POST", "/jobs", job_file())
    assert answer.status == 500
    line = next(line for line in printed.all() if line["event"] == "http.failed")
    assert (line["step"], line["error_type"]) == ("POST /jobs", "AttributeError")
    assert "NoneType" not in answer.text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain text", "plain text"),
        ('{"a": 1}', '{"a": 1}'),
        ("{broken", "{broken"),
        (
            '{"time":"2026-11-20T08:31:02.123Z","level":"WARNING","message":"job c: x"}',
            "08:31:02 WARN  job c: x",
        ),
        (
            '{"time":"2026-11-20T08:31:02.1Z","level":"ERROR","message":"m","stack":"a\\n  b\\n"}',
            "08:31:02 ERROR m\n    a\n      b",
        ),
    ],
)
def test_people_on_a_laptop_read_sentences(line: str, shown: str) -> None:
    assert readable(line) == shown
