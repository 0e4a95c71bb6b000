"""The whole system under the very policies it is deployed with: nothing denied, nothing spare."""

from __future__ import annotations

from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A laptop cloud after all the traffic."""
    with world(tmp_path_factory.mktemp("least")) as made:
        run_traffic(made)
        yield made


@pytest.fixture(scope="module")
def calls(used: World) -> Calls:
    """What each role asked for."""
    found: Calls = {}
    for row in used.report()["calls"]:
        facts = (("oss:Prefix", row["prefix"]),)
        found.setdefault(row["role"], []).append(Access(row["action"], row["resource"], facts))
    return found


def test_nothing_is_denied(used: World) -> None:
    assert used.report()["denials"] == []


def test_every_role_was_at_work(calls: Calls) -> None:
    assert set(calls) == set(role_documents(STACK))


@pytest.mark.parametrize("part", PARTS, ids=lambda p: " ".join((p.role, p.action, *p.resources)))
def test_nothing_can_be_taken_away(calls: Calls, part: Permission) -> None:
    role = f"wanx-{part.role}"
    policy = Policy.of(documents(without(load_table(), part), STACK)[role])
    assert [call for call in calls[role] if policy.judge(call) != ALLOW]
