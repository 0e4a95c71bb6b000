"""The functions' log: one JSON object a line, without secrets, short enough for the logstore."""

from __future__ import annotations

import json
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from shared.jobs.intake import Source
from shared.platform import logs
from shared.platform.logs import JsonLines, about, logged
from tests.kit.http import ask
from tests.kit.log_lines import CONTEXT, Lines
from tests.kit.studio import refuse
from tests.kit.world import MODEL, World, job_file, model, run

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
    world.app().acceptance.value(body, Source("jobs/cat.yaml", "ETAG"))
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


def test_a_defect_of_the_api_is_logged_and_answered_without_its_text(printed: Lines) -> None:
    world = World()
    app = world.app()
    app.__dict__["acceptance"] = None
    answer = ask(app, "POST", "/jobs", job_file())
    assert answer.status == 500
    line = next(line for line in printed.all() if line["event"] == "http.failed")
    assert (line["step"], line["error_type"]) == ("POST /jobs", "AttributeError")
    assert "NoneType" not in answer.text


def test_what_pillow_says_of_an_image_is_no_line_of_ours(printed: Lines) -> None:
    logs.set_level("INFO")
    logging.getLogger("PIL.TiffImagePlugin").error("More samples per pixel than can be decoded: 9")
    assert printed.all() == []
