"""Functions that call functions: signed, allowed by the role, and delayed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from shared.platform.clock import SystemClock
from shared.platform.fc.invoke import CallFailed, CallRefused, OwnFunction
from shared.platform.settings import Credentials
from tests.contract.runtime.functions_under_test.runtime_under_test import RuntimeUnderTest, until

ENVIRON = {"OSS_ACCESS_KEY_ID": "laptop", "OSS_ACCESS_KEY_SECRET": "laptop-secret"}
KEYS = Credentials("laptop", "laptop-secret")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeUnderTest]:
    with RuntimeUnderTest(tmp_path_factory.mktemp("calls"), **ENVIRON) as running:
        yield running


def caller(url: str, keys: Credentials = KEYS, name: str = "recorder") -> OwnFunction:
    return OwnFunction(url, name, keys, requests.Session(), SystemClock(), random.Random(2))


def test_a_delayed_call_comes_after_its_delay(runtime: RuntimeUnderTest) -> None:
    began = SystemClock().now()
    caller(runtime.url).call(1.0, json.dumps({"wakeUp": {"due": began + 1}}).encode())
    assert runtime.function("recorder")["queued"] == 1
    until(lambda: [one for one in runtime.recorded() if "wakeUp" in one])
    assert SystemClock().now() >= began + 1


def test_a_delayed_call_survives_the_death_of_the_runtime(tmp_path: Path) -> None:
    with RuntimeUnderTest(tmp_path, **ENVIRON) as first:
        caller(first.url).call(2.0, b'{"kept": 1}')
    with RuntimeUnderTest(tmp_path, **ENVIRON) as second:
        until(second.recorded)


@pytest.mark.parametrize(
    "keys", [replace(KEYS, key_secret="guessed"), replace(KEYS, key_id="stranger")]
)
def test_a_wrong_signature_is_refused(runtime: RuntimeUnderTest, keys: Credentials) -> None:
    with pytest.raises(CallRefused, match="403"):
        caller(runtime.url, keys).call(1.0, b"{}")


def test_a_delayed_call_without_a_signature_is_refused(runtime: RuntimeUnderTest) -> None:
    answer = runtime.invoke("recorder", {}, X_Fc_Invocation_Type="Async", x_fc_async_delay="1")
    assert (answer.status_code, answer.json()["Code"]) == (403, "AccessDenied")


class Tampered(requests.Session):
    """Sends something else than what was signed."""

    def __init__(self, **changes: Any) -> None:
        super().__init__()
        self.changes = changes

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        request.headers.update(self.changes.get("headers", {}))
        if "data" in self.changes:
            request.prepare_body(self.changes["data"], None)
        return super().send(request, **more)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": b'{"other": 1}'},
        {"headers": {"x-acs-signature-nonce": "another"}},
        {"headers": {"x-acs-date": "2020-01-01T00:00:00Z"}},
        {"headers": {"x-acs-date": "yesterday"}},
        {"headers": {"x-acs-action": "DeleteFunction"}},
        {"headers": {"x-acs-unsigned": "1"}},
        {"headers": {"authorization": "ACS3-HMAC-SHA256 Credential=laptop"}},
    ],
)
def test_what_was_changed_on_its_way_is_refused(
    runtime: RuntimeUnderTest, changes: dict[str, Any]
) -> None:
    function = replace(caller(runtime.url), http=Tampered(**changes))
    with pytest.raises(CallRefused, match="403"):
        function.call(1.0, b"{}")


@pytest.mark.parametrize("delay", ["3601", "-1", "1.5", "soon"])
def test_a_delay_that_the_platform_does_not_take_is_refused(
    runtime: RuntimeUnderTest, delay: str
) -> None:
    function = replace(caller(runtime.url), http=Tampered(headers={"x-fc-async-delay": delay}))
    with pytest.raises(CallRefused, match="400"):
        function.call(1.0, b"{}")


def test_a_role_calls_what_its_policy_names_and_nothing_else(tmp_path: Path) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "fc:InvokeFunction",
        "Resource": "acs:fc:*:*:functions/test-recorder",
    }
    keys = {"key_id": "STS.caller", "secret": "role-secret", "token": "role-token"}
    policy = {"Version": "1", "Statement": [statement]}
    identities = tmp_path / "identities.json"
    identities.write_text(json.dumps([{"name": "r", "policy": policy, **keys}]))
    held = Credentials("STS.caller", "role-secret", "role-token")
    with RuntimeUnderTest(tmp_path, "--identities", str(identities), **ENVIRON) as running:
        caller(running.url, held).call(1.0, b"{}")
        caller(running.url, KEYS).call(1.0, b"{}")  # the account's own key may call everything
        for keys_held, name in [
            (held, "single"),
            (replace(held, token="old"), "recorder"),
            (replace(KEYS, key_id="stranger"), "recorder"),
        ]:
            with pytest.raises(CallRefused, match="403"):
                caller(running.url, keys_held, name).call(1.0, b"{}")


def test_a_function_that_is_asked_answers_at_once(runtime: RuntimeUnderTest) -> None:
    assert caller(runtime.url).ask(b'{"asked": 1}') == b"recorded"


def test_a_function_that_is_asked_and_fails_is_said_to(runtime: RuntimeUnderTest) -> None:
    with pytest.raises(CallFailed, match="faulty ended with UnhandledInvocationError"):
        caller(runtime.url, name="faulty").ask(b'"raise"')


def test_a_function_that_is_not_there_cannot_be_asked(runtime: RuntimeUnderTest) -> None:
    with pytest.raises(CallRefused) as refused:
        caller(runtime.url, name="nobody").ask(b"{}")
    assert refused.value.status == 404
