"""The API key from KMS: read over HTTP, kept for five minutes, rotated without a restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from cli.backends.bucket import open_bucket
from local.up_settings import make_plan, server_environment
from shared import instance
from shared.app import for_invocation
from shared.modelstudio import api_key
from shared.modelstudio.api_key import AGAIN, FRESH, KeyUnavailable, SecretKey, key_in
from shared.modelstudio.client import ModelStudio, ServiceError, TaskCreated
from shared.platform import logs
from shared.platform.settings import Credentials, SettingsError, load_settings
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, Seen, refusing_port, scripted_http
from tests.simulation.kernel import InstanceClock, Kernel

ROOT = Path(__file__).resolve().parents[3]
ROLE = Credentials("STS.id", "role-secret", "role-token")
OLD, NEW = "sk-old-key-0123", "sk-new-key-4567"
REQUESTS = 60
TASK = {"output": {"task_id": "t", "task_status": "PENDING"}, "request_id": "r"}
BAD_KEY = {"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "r"}


@pytest.fixture
def kms() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


@pytest.fixture
def studio() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


@pytest.fixture
def clock() -> InstanceClock:
    return InstanceClock(Kernel())


@pytest.fixture
def secret(kms: HttpScript, clock: InstanceClock) -> SecretKey:
    return SecretKey("wanx/key", kms.url, "cn-beijing", ROLE, clock)


def holding(value: str, kind: str = "text") -> Answer:
    """KMS's answer, as the GetSecretValue page shows it."""
    answer = {"SecretName": "wanx/key", "SecretData": value, "SecretDataType": kind}
    more = {"VersionId": "v1", "RequestId": "6a3e9c36", "VersionStages": {"VersionStage": []}}
    return Answer(200, json.dumps(answer | more).encode())


def refusal(status: int, code: str) -> Answer:
    body = {"Code": code, "Message": f"{code} it is", "RequestId": "r", "HostId": "kms"}
    return Answer(status, json.dumps(body).encode())


def answering(body: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode())


def client(studio: HttpScript, secret: SecretKey) -> ModelStudio:
    return ModelStudio(f"{studio.url}/api/v1", secret, requests.Session())


def keys_used(studio: HttpScript) -> list[str]:
    return [seen.headers["authorization"].removeprefix("Bearer ") for seen in studio.seen]


