"""ListTriggers: what a person with the account's AccessKey sees of a function."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from cli.deployment.openapi import OpenApi, Operation, Refused
from shared.platform.clock import SystemClock
from shared.platform.settings import Credentials
from tests.contract.runtime.functions_under_test.runtime_under_test import RuntimeUnderTest

ENVIRON = {"OSS_ACCESS_KEY_ID": "laptop", "OSS_ACCESS_KEY_SECRET": "laptop-secret"}
KEYS = Credentials("laptop", "laptop-secret")
VERSION = "2023-03-30"


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeUnderTest]:
    with RuntimeUnderTest(tmp_path_factory.mktemp("triggers"), **ENVIRON) as running:
        yield running


def listed(url: str, function: str, keys: Credentials = KEYS, name: str = "ListTriggers") -> Any:
    api = OpenApi(keys, requests.Session(), SystemClock(), random.Random(3))
    asked = Operation(name, VERSION, f"/{VERSION}/functions/{function}/triggers")
    return api.get(url, asked)["triggers"]


def test_each_trigger_has_its_name_kind_and_configuration(runtime: RuntimeUnderTest) -> None:
    functions = requests.get(f"{runtime.url}/_runtime/state", timeout=10).json()["functions"]
    found = [one for name in functions for one in listed(runtime.url, name)]
    kinds = {one["triggerType"] for one in found}
    assert kinds == {"oss", "http"}  # the timer of these functions is switched off
    for one in found:
        config = json.loads(one["triggerConfig"])
        if one["triggerType"] == "oss":
            assert one["sourceArn"].startswith("acs:oss:")
            assert set(config["filter"]["key"]) == {"prefix", "suffix"}
        if one["triggerType"] == "http":
            assert one["httpTrigger"]["urlInternet"] == runtime.url


def test_a_function_that_is_not_there_is_not_found(runtime: RuntimeUnderTest) -> None:
    with pytest.raises(Refused) as refused:
        listed(runtime.url, "nobody")
    assert refused.value.code == "FunctionNotFound"


@pytest.mark.parametrize(
    ("keys", "name", "code"),
    [
        (replace(KEYS, key_secret="guessed"), "ListTriggers", "SignatureDoesNotMatch"),
        (replace(KEYS, key_id="stranger"), "ListTriggers", "InvalidAccessKeyId.NotFound"),
        (KEYS, "InvokeFunction", "InvalidAction"),
    ],
)
def test_a_request_that_is_signed_wrongly_is_refused(
    runtime: RuntimeUnderTest, keys: Credentials, name: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        listed(runtime.url, "recorder", keys, name)
    assert refused.value.code == code
