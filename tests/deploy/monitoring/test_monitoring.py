"""deploy/logs.yaml and deploy/alarms.yaml: refused when wrong, and what is made of them."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cli.main import wanx
from deploy.checks.ros_file import read_template
from deploy.checks.ros_values import Resolver
from deploy.monitoring.declared import ALARMS, LOGS, Alarm, MonitoringError, load_monitoring
from deploy.monitoring.rules import problems
from deploy.template.generated import ROOT, TEMPLATE

DECLARED = load_monitoring()


def refused(folder: Path, file: Path, right: str, wrong: str) -> str:
    """What is said about the two files after an edit of one of them."""
    copies = {one: folder / one.name for one in (LOGS, ALARMS)}
    for one, copy in copies.items():
        text = one.read_text("utf-8")
        if one == file:
            assert right in text
            text = text.replace(right, wrong, 1)
        copy.write_text(text, "utf-8")
    try:
        return "\n".join(problems(load_monitoring(copies[LOGS], copies[ALARMS])))
    except MonitoringError as error:
        return str(error)


def test_every_query_asks_for_what_the_functions_print() -> None:
    assert problems(DECLARED) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("[event.given_up]", "[event.givenup]", "event event.givenup is unknown"),
        ("[event.given_up]", "[event.givenup]", "Did you mean event.given_up?"),
        ('"message.tries"', '"message.trials"', "field trials is unknown"),
        ('"message.tries"', '"message.price_cny"', "field price_cny is unknown; expected one of"),
        ('"message.wait_s" AS wait_s F', '"message.rounds" AS r F', "field rounds is unknown"),
        ('"message.tries"', '"message.message"', "field message is not in the index"),
        ("fires: letters > 0", "fires: dead > 0", "dead-letters: column dead is unknown"),
        ("y: [p50, p95]", "y: [p50, p99]", "column p99 is unknown"),
        ("fires: letters > 0", "fires: letters == 0", "< or >, and a number"),
        ("severity: high", "severity: loud", "report or low or medium or high or critical"),
        ("SELECT count(*) AS letters FROM log", "count(*) AS letters", "SELECT … FROM log …"),
        ("minutes: 5", "minutes: 0", "found 0; expected 1 to 1440"),
        ("minutes: 5", "minuets: 5", "Did you mean minutes?"),
        ("  dead-letters:", "  dead letters:", "4 to 64 characters"),
        ("  orphaned-task:", "  dead-letters:", "`dead-letters` is written twice"),
        ("type: line", "type: lines", "line or column or pie or table"),
        ("alarms:\n", "alarm:\n", "alarms.yaml: no alarms"),
    ],
)
def test_a_mistake_in_what_is_watched_is_refused(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    found = refused(tmp_path, ALARMS, right, wrong)
    assert found.startswith("alarms.yaml: ") and said in found


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("fields: [image, code]", "fields: [image, codes]", "events.image.delayed: field codes"),
        ("of_a_job: [job,", "of_a_job: [jobb,", "of_a_job: field jobb is unknown"),
        ("tries: {type: long,", "tries: {type: integer,", "text or long or double"),
        ("tries: {type: long,", "tries: {type: long, index: true,", "Did you mean indexed?"),
        ("  tries: {type: long,", "  of: {type: long,", "`of` is written twice"),
    ],
)
def test_a_mistake_in_what_is_printed_is_refused(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    found = refused(tmp_path, LOGS, right, wrong)
    assert found.startswith("logs.yaml: ") and said in found


def made(**values: Any) -> dict[str, Any]:
    """The resources that the template makes with alarms on."""
    given = {"BucketName": "b", "Alarms": "true", "AlarmPolicy": "on-call", **values}
    return Resolver(read_template(TEMPLATE), given, {}).made("Resources")


def configuration(alarm: str, **values: Any) -> dict[str, Any]:
    found: dict[str, Any] = made(**values)[alarm]["Properties"]["Detail"]["Configuration"]
    return found


def test_the_template_has_a_rule_for_each_alarm_and_a_chart_for_each_query() -> None:
    resources = made(Name="wanx-dev")
    rules = [one for one in resources.values() if one["Type"] == "ALIYUN::SLS::Alert"]
    details = [one["Properties"]["Detail"] for one in rules]
    assert [one["Name"] for one in details] == [alarm.name for alarm in DECLARED.alarms]
    assert [one["Configuration"]["QueryList"][0]["Query"] for one in details] == [
        alarm.text for alarm in DECLARED.alarms
    ]
    assert details[0]["DisplayName"] == "wanx-dev: dead letters"
    charts = resources["Dashboard"]["Properties"]["Charts"]
    assert [one["search"]["query"] for one in charts] == [one.text for one in DECLARED.charts]
    assert len({(one["display"]["xPos"], one["display"]["yPos"]) for one in charts}) == len(charts)


def test_an_alarm_says_what_to_do_and_goes_to_the_action_policy() -> None:
    rule = configuration("BreakerOpenAlarm")
    assert rule["PolicyConfiguration"]["ActionPolicyId"] == "on-call"
    said = {one["Key"]: one["Value"] for one in rule["Annotations"]}
    assert said["title"] == "breaker open"
    assert said["desc"].endswith(
        "names, then ./wanx resume MODEL, or ./wanx resume --key for ~key."
    )
    (severity,) = rule["SeverityConfigurations"]
    assert severity == {
        "Severity": 8,
        "EvalCondition": {"Condition": "opened > 0", "CountCondition": ""},
    }


@pytest.mark.parametrize("alarm", DECLARED.alarms, ids=lambda alarm: str(alarm.name))
def test_a_command_that_an_alarm_names_is_complete(
    alarm: Alarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is written it is taken, here up to the settings that are missing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env").write_text("", "utf-8")
    for words in re.findall(r"`\./wanx ([^`]+)`", alarm.do):
        name, *typed = words.replace("MODEL", "wanx-x-painting").split()
        command = wanx.get_command(click.Context(wanx), name)
        assert command is not None, name
        if any(one.opts == ["--env"] for one in command.params):
            typed += ["--env", "env"]
            assert "Usage:" not in CliRunner().invoke(wanx, [name, *typed]).output
        command.make_context(name, typed)


class CountIf:
    """The aggregate of Log Service that SQLite does not have."""

    def __init__(self) -> None:
        self.count = 0

    def step(self, holds: int | None) -> None:
        self.count += bool(holds)

    def finalize(self) -> int:
        return self.count


@pytest.mark.parametrize(
    ("levels", "fires"),
    [(("WARNING",), False), (("WARNING",) * 3, True), (("ERROR",), True)],
)
def test_one_request_to_kms_that_failed_is_not_an_alarm(
    levels: tuple[str, ...], fires: bool
) -> None:
    (alarm,) = (one for one in DECLARED.alarms if one.name == "key-unavailable")
    with closing(sqlite3.connect(":memory:")) as base:
        base.create_aggregate("count_if", 1, CountIf)
        base.execute('CREATE TABLE log ("message.level" TEXT)')
        base.executemany("INSERT INTO log VALUES (?)", [(level,) for level in levels])
        (failures,) = base.execute(alarm.sql).fetchone()
    assert alarm.fires == "failures > 0"
    assert (failures > 0) is fires


@pytest.mark.parametrize(
    ("level", "goes"), [("DEBUG", True), ("INFO", True), ("WARNING", False), ("ERROR", False)]
)
def test_alarms_need_the_lines_that_they_listen_for(level: str, goes: bool) -> None:
    """Without poll.ended and metric, "poller silent" would fire for good."""
    template = read_template(TEMPLATE)
    given = {"BucketName": "b", "Alarms": "true", "AlarmPolicy": "on-call", "LogLevel": level}
    resolver = Resolver(template, given, {})
    asserted = template["Rules"]["AlarmsNeedPolicyAndLines"]["Assertions"]
    assert all(resolver.holds(one["Assert"], "Rules") for one in asserted) is goes


def test_a_poller_with_the_safety_net_alone_may_be_silent_for_longer() -> None:
    def start(timer: str) -> str:
        (query,) = configuration("PollerSilentAlarm", PollTimer=timer)["QueryList"]
        return str(query["Start"])

    assert (start("@every 1m"), start("@every 360m")) == ("-5m", "-390m")


def test_no_line_at_all_is_an_alarm_only_where_silence_is() -> None:
    silent = configuration("PollerSilentAlarm")
    assert (silent["NoDataFire"], silent["NoDataSeverity"]) == (True, 10)
    assert configuration("DeadLettersAlarm")["NoDataFire"] is False


def test_the_index_has_the_fields_that_queries_may_ask_for() -> None:
    keys = {one["Name"]: one for one in made()["LogIndex"]["Properties"]["KeyIndices"]}
    indexed = {one["Name"]: one["Type"] for one in keys["message"]["JsonKeyIndices"]}
    fields = DECLARED.lines.fields
    assert indexed == {name: one.type for name, one in fields.items() if one.indexed}


def test_the_page_has_every_alarm_with_its_query() -> None:
    page = (ROOT / "docs" / "logs.md").read_text("utf-8")
    for alarm in DECLARED.alarms:
        assert f"\n| {alarm.title} | {alarm.minutes} min" in page
        assert f"\n{alarm.title}:\n\n```sql\n{alarm.text}\n```\n" in page


def test_the_command_says_whether_template_and_page_are_fresh() -> None:
    command = [sys.executable, "-m", "deploy.monitoring", "--check"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    assert done.returncode == 0, "run: make template"
