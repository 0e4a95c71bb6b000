"""The whole system under the very policies it is deployed with: nothing denied, nothing spare."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.policies.documents import Stack, documents, role_documents
from deploy.policies.table import Permission, load_table, without
from local.ram import ALLOW, Access, Policy
from tests.deploy.policies.least_privilege_kit import World, world
from tests.deploy.policies.least_privilege_traffic import run_traffic

pytestmark = pytest.mark.timeout(300)
ACCOUNT = "1000000000000000"
STACK = Stack("wanx", "wanx-local", "cn-beijing", ACCOUNT, secret="model-studio")
PARTS = [part for row in load_table() for part in row.parts()]
Calls = dict[str, list[Access]]


def calls_by_role(world: World) -> Calls:
    """What each role asked for."""
    found: Calls = {}
    for row in world.report()["calls"]:
        facts = (("oss:Prefix", row["prefix"]),)
        found.setdefault(row["role"], []).append(Access(row["action"], row["resource"], facts))
    return found


def is_spare(part: Permission, calls: Calls) -> bool:
    """Whether everything that was asked for would be allowed without it."""
    role = f"wanx-{part.role}"
    policy = Policy.of(documents(without(load_table(), part), STACK)[role])
    return all(policy.judge(call) == ALLOW for call in calls[role])


def test_nothing_is_denied_and_nothing_is_spare(tmp_path: Path) -> None:
    """One test: the traffic takes most of a minute, and tests may run in several processes."""
    with world(tmp_path) as used:
        run_traffic(used)
        assert used.report()["denials"] == []
        calls = calls_by_role(used)
    assert set(calls) == set(role_documents(STACK))
    assert [part for part in PARTS if is_spare(part, calls)] == []