def signed_rightly(seen: Seen) -> bool:
    """The RPC signature, computed anew (request signatures page, HMAC-SHA1)."""
    query = dict(parse_qsl(urlsplit(seen.target).query, keep_blank_values=True))
    given = query.pop("Signature")
    pairs = (f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(query.items()))
    to_sign = f"{seen.method}&%2F&{quote('&'.join(pairs), safe='~')}"
    digest = hmac.new(f"{ROLE.key_secret}&".encode(), to_sign.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode() == given


def test_the_secret_is_asked_for_with_the_roles_keys(kms: HttpScript, secret: SecretKey) -> None:
    kms.then(holding(OLD))
    assert secret.value() == OLD
    (seen,) = kms.seen
    query = dict(parse_qsl(urlsplit(seen.target).query))
    assert (query["Action"], query["Version"]) == ("GetSecretValue", "2016-01-20")
    assert (query["SecretName"], query["AccessKeyId"]) == ("wanx/key", "STS.id")
    assert query["SecurityToken"] == "role-token"
    assert signed_rightly(seen)


def test_keys_without_a_token_serve_as_well(kms: HttpScript, secret: SecretKey) -> None:
    secret.credentials = Credentials("LTAI", ROLE.key_secret)
    kms.then(holding(OLD))
    assert secret.value() == OLD
    assert "SecurityToken" not in kms.seen[0].target
    assert signed_rightly(kms.seen[0])


@pytest.mark.parametrize(
    "value", [OLD, f" {OLD}\n", json.dumps({"DASHSCOPE_API_KEY": OLD, "note": "x"})]
)
def test_the_value_is_the_key_or_json_that_holds_it(value: str) -> None:
    assert key_in("wanx/key", value) == OLD


@pytest.mark.parametrize(
    "value",
    ["", "  ", "{", '{"API_KEY": "x"}', '{"DASHSCOPE_API_KEY": 7}', "two words", "钥匙", "a\nb"],
)
def test_a_value_without_a_key_says_what_is_expected_and_not_what_was_found(value: str) -> None:
    with pytest.raises(KeyUnavailable, match=r"wanx/key holds no API key.*DASHSCOPE_API_KEY"):
        key_in("wanx/key", value)


def test_the_key_of_a_plan_is_refused_in_a_secret_too() -> None:
    with pytest.raises(KeyUnavailable, match="wanx/key holds a key of a Token Plan") as raised:
        key_in("wanx/key", '{"DASHSCOPE_API_KEY": "sk-sp-0123"}')
    assert "0123" not in str(raised.value)


def test_a_key_is_used_for_five_minutes(
    kms: HttpScript, secret: SecretKey, clock: InstanceClock
) -> None:
    kms.then(holding(OLD), holding(NEW))
    assert secret.value() == OLD
    clock.sleep(FRESH - 1)
    assert (secret.value(), len(kms.seen)) == (OLD, 1)
    clock.sleep(1)
    assert (secret.value(), len(kms.seen)) == (NEW, 2)


def test_many_threads_without_a_key_ask_once(kms: HttpScript, secret: SecretKey) -> None:
    kms.then(holding(OLD))
    begun = threading.Barrier(REQUESTS)

    def ask(_: int) -> str:
        begun.wait()
        return secret.value()

    with ThreadPoolExecutor(REQUESTS) as pool:
        assert set(pool.map(ask, range(REQUESTS))) == {OLD}


def test_while_one_thread_asks_the_others_use_the_key_that_is_known(
    kms: HttpScript, secret: SecretKey, clock: InstanceClock
) -> None:
    asked = threading.Event()

    def slow(_: Seen) -> Answer:
        assert asked.wait(10)
        return holding(NEW)

    kms.then(holding(OLD), slow)
    assert secret.value() == OLD
    kms.await_request()
    clock.sleep(FRESH)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(secret.value)
        kms.await_request()
        assert secret.value() == OLD
        asked.set()
        assert first.result() == NEW


def test_while_kms_is_away_the_key_that_is_known_stays_in_use(
    kms: HttpScript, secret: SecretKey, clock: InstanceClock, caplog: pytest.LogCaptureFixture
) -> None:
    kms.then(holding(OLD), refusal(503, "ServiceUnavailable"), holding(NEW))
    secret.value()
    clock.sleep(FRESH)
    assert secret.value() == OLD
    assert secret.value() == OLD  # not asked again at once
    assert "stays in use" in caplog.text
    clock.sleep(AGAIN)
    assert secret.value() == NEW


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refusal(403, "Forbidden.NoPermission"), "HTTP 403 Forbidden.NoPermission.*GetSecretValue"),
        (refusal(404, "Forbidden.ResourceNotFound"), "Make the secret in region cn-beijing"),
        (refusal(500, "InternalFailure"), "HTTP 500 InternalFailure.*Try again later"),
        (refusal(400, "SignatureDoesNotMatch"), "did not answer as KMS does"),
        (Answer(200, b"<html>"), "did not answer as KMS does"),
        (Answer(502, b"bad gateway"), "refuses secret wanx/key"),
        (answering([1]), "did not answer as KMS does"),
        (holding("AAAA", "binary"), "holds binary data"),
        (NOTHING, "cannot be reached.*KMS_ENDPOINT"),
    ],
)
def test_without_any_key_the_reason_and_the_remedy_are_told(
    kms: HttpScript, secret: SecretKey, answer: Answer, told: str
) -> None:
    kms.then(answer)
    for _ in range(2):  # the second time without asking
        with pytest.raises(KeyUnavailable, match=told):
            secret.value()


