"""`wanx doctor --deployment` against the laptop cloud: all steps are done there, and each is seen
to be open where a server answers otherwise or a setting is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from oss2.models import BucketLifecycle, LifecycleExpiration, LifecycleRule

from cli.deployment.steps import load_plan
from cli.main import wanx
from local.page_access import allow_page
from tests.e2e.conftest import ROOT
from tests.e2e.verify_laptop import (
    API,
    OSS,
    STUDIO,
    Laptop,
    downloads,
    laptop_with_proxies,
    until,
    untwisted,
)
from tests.kit.scripted_http import Answer as Scripted
from tests.kit.scripted_http import scripted_http
from tests.kit.twisted import Answer, Request, Twist

STEPS = [step.id for step in load_plan().steps]
NO_ROS = {"foundation", "alarms"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A laptop cloud in which a job has succeeded, and a timer whose minute is a second."""
    with laptop_with_proxies(tmp_path_factory, task_seconds=0.2, timer_minute=1.0) as laptop:
        laptop.cloud.drop("first.yaml", "model: z-image-turbo\ninput: {prompt: a lighthouse}\n")
        assert laptop.cloud.manifest("first")["state"] == "SUCCEEDED"
        until(lambda: Seen(laptop).state("poller") == "✓", "the timer's first call of poll")
        yield laptop


