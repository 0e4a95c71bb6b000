"""template.yml as it is, and with one mistake at a time."""

from __future__ import annotations

import copy
import io
import random
import tarfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.checks.ros import check_document, check_template
from deploy.checks.ros_file import TemplateUnreadable, read_template
from deploy.checks.ros_types import PackagesUnreadable, read_types
from deploy.checks.ros_values import PSEUDO, Resolver

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "template.yml"
MISTAKES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("mistakes_template.yaml").read_text(encoding="utf-8")
)


@lru_cache(maxsize=1)
def template() -> dict[str, Any]:
    """template.yml as it is; not to be changed."""
    return read_template(TEMPLATE)


def patched(document: Any, mistake: dict[str, Any]) -> Any:
    """A copy of the document with the mistake in it."""
    changed = copy.deepcopy(document)
    *path, last = mistake["at"]
    holder = changed
    for key in path:
        holder = holder[key]
    if mistake.get("drop"):
        del holder[last]
    else:
        holder[last] = mistake["put"]
    return changed


def test_the_template_has_no_findings() -> None:
    assert [str(one) for one in check_template(TEMPLATE)] == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=[one["name"] for one in MISTAKES])
def test_a_mistake_is_found(mistake: dict[str, Any]) -> None:
    found = check_document(patched(template(), mistake))
    assert mistake["finds"] in {one.id for one in found}, [str(one) for one in found]


def test_a_finding_says_what_is_wrong_where_and_what_to_do() -> None:
    mistake = {"at": ["Resources", "PollFunction", "Properties", "Timeout"], "put": 86401}
    (found,) = check_document(patched(template(), mistake))
    assert found.where == "Resources.PollFunction.Properties.Timeout"
    assert found.found == "found 86401"
    assert found.expected == "1 to 86400"
    assert found.advice and found.source == "ros-cdk packages"


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(value, (*at, key))


@pytest.mark.parametrize("junk", [None, 5, True, "x", [], [1], {}, {"Fn::If": ["Deploy", 1]}])
def test_junk_anywhere_is_reported_without_a_traceback(junk: Any) -> None:
    everywhere = [list(at) for at in places(template()) if at and at != ("Resources",)]
    found = 0
    for at in random.Random(7).sample(everywhere, 12):
        found += bool(check_document(patched(template(), {"at": at, "put": junk})))
    assert found


def test_mistakes_that_are_made_together_are_reported_together() -> None:
    document = template()
    for mistake in MISTAKES[6:10]:
        document = patched(document, mistake)
    found = {one.id for one in check_document(document)}
    assert {"unknown-type", "unknown-key"} <= found


def made(**values: Any) -> dict[str, Any]:
    return Resolver(template(), {"BucketName": "b", **values}, {}).made("Resources")


def kinds(resources: dict[str, Any]) -> set[str]:
    return {one["Type"].split("::")[1] for one in resources.values()}


def test_without_functions_only_bucket_roles_and_logs_are_made() -> None:
    assert kinds(made(DeployFunctions="false", WakeOnTaskFinished="true")) == {"OSS", "RAM", "SLS"}


def test_a_bucket_that_is_there_is_not_made_and_triggers_still_name_it() -> None:
    resources = made(CreateBucket="false")
    assert "OSS" not in kinds(resources)
    arn = f"acs:oss:cn-beijing:{PSEUDO['ALIYUN::TenantId']}:b"
    assert resources["YamlJobs"]["Properties"]["SourceArn"] == arn


def test_poll_is_woken_by_tasks_only_when_asked_to() -> None:
    assert "EventBridge" not in kinds(made())
    rule = made(WakeOnTaskFinished="true")["TaskFinished"]["Properties"]
    assert rule["FilterPattern"]["type"] == ["dashscope:System:AsyncTaskFinish"]


def test_of_key_and_secret_the_functions_get_one() -> None:
    given = made(DashScopeApiKey="sk-x", DashScopeApiKeySecret="wanx/key")
    settings = given["PollFunction"]["Properties"]["EnvironmentVariables"]
    assert settings["DASHSCOPE_API_KEY"] == ""
    assert settings["DASHSCOPE_API_KEY_SECRET"] == "wanx/key"


def test_dashboard_and_alarms_are_made_only_when_asked_for() -> None:
    watching = {"Dashboard", "Alert"}
    off, on = made(), made(Alarms="true", AlarmPolicy="on-call")
    assert not watching & {one["Type"].split("::")[2] for one in off.values()}
    assert {one["Type"].split("::")[2] for name, one in on.items() if name not in off} == watching


@pytest.mark.parametrize(("days", "status"), [(0, "Disabled"), (365, "Enabled")])
def test_records_stay_unless_a_time_is_given(days: int, status: str) -> None:
    rules = {
        rule["ID"]: rule
        for rule in made(RecordDays=days)["Bucket"]["Properties"]["LifecycleConfiguration"]["Rule"]
    }
    assert {rules[name]["Status"] for name in ("records", "job-index", "results")} == {status}
    if days:
        assert rules["records"]["Expiration"]["Days"] == days
        assert rules["results"]["Expiration"]["Days"] == days + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not YAML"),
        ("A: 1\nA: 2", "line 2: A a second time"),
        ("A: !Ref B", "in full"),
        ("- 1", "`Resources`"),
        ("Resources: x", "`Resources`"),
    ],
)
def test_a_file_that_is_not_a_template_is_reported(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "template.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TemplateUnreadable, match=said):
        check_template(path)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(TemplateUnreadable, match="No such file"):
        check_template(tmp_path / "none.yml")


def test_missing_packages_are_reported_with_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(PackagesUnreadable, match="make"):
        read_types(tmp_path)


VALIDATOR = """
function RosThingPropsValidator(properties) {{
    errors.collect(ros.propertyValidator('size', {})(properties.size));
}}
function rosThingPropsToRosTemplate(properties) {{
    RosThingPropsValidator(properties).assertSuccess();
    return {{
        'Size': ros.numberToRosTemplate(properties.size),
    }};
}}
class RosThing extends ros.RosResource {{
    constructor() {{
        this.attrSize = this.getAtt('Size');
    }}
}}
RosThing.ROS_RESOURCE_TYPE_NAME = "ALIYUN::X::Thing";
"""


def packages(folder: Path, validator: str) -> Path:
    """A folder as pip leaves it, with one resource type in it."""
    target = folder / "ros_cdk_x" / "_jsii"
    target.mkdir(parents=True)
    body = VALIDATOR.format(validator).encode()
    with tarfile.open(target / "x.jsii.tgz", "w:gz") as tar:
        member = tarfile.TarInfo("package/lib/x.generated.js")
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
    return folder


def test_types_come_from_the_packages(tmp_path: Path) -> None:
    types = read_types(packages(tmp_path, "ros.validateNumber"))
    schema = types.schemas[types.resources["ALIYUN::X::Thing"]]
    assert schema["properties"]["Size"]["type"] == "number"
    assert types.attributes["ALIYUN::X::Thing"] == {"Size"}


def test_a_validator_of_an_unknown_kind_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(PackagesUnreadable, match="validateColour"):
        read_types(packages(tmp_path, "ros.validateColour"))