def test_a_silent_kms_is_given_up(
    kms: HttpScript, secret: SecretKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_key, "READ_TIMEOUT", 0.05)
    kms.then(kms.never)
    with pytest.raises(KeyUnavailable, match="cannot be reached"):
        secret.value()


def test_a_port_nobody_listens_on_is_told(clock: InstanceClock) -> None:
    with refusing_port() as port:
        secret = SecretKey("k", f"http://127.0.0.1:{port}", "cn-beijing", ROLE, clock)
        with pytest.raises(KeyUnavailable, match="cannot be reached"):
            secret.value()


def test_neither_log_nor_error_holds_the_key_or_the_roles_keys(
    kms: HttpScript,
    secret: SecretKey,
    clock: InstanceClock,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kms.then(holding(OLD), refusal(403, "Forbidden"), Answer(200, b"no JSON " + OLD.encode()))
    with caplog.at_level(logging.INFO):
        logs.set_level("INFO")
        for _ in range(3):
            secret.value()
            clock.sleep(FRESH)
    told = capsys.readouterr()
    everything = caplog.text + told.out + told.err + repr(secret)
    assert "key.read" not in everything and "read from secret wanx/key" in caplog.text
    for word in (OLD, "role-secret", "role-token", "STS.id"):
        assert word not in everything


def test_a_long_run_takes_up_a_rotated_key(
    kms: HttpScript, studio: HttpScript, secret: SecretKey, clock: InstanceClock
) -> None:
    kms.then(holding(OLD), holding(NEW))
    studio.then(answering(TASK), answering(TASK))
    app = client(studio, secret)
    app.query("t")
    clock.sleep(FRESH)
    app.query("t")
    assert keys_used(studio) == [OLD, NEW]


def test_a_refused_key_is_read_again_and_the_question_repeated(
    kms: HttpScript, studio: HttpScript, secret: SecretKey, clock: InstanceClock
) -> None:
    kms.then(holding(OLD), holding(NEW))
    studio.then(answering(TASK), answering(BAD_KEY, 401), answering(TASK))
    app = client(studio, secret)
    app.query("t")
    clock.sleep(AGAIN)
    assert app.query("t").status == "PENDING"
    assert keys_used(studio) == [OLD, OLD, NEW]


def test_a_submission_whose_key_was_refused_is_made_with_the_new_one(
    kms: HttpScript, studio: HttpScript, secret: SecretKey, clock: InstanceClock
) -> None:
    kms.then(holding(OLD), holding(NEW))
    studio.then(answering(BAD_KEY, 401), answering(TASK))
    app = client(studio, secret)
    secret.value()
    clock.sleep(AGAIN)
    closing = Closing()
    app.session.mount(studio.url, closing)
    assert isinstance(app.create("/x", {}), TaskCreated)
    assert keys_used(studio) == [OLD, NEW]
    assert closing.closed == 1  # the second POST has a connection of its own


def test_a_key_that_is_bad_in_kms_too_is_refused_once(
    kms: HttpScript, studio: HttpScript, secret: SecretKey, clock: InstanceClock
) -> None:
    kms.then(holding(OLD), holding(OLD))
    studio.then(*[answering(BAD_KEY, 401)] * 3)
    secret.value()
    clock.sleep(AGAIN)
    for _ in range(3):  # KMS is asked about it once in a while only
        outcome = client(studio, secret).create("/x", {})
        assert isinstance(outcome, ServiceError) and outcome.code == "InvalidApiKey"
    assert len(kms.seen) == 2


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_nothing_but_a_refused_key_is_ever_sent_twice(
    kms: HttpScript, studio: HttpScript, secret: SecretKey, clock: InstanceClock, status: int
) -> None:
    kms.then(holding(OLD))
    studio.then(answering({"code": "Other", "message": "no"}, status))
    secret.value()
    clock.sleep(AGAIN)
    client(studio, secret).create("/x", {})
    assert len(studio.seen) == 1


def test_without_a_key_nothing_is_sent_and_no_outcome_is_open(
    kms: HttpScript, studio: HttpScript, secret: SecretKey
) -> None:
    kms.then(refusal(403, "Forbidden.NoPermission"))
    app = client(studio, secret)
    outcome = app.create("/x", {})
    assert isinstance(outcome, ServiceError)
    assert (outcome.code, outcome.http) == ("Unreachable", 0)
    assert "kms:GetSecretValue" in outcome.message
    with pytest.raises(ServiceError, match="There is no API key"):
        app.query("t")
    assert studio.seen == []


class Closing(HTTPAdapter):
    """Counts how often its connections were given up."""

    closed = 0

    def close(self) -> None:
        self.closed += 1
        super().close()


class Bucket:
    """Stands where connect() opens the bucket, which plays no part here."""

    def refuse_versioned(self) -> None:
        pass


def test_an_instance_keeps_its_key_over_invocations(
    kms: HttpScript, studio: HttpScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "open_store", lambda *_: Bucket())
    monkeypatch.setattr(instance.INSTANCE, "secret_keys", {})
    kms.then(holding(OLD))
    studio.then(answering(TASK), answering(TASK))
    environ = {
        "OSS_ENDPOINT": "http://oss.invalid",
        "OSS_BUCKET": "studio",
        "DASHSCOPE_HTTP_BASE_URL": f"{studio.url}/api/v1",
        "DASHSCOPE_API_KEY_SECRET": "wanx/key",
        "KMS_ENDPOINT": kms.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.id",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "role-secret",
    }
    for number in range(2):
        for_invocation(environ | {"ALIBABA_CLOUD_SECURITY_TOKEN": f"t{number}"}).model_studio.query(
            "t"
        )
    assert keys_used(studio) == [OLD, OLD]
    (held,) = instance.INSTANCE.secret_keys.values()
    assert held.credentials.token == "t1"


LEAST = {"OSS_ENDPOINT": "e", "OSS_BUCKET": "b"}


def test_exactly_one_of_key_and_secret_is_set() -> None:
    name, secret = {"DASHSCOPE_API_KEY": "k"}, {"DASHSCOPE_API_KEY_SECRET": "s"}
    assert load_settings(LEAST | name).api_key_secret == ""
    settings = load_settings(LEAST | secret | {"DASHSCOPE_API_KEY": "", "OSS_REGION": "cn-x"})
    assert (settings.api_key, settings.api_key_secret) == ("", "s")
    assert settings.kms_endpoint == "https://kms.cn-x.aliyuncs.com"
    with pytest.raises(SettingsError, match="both DASHSCOPE_API_KEY and DASHSCOPE_API_KEY_SECRET"):
        load_settings(LEAST | name | secret)
    with pytest.raises(SettingsError, match=r"lacks DASHSCOPE_API_KEY \(or .*_SECRET\)"):
        load_settings(LEAST)


def test_a_person_at_a_terminal_needs_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "open_store", lambda *_: Bucket())
    environ = LEAST | {"OSS_ACCESS_KEY_ID": "id", "OSS_ACCESS_KEY_SECRET": "secret"}
    for given in ({}, {"DASHSCOPE_API_KEY": "k"}, {"DASHSCOPE_API_KEY_SECRET": "s"}):
        assert open_bucket(environ | given).app.settings.oss_bucket == "b"


def test_a_laptop_does_not_ask_kms_for_the_key_it_made_itself(tmp_path: Path) -> None:
    mine = {"DASHSCOPE_API_KEY_SECRET": "wanx/key"}  # exported for a deployment
    environ = server_environment("runtime", make_plan(tmp_path, 0, mine), mine)
    assert environ["DASHSCOPE_API_KEY"].startswith("sk-")
    assert "DASHSCOPE_API_KEY_SECRET" not in environ


def test_a_function_that_needs_no_secret_does_not_load_the_client() -> None:
    code = (
        "import sys, shared.app\n"
        "print([m for m in sys.modules if m.endswith('GetSecretValueRequest')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