@pytest.fixture
def laptop(running: Laptop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    """The page's address is the proxy's."""
    with untwisted(running, monkeypatch):
        allow_page(running.cloud.env | {API: running.proxies[API].url})
        yield running
    running.cloud.bucket.delete_bucket_lifecycle()


class Seen:
    """What the command said, with these settings changed."""

    def __init__(self, laptop: Laptop, **changes: str) -> None:
        words = [*laptop.settings(**changes), "doctor", "--deployment"]
        self.done = CliRunner().invoke(wanx, words)
        assert self.done.exception is None or isinstance(self.done.exception, SystemExit)
        self.code, self.text = self.done.exit_code, " ".join(self.done.output.split())
        for name, secret in laptop.cloud.env.items():
            if name.endswith(("SECRET", "TOKEN", "API_KEY")):
                assert secret not in self.done.output

    def state(self, step: str) -> str:
        """`✓`, `next`, `to do`, `later` or `-`."""
        (line,) = re.findall(rf"^(.{{6}}){step}: ", self.done.output, re.MULTILINE)
        return str(line).strip()

    def open(self) -> list[str]:
        return [step for step in STEPS if self.state(step) in ("next", "to do", "later")]


def test_on_the_laptop_cloud_all_is_done_that_it_has(laptop: Laptop) -> None:
    seen = Seen(laptop)
    assert seen.code == 0, seen.done.output
    assert "All is done." in seen.text
    expected = {step: "-" if step in {*NO_ROS, "bucket-rules"} else "✓" for step in STEPS}
    assert {step: seen.state(step) for step in STEPS} == expected


def without_triggers(function: str, *names: str) -> Twist:
    return triggers(function, lambda rows: [r for r in rows if r["triggerName"] not in names])


def triggers(
    function: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> Twist:
    def twist(request: Request, answer: Answer) -> Answer | None:
        if f"/functions/wanx-{function}/triggers" not in request.path:
            return None
        return answer.with_json(lambda said: {"triggers": change(said["triggers"])})

    return twist


def refused(path: str, status: int, code: str) -> Twist:
    def twist(request: Request, answer: Answer) -> Answer | None:
        body = json.dumps({"Code": code, "Message": "as the test says"}).encode()
        return Answer(status, answer.headers, body) if path in request.path else None

    return twist


def denied(request: Request, answer: Answer) -> Answer | None:
    body = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
    return Answer(403, answer.headers, body) if "list-type=2" in request.path else None


def elsewhere(request: Request, answer: Answer) -> Answer | None:
    body = answer.body.replace(b"oss-cn-beijing<", b"oss-cn-hangzhou<")
    return replace(answer, body=body) if "?bucketInfo" in request.path else None


def has_versioning(request: Request, answer: Answer) -> Answer | None:
    body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    return replace(answer, body=body) if "?versioning" in request.path else None


def lists_nothing_of(folder: str) -> Twist:
    def twist(request: Request, answer: Answer) -> Answer | None:
        if "list-type=2" not in request.path or folder.replace("/", "%2F") not in request.path:
            return None
        body = re.sub(rb"<Contents>.*</Contents>", b"", answer.body, flags=re.DOTALL)
        return replace(answer, body=re.sub(rb"<KeyCount>\d+", b"<KeyCount>0", body))

    return twist


def an_hour_later(request: Request, answer: Answer) -> Answer | None:
    if "state%2Flease" not in request.path:
        return None
    later = parsedate_to_datetime(answer.headers["Date"]).timestamp() + 3600
    return replace(answer, headers=answer.headers | {"Date": formatdate(later, usegmt=True)})


OTHER_BUCKET = triggers("poll", lambda rows: [r | {"sourceArn": "acs:oss:x::b"} for r in rows])
ONE_MORE = triggers("submit", lambda rows: [*rows, rows[0] | {"triggerName": "jobs-txt"}])
BROKEN: list[tuple[str, str, Twist, str, str]] = [
    ("bucket", OSS, elsewhere, "in cn-hangzhou, the settings say cn-beijing", "Do: Correct OSS_R"),
    ("bucket", OSS, has_versioning, "versioning", "set OSS_BUCKET to a new bucket; then s found"),
    ("functions", API, refused("wanx-rescue/", 404, "FunctionNotFound"), "wanx-rescue", "s deploy"),
    (
        "functions",
        API,
        refused("wanx-poll/", 403, "AccessDenied"),
        "fc:ListTriggers",
        "Do: Activate Function Compute",
    ),
    ("api", API, refused("/jobs/wanx-doctor", 500, "Oops"), "HTTP 500", "Do: Look into the log of"),
    (
        "model-service",
        STUDIO,
        refused("/tasks", 503, "ServiceUnavailable"),
        "(HTTP 503); try again later",
        "Do: Wait some minutes",
    ),
    (
        "bucket-rules",
        OSS,
        refused("?lifecycle", 403, "AccessDenied"),
        "cannot be read",
        "Do: Give the RAM user of cloud.env the policy wanx-operator.",
    ),
    ("access-key", OSS, denied, "the key may not do this", "Do: Give the RAM user of cloud.env"),
    ("triggers", API, without_triggers("submit", "jobs-yml"), "no trigger jobs-yml", "s deploy -y"),
    ("triggers", API, ONE_MORE, "a trigger jobs-txt that is not of this version", "s deploy -y"),
    ("triggers", API, OTHER_BUCKET, "wanx-poll's trigger wake is on b, not", "s deploy -y"),
    ("poller", OSS, lists_nothing_of("state/lease/"), "has never run", "log of wanx-poll"),
    ("poller", OSS, an_hour_later, "is called every 1 min", "log of wanx-poll"),
    (
        "first-job",
        OSS,
        lists_nothing_of("state/jobs/"),
        "no job has succeeded",
        "submit first.yaml",
    ),
]


@pytest.mark.parametrize(("step", "server", "twist", "said", "do"), BROKEN)
def test_a_step_is_open_where_a_server_says_otherwise(
    laptop: Laptop, step: str, server: str, twist: Twist, said: str, do: str
) -> None:
    laptop.proxies[server].twists.append(twist)
    seen = Seen(laptop)
    assert (seen.code, seen.state(step)) == (1, "next"), seen.done.output
    assert said in seen.text
    assert do in seen.text


NOBODY = "http://127.0.0.1:1"
CONNECT = "Connect this computer to the network"
WRONG: list[tuple[str, dict[str, str], str, str]] = [
    ("settings", {"OSS_BUCKET": ""}, "The environment lacks OSS_BUCKET", "Write the file cloud"),
    ("settings", {"OSS_ACCESS_KEY_ID": ""}, "no keys for OSS", "Write the file cloud.env"),
    ("settings", {"OSS_ENDPOINT": "oss://x"}, "OSS_ENDPOINT", "Correct that setting in cloud.env"),
    (
        "access-key",
        {"OSS_ACCESS_KEY_SECRET": "wrong"},
        "does not belong to OSS_ACCESS_KEY_ID",
        "Take the AccessKey of the RAM user",
    ),
    ("access-key", {"OSS_ENDPOINT": NOBODY}, "nobody answers at OSS_ENDPOINT", CONNECT),
    ("model-service", {"DASHSCOPE_API_KEY": "sk-wrong"}, "refuses DASHSCOPE_API_KEY", "Activate"),
    ("model-service", {"DASHSCOPE_HTTP_BASE_URL": NOBODY}, "cannot be reached", CONNECT),
    ("bucket", {"OSS_BUCKET": "not-there"}, "there is no such bucket", "s foundation deploy -y"),
    ("public-endpoint", {"OSS_PUBLIC_ENDPOINT": NOBODY}, "INPUT_DELIVERY=inline", "export OSS_PUB"),
    ("api", {"API_TOKEN": "wrong"}, "refuses the token", "Set API_URL and API_TOKEN in cloud.env"),
    ("api", {"API_URL": ""}, "Function Compute says that it is http://127.0.0.1:", "Set API_URL"),
]


@pytest.mark.parametrize(("step", "changes", "said", "do"), WRONG)
def test_a_step_is_open_where_a_setting_is_wrong(
    laptop: Laptop, step: str, changes: dict[str, str], said: str, do: str
) -> None:
    seen = Seen(laptop, **changes)
    assert (seen.code, seen.state(step)) == (1, "next"), seen.done.output
    assert said in seen.text
    assert f"Do: {do}" in seen.text
    for later in load_plan().steps:
        if step in later.needs:
            assert seen.state(later.id) == "later"


def test_an_api_that_nobody_reaches_is_not_cured_by_its_token(laptop: Laptop) -> None:
    seen = Seen(laptop, API_URL=NOBODY)
    assert seen.state("api") == "to do"
    assert f"Do: {CONNECT}, or correct API_URL" in seen.text


def rule(prefix: str, days: int) -> LifecycleRule:
    return LifecycleRule(prefix or "all", prefix, expiration=LifecycleExpiration(days=days))


ALL = [rule(key, days + 1) for key, days in load_plan().lifecycle.items() if days < 100]
RULES = [
    ([rule("", 30)], "a rule for all objects removes all of state/"),
    ([rule("state/", 400)], "a rule for state/ removes all of state/"),
    ([rule("state/tasks/", 1)], "removes state/tasks/ after 1 d, not 2 or more"),
    ([rule("state/queue/", 900)], "removes state/queue/, where no object may go"),
    ([rule("state/records/2026", 30)], "removes state/records/2026 after 30 d, not 180 or more"),
]


@pytest.mark.parametrize(("rules", "said"), RULES)
def test_lifecycle_rules_that_remove_what_is_needed_are_seen(
    laptop: Laptop, rules: list[LifecycleRule], said: str
) -> None:
    laptop.cloud.bucket.put_bucket_lifecycle(BucketLifecycle(rules))
    seen = Seen(laptop)
    assert (seen.code, seen.state("bucket-rules")) == (1, "next")
    assert said in seen.text


def test_rules_as_they_must_be_are_counted(laptop: Laptop) -> None:
    laptop.cloud.bucket.put_bucket_lifecycle(BucketLifecycle(ALL))
    seen = Seen(laptop)
    assert (seen.code, seen.state("bucket-rules")) == (0, "✓")
    assert f"{len(ALL)} lifecycle rules, none of which removes too much" in seen.text


def test_a_bucket_that_keeps_pages_out_is_seen(laptop: Laptop) -> None:
    laptop.cloud.bucket.delete_bucket_cors()
    seen = Seen(laptop)
    assert seen.state("bucket-rules") == "next"
    assert "so none can upload" in seen.text


def test_a_page_that_is_downloaded_is_no_failure(laptop: Laptop) -> None:
    """Programs and `wanx` need no domain."""
    laptop.proxies[API].twists.append(downloads)
    seen = Seen(laptop)
    assert (seen.code, seen.state("page")) == (0, "to do")
    assert "If you want it: Bind a domain of your own to wanx-api" in seen.text


def ros(status: str, **parameters: str) -> list[Scripted]:
    rows = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    stack = {"Status": status, "StatusReason": "as ROS says", "Parameters": rows}
    listed = {"TotalCount": 1, "Stacks": [{"StackId": "8c1f", "StackName": "wanx-foundation"}]}
    return [Scripted(body=json.dumps(one).encode()) for one in (listed, stack)]


ON = {"Alarms": "true", "AlarmPolicy": "on-call"}
STACKS: list[tuple[list[Scripted], str, str, str]] = [
    (ros("CREATE_COMPLETE", **ON), "", "", "the action policy is on-call"),
    (ros("UPDATE_COMPLETE", Alarms="false"), "alarms", "ALARMS=true", "nobody is notified"),
    (ros("CREATE_IN_PROGRESS"), "foundation", "Do: Wait some minutes", "wait until"),
    (ros("CREATE_FAILED"), "foundation", "s foundation", "CREATE_FAILED: as ROS says"),
    ([Scripted(body=b'{"Stacks": []}')], "foundation", "s foundation", "no stack wanx-foundation"),
    (
        [Scripted(403, b'{"Code": "NoPermission"}')],
        "foundation",
        "Do: Give",
        "allow ros:ListStacks",
    ),
]


@pytest.mark.parametrize(("answers", "step", "do", "said"), STACKS)
def test_the_foundation_and_its_alarms_are_looked_at(
    laptop: Laptop, answers: list[Scripted], step: str, do: str, said: str
) -> None:
    with scripted_http() as script:
        script.then(*answers)
        seen = Seen(laptop, ROS_ENDPOINT=script.url)
    assert said in seen.text
    assert do in seen.text
    assert seen.code == (1 if step else 0), seen.done.output
    if step:
        assert seen.state(step) == "next"
    asked = [(one.headers["x-acs-action"], one.target) for one in script.seen]
    assert asked[0] == ("ListStacks", "/?RegionId=cn-beijing&StackName.1=wanx-foundation")
    assert asked[1:] in ([], [("GetStack", "/?RegionId=cn-beijing&StackId=8c1f")])


def test_over_the_http_api_it_says_what_it_needs(laptop: Laptop) -> None:
    asked = ["--api", laptop.cloud.env["API_URL"], "doctor", "--deployment"]
    done = CliRunner().invoke(wanx, asked)
    assert done.exit_code == 3
    assert "works on the bucket" in done.output


def test_each_step_names_a_section_that_there_is() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    titles = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert {step.page for step in load_plan().steps} <= titles


def test_the_triggers_are_those_of_s_yaml() -> None:
    resources = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))["resources"]
    declared = {
        name: {one["triggerName"]: one["triggerType"] for one in row["props"].get("triggers", ())}
        for name, row in resources.items()
        if row["component"] == "fc3"
    }
    assert load_plan().triggers == declared


def test_the_rules_of_the_template_are_as_they_must_be() -> None:
    template = yaml.safe_load((ROOT / "template.yml").read_text("utf-8"))
    rules = template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rule"]
    days = {row["Prefix"]: row["Expiration"]["Days"] for row in rules if "Expiration" in row}
    least = load_plan().lifecycle
    assert set(least) <= set(days)
    for prefix, needed in least.items():
        assert not isinstance(days[prefix], int) or days[prefix] >= needed
    assert min(one for one in template["Parameters"]["RecordDays"]["AllowedValues"] if one) == 180
