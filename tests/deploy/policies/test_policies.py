"""One table makes every policy: documents for RAM, blocks of template.yml, docs/permissions.md."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.policies.documents import LONGEST, PolicyTooLong, Stack, documents
from deploy.policies.table import Permission, TableError, load_table, roles, without
from deploy.policies.template import blocks
from deploy.template.generated import ROOT, TemplateError, rewritten
from local.ram import Policy
from shared.storage import layout

LONG = Stack("w" + "x" * 31, "b" * 63, "cn-wulanchabu-acdr-1", "1" * 16, "s" * 64)
STACK = Stack("wanx-dev", "pictures", "cn-beijing", "1234567890123456")
SMALL = """\
Resources:
  SubmitRole:
    Properties:
      # BEGIN policies submit
      Policies: []
      # END policies submit
      Tags: []
  PollRole:
    Properties:
      # BEGIN policies poll
      # END policies poll
"""
ROWS = [
    Permission("submit", "oss:GetObject", ("jobs/*", "inputs/*"), "reads"),
    Permission("submit", "oss:ListObjects", ("state/queue/*",), "lists"),
    Permission("poll", "fc:InvokeFunction", ("rescue",), "calls"),
]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.policies", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def statements(role: str, stack: Stack = STACK) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = documents(load_table(), stack)[f"{stack.name}-{role}"][
        "Statement"
    ]
    return found


def test_every_function_has_a_role_and_every_role_a_function() -> None:
    declared = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))["resources"]
    functions = {name for name, one in declared.items() if one["component"] == "fc3"}
    assert set(roles(load_table())) == functions | {"oss-trigger"}


def test_policies_fit_into_what_ram_takes_however_long_the_names() -> None:
    two = replace(LONG, results="r" * 63)
    for document in [
        one for stack in (LONG, two) for one in documents(load_table(), stack).values()
    ]:
        Policy.of(document)
        assert len(json.dumps(document)) <= LONGEST
    many = [Permission("submit", "oss:GetObject", tuple(f"{n}/*" for n in range(500)), "x")]
    with pytest.raises(PolicyTooLong, match="RAM takes 6144"):
        documents(many, LONG)


def test_no_wildcard_action_and_no_whole_bucket() -> None:
    for row in load_table():
        assert "*" not in row.action
        assert "*" not in row.resources


def test_only_api_can_delete_what_cannot_be_made_again_and_nobody_a_record() -> None:
    erased = (layout.JOB_FILES, layout.INPUTS, layout.UPLOADS, layout.RESULTS)
    for row in load_table():
        if row.action == "oss:DeleteObject":
            assert not [one for one in row.resources if one.startswith(layout.RECORDS)]
            assert "state/*" not in row.resources
            assert row.role == "api" or not [one for one in row.resources if one.startswith(erased)]


def test_only_who_hides_jobs_moves_their_index_entries() -> None:
    deletes = [row for row in load_table() if row.action == "oss:DeleteObject"]
    moves = {row.role for row in deletes if f"{layout.JOBS}*" in row.resources}
    assert moves == {"api"}


def test_resources_have_the_names_of_their_services() -> None:
    resources = {s["Action"][0]: s["Resource"][0] for s in statements("rescue")}
    assert resources == {
        "oss:PutObject": "acs:oss:*:*:pictures/state/wake/poll",
        "log:PostLogStoreLogs": "acs:log:cn-beijing:1234567890123456:"
        "project/wanx-dev-1234567890123456/logstore/functions",
    }
    (call,) = statements("oss-trigger")
    own = "acs:fc:cn-beijing:1234567890123456:functions"
    assert call["Resource"] == [f"{own}/wanx-dev-submit", f"{own}/wanx-dev-poll"]


def test_results_in_another_bucket_are_reached_there_and_not_in_the_first() -> None:
    two = replace(STACK, results="paintings")
    for role in ("submit", "poll", "api"):
        named = [arn for one in statements(role, two) for arn in one["Resource"]]
        results = [arn for arn in named if "/results/" in arn]
        assert results and all(arn.startswith("acs:oss:*:*:paintings/") for arn in results)
        assert not [arn for arn in named if ":paintings/" in arn and arn not in results]
        whole = [
            one["Action"]
            for one in statements(role, two)
            if "acs:oss:*:*:paintings" in one["Resource"]
        ]
        assert ["oss:GetBucketVersioning"] in whole
        assert (["oss:ListObjects"] in whole) == (role == "api")
    assert "paintings" not in str(documents(load_table(), two)["wanx-dev-rescue"])


def test_a_listing_is_allowed_on_the_bucket_by_prefix() -> None:
    (listing,) = [s for s in statements("submit") if s["Action"] == ["oss:ListObjects"]]
    assert listing["Resource"] == ["acs:oss:*:*:pictures"]
    assert "state/queue/*" in listing["Condition"]["StringLike"]["oss:Prefix"]


def test_secrets_are_read_only_where_one_is_used() -> None:
    def kms(stack: Stack) -> list[str]:
        found = [s for s in statements("poll", stack) if s["Action"] == ["kms:GetSecretValue"]]
        return [resource for one in found for resource in one["Resource"]]

    assert kms(STACK) == []
    with_secret = Stack("wanx", "b", "cn-beijing", "1", secret="model-studio")
    assert kms(with_secret) == ["acs:kms:cn-beijing:1:secret/model-studio"]


def test_blocks_of_a_template_are_rewritten_and_nothing_else() -> None:
    made = rewritten(SMALL, "policies", blocks(ROWS))
    assert rewritten(made, "policies", blocks(ROWS)) == made
    resources = yaml.safe_load(made)["Resources"]
    assert resources["SubmitRole"]["Properties"]["Tags"] == []
    (policy,) = resources["SubmitRole"]["Properties"]["Policies"]
    assert policy["PolicyName"] == {"Fn::Sub": "${Name}-submit"}
    reads, lists = policy["PolicyDocument"]["Statement"]
    assert reads["Resource"] == [
        {"Fn::Sub": "acs:oss:*:*:${BucketName}/jobs/*"},
        {"Fn::Sub": "acs:oss:*:*:${BucketName}/inputs/*"},
    ]
    assert lists["Condition"] == {"StringLike": {"oss:Prefix": ["state/queue/*"]}}


def test_a_template_without_a_place_for_a_role_is_refused() -> None:
    more = [*ROWS, Permission("api", "log:PostLogStoreLogs", (), "logs")]
    with pytest.raises(TemplateError, match=r"policies poll, policies api; found policies submit"):
        rewritten(SMALL, "policies", blocks(more))


def test_parts_are_taken_away_one_by_one() -> None:
    row = ROWS[0]
    first, second = row.parts()
    assert without([row], first) == [second]
    assert without([second], second) == []
    bare = Permission("api", "log:PostLogStoreLogs", (), "logs")
    assert without([bare, row], bare) == [row]
    for part in (part for row in load_table() for part in row.parts()):
        assert without(load_table(), part) != load_table()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{action: 'oss:*', resources: [a], why: x}", "not a single action"),
        ("{action: 'ecs:RunInstances', why: x}", "not a single action"),
        ("{action: 'oss:GetObject', why: x}", "needs something in resources"),
        ("{action: 'log:PostLogStoreLogs', resources: [a], why: x}", "needs nothing"),
        ("{action: 'oss:GetObject', resources: [a]}", "expected a mapping of action"),
        ("{action: 'oss:GetObject', on: [a], why: x}", "expected a mapping of action"),
    ],
)
def test_a_mistake_in_the_table_is_told_with_its_row(tmp_path: Path, row: str, said: str) -> None:
    table = tmp_path / "permissions.yaml"
    table.write_text(f"api:\n  - {{action: 'log:PostLogStoreLogs', why: x}}\n  - {row}\n")
    with pytest.raises(TableError, match=f"row 2 of api: .*{said}"):
        load_table(table)


def test_the_command_prints_policies_for_people() -> None:
    own = ("--bucket", "pictures", "--account", "1234567890123456")
    one = run(*own, "--name", "wanx-dev", "wanx-dev-rescue")
    assert one.returncode == 0
    assert json.loads(one.stdout)["Statement"] == statements("rescue")
    assert list(json.loads(run(*own).stdout)) == [f"wanx-{role}" for role in roles(load_table())]
    unknown = run(*own, "wanx-boss")
    assert unknown.returncode == 1
    assert "There is no role wanx-boss; the roles are wanx-submit" in unknown.stderr
    assert run("--check").returncode == 0
    assert run().returncode == 2
