"""The table of facts: complete, and within the price that is promised."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any, cast

import pytest
import requests

from cli.access import Access
from cli.bucket_checks import Bucket
from cli.verify.checks import CHECKS, ODD_NAMES
from cli.verify.facts import Untried, load_facts
from cli.verify.paid import PAID, bound
from cli.verify.trial import Trial
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.retry_policy import load_retry_policy
from shared.platform.settings import Credentials
from shared.storage.oss import OssStore
from tests.kit.documents import ROOT
from tests.kit.store import Store
from tests.kit.world import World, settings

FACTS, JOB = load_facts()


def trial(**changes: Any) -> Trial:
    world = World()
    bucket = Bucket(settings(**changes), Store(world.bucket), Credentials("id", "secret"))
    access = Access({}, None, None, "the test")
    return Trial(access, bucket, world.app().clock, random.Random(1), JOB)


def test_each_fact_has_its_check_and_each_check_its_fact() -> None:
    assert [fact.id for fact in FACTS] == list(CHECKS)
    assert {fact.id for fact in FACTS if fact.paid} == set(PAID)


def test_a_run_costs_less_than_1_cny_whatever_is_tried_again() -> None:
    policy = load_retry_policy()
    assert bound(trial(), load_catalogue(), policy) < 1.0
    often = replace(policy, attempts={"few": 10})
    assert bound(trial(), load_catalogue(), often) == pytest.approx(0.61)


def test_the_names_it_lists_are_in_byte_order_and_in_no_other() -> None:
    encoded = [name.encode() for name in ODD_NAMES]
    assert encoded == sorted(encoded)
    assert sorted(ODD_NAMES, key=lambda name: name.encode("utf-16-be")) != list(ODD_NAMES)
    assert sorted(ODD_NAMES, key=str.lower) != list(ODD_NAMES)


def test_each_setting_it_names_is_one_of_the_deployment() -> None:
    named = {name for fact in FACTS for name in (*fact.set, *fact.set_if_so)}
    known = set(re.findall(r"^ +([A-Z_]+):", (ROOT / "s.yaml").read_text("utf-8"), re.MULTILINE))
    assert named <= known


class Owned(Store):
    """The bucket of an account."""

    def owner(self) -> str:
        return "1234567890123456"


class Deaf(requests.Session):
    """Reaches nobody, and keeps whom it was to reach."""

    asked = ""

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        self.asked = request.url or ""
        raise requests.ConnectionError


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("", "https://1234567890123456.cn-beijing.fc.aliyuncs.com"),
        ("https://fc.example.com", "https://fc.example.com"),
    ],
)
def test_poll_is_asked_in_the_account_of_the_bucket(endpoint: str, host: str) -> None:
    tried = trial(invoke_endpoint=endpoint)
    tried.bucket.store = cast(OssStore, Owned(World().bucket))
    tried.http = Deaf()
    with pytest.raises(Untried, match="did not answer"):
        _ = tried.seen
    assert tried.http.asked == f"{host}/2023-03-30/functions/wanx-poll/invocations"
