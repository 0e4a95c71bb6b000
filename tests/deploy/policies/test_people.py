"""What the people of a deployment may do: all that is deployed needs, and nothing of the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.policies import people
from deploy.policies.__main__ import main
from deploy.policies.documents import LONGEST, Stack
from deploy.policies.people import checked_rights, deployed_parts, person_documents
from deploy.policies.table import TableError
from deploy.template.generated import ROOT
from local.ram import ALLOW, Access, Policy

LONG = Stack("w" + "x" * 31, "b" * 63, "cn-wulanchabu-acdr-1", "1" * 16)
ACCOUNT = "1234567890123456"
STACK = Stack("wanx-dev", "pictures", "cn-beijing", ACCOUNT)
OWN = f"cn-beijing:{ACCOUNT}"


def may(person: str, action: str, resource: str) -> bool:
    document = person_documents(checked_rights(), STACK)[f"{STACK.name}-{person}"]
    return Policy.of(document).judge(Access(action, resource)) == ALLOW


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ros:CreateStack", f"acs:ros:{OWN}:stack/8c1f"),
        ("oss:PutBucketLifecycle", "acs:oss:*:*:pictures"),
        ("ram:AttachPolicyToRole", f"acs:ram:*:{ACCOUNT}:role/wanx-dev-oss-trigger"),
        ("ram:CreatePolicyVersion", f"acs:ram:*:{ACCOUNT}:policy/wanx-dev-poll"),
        ("ram:PassRole", f"acs:ram:*:{ACCOUNT}:role/wanx-dev-api"),
        ("log:CreateIndex", f"acs:log:{OWN}:project/wanx-dev-{ACCOUNT}/logstore/functions"),
        ("fc:UpdateFunction", f"acs:fc:{OWN}:functions/wanx-dev-rescue"),
        ("fc:CreateTrigger", f"acs:fc:{OWN}:functions/wanx-dev-poll/triggers/wake"),
        ("fc:PutConcurrencyConfig", f"acs:fc:{OWN}:functions/wanx-dev-poll"),
    ],
)
def test_the_deployer_may_make_this_stack_and_no_other(action: str, resource: str) -> None:
    assert may("deployer", action, resource)
    assert not may("operator", action, resource)
    for ours, others in (("wanx-dev", "other"), ("pictures", "others"), (ACCOUNT, "999")):
        if ours in resource:
            assert not may("deployer", action, resource.replace(ours, others))


@pytest.mark.parametrize("action", ["oss:GetObject", "oss:DeleteObject", "oss:DeleteBucket"])
def test_the_deployer_neither_reads_nor_deletes_what_is_in_the_bucket(action: str) -> None:
    assert not may("deployer", action, "acs:oss:*:*:pictures")
    assert not may("deployer", action, "acs:oss:*:*:pictures/results/a/1.png")


def test_the_operator_works_with_the_bucket_and_changes_nothing_of_the_deployment() -> None:
    assert may("operator", "oss:PutObject", "acs:oss:*:*:pictures/jobs/a.yaml")
    rows = [row for row in checked_rights() if row.person == "operator"]
    verbs = {
        action.partition(":")[2] for row in rows for action in row.actions if "oss:" not in action
    }
    assert verbs == {"ListTriggers", "ListStacks", "GetStack", "InvokeFunction"}


def test_policies_fit_into_what_ram_takes_however_long_the_names() -> None:
    for document in person_documents(checked_rights(), LONG).values():
        Policy.of(document)
        assert len(json.dumps(document)) <= LONGEST


def files() -> tuple[dict[str, Any], dict[str, Any]]:
    template, declared = (
        yaml.safe_load((ROOT / name).read_text()) for name in ("template.yml", "s.yaml")
    )
    return template, declared


def test_only_what_s_deploys_counts() -> None:
    """The template has the functions as well, and an event rule; s.yaml turns both off."""
    parts = deployed_parts(*files())
    assert "ALIYUN::OSS::Bucket" in parts
    assert "ALIYUN::SLS::Alert" in parts
    assert "fc3 oss trigger" in parts
    assert [part for part in parts if "FC3" in part or "EventBridge" in part] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ALIYUN::SLS::Index", "ALIYUN::SLS::Indices", "no row for ALIYUN::SLS::Index"),
        ("  - for: fc3 role", "  - for: fc3 layer", "no row for fc3 role"),
        ("  - for: wanx verify", "  - fur: wanx verify", "row 5 of operator: expected a mapping"),
        ("resources: [poll]", "resources: [pool]", "'pool' is none of stacks"),
        ("deployer:\n", "deployers:\n", "expected the lists deployer and operator"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    old: str,
    new: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = tmp_path / "people.yaml"
    table.write_text(people.TABLE.read_text("utf-8").replace(old, new), "utf-8")
    monkeypatch.setattr(people.load_rights, "__defaults__", (table,))
    assert main(["--bucket", "b-1", "--account", "1", "wanx-operator"]) == 1
    assert said in capsys.readouterr().err


def test_a_new_kind_of_resource_needs_a_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    template, _ = files()
    template["Resources"]["Topic"] = {"Type": "ALIYUN::MNS::Topic"}
    (tmp_path / "template.yml").write_text(yaml.safe_dump(template), "utf-8")
    monkeypatch.setattr(people, "TEMPLATE", tmp_path / "template.yml")
    with pytest.raises(TableError, match="no row for ALIYUN::MNS::Topic"):
        checked_rights()


def test_a_policy_is_printed_for_pasting(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "--bucket",
        "pictures",
        "--account",
        ACCOUNT,
        "--name",
        "wanx-dev",
        "wanx-dev-deployer",
    ]
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == person_documents(checked_rights(), STACK)["wanx-dev-deployer"]
    assert len(printed) <= LONGEST
