"""Settings and credentials: what is missing is named, what is secret is never shown."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import pytest

from shared.platform.settings import SettingsError, load_credentials, load_settings

LEAST = {
    "OSS_ENDPOINT": "oss-cn-beijing-internal.aliyuncs.com",
    "OSS_BUCKET": "studio",
    "DASHSCOPE_API_KEY": "sk-not-a-real-key",
}
SECRETS = {
    "DASHSCOPE_API_KEY": "sk-secret-one",
    "API_TOKEN_SHA256": "AB" * 32,
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "id-secret-two",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "key-secret-three",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "token-secret-four",
}


def test_every_missing_setting_is_named_at_once() -> None:
    with pytest.raises(
        SettingsError, match=r"OSS_ENDPOINT.*OSS_BUCKET.*DASHSCOPE_API_KEY.*s\.yaml"
    ):
        load_settings({})
    with pytest.raises(SettingsError, match="lacks OSS_BUCKET:"):
        load_settings(LEAST | {"OSS_BUCKET": ""})


def test_the_defaults_are_those_of_beijing() -> None:
    settings = load_settings(LEAST)
    assert settings.base_url == "https://dashscope.aliyuncs.com/api/v1"
    assert settings.oss_region == "cn-beijing"
    assert settings.oss_endpoint == "https://oss-cn-beijing-internal.aliyuncs.com"
    assert settings.oss_public_endpoint == "https://oss-cn-beijing.aliyuncs.com"
    assert settings.input_delivery == "presigned"
    assert settings.workspace is None
    assert (settings.unknown_policy, settings.log_level) == ("resolve", "INFO")


def test_the_laptop_differs_by_endpoints_alone() -> None:
    environ = LEAST | {
        "OSS_ENDPOINT": "http://127.0.0.1:8001",
        "DASHSCOPE_HTTP_BASE_URL": "http://127.0.0.1:8002/api/v1/",
    }
    settings = load_settings(environ)
    assert settings.oss_endpoint == settings.oss_public_endpoint == "http://127.0.0.1:8001"
    assert settings.base_url == "http://127.0.0.1:8002/api/v1"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://host", "https://host/api/v1"),
        ("host", "https://host/api/v1"),
        ("https://host/api/v1/", "https://host/api/v1"),
        ("https://host/prefix", "https://host/prefix"),
    ],
)
def test_a_base_url_in_the_forms_people_write(given: str, meant: str) -> None:
    assert load_settings(LEAST | {"DASHSCOPE_HTTP_BASE_URL": given}).base_url == meant


def test_lists_may_hold_spaces_and_token_hashes_any_case() -> None:
    environ = LEAST | {"RESULT_HOSTS": "a.example, b.example ,", "API_TOKEN_SHA256": "AB, cd"}
    settings = load_settings(environ)
    assert settings.result_hosts == ("a.example", "b.example")
    assert settings.token_hashes == ("ab", "cd")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INPUT_DELIVERY", "pigeon"),
        ("CREATE_TIMEOUT", "soon"),
        ("CREATE_TIMEOUT", "0"),
        ("UNKNOWN_GRACE", "-1"),
        ("UNKNOWN_GRACE", "nan"),
        ("UNKNOWN_GRACE", "inf"),
        ("UNKNOWN_POLICY", "guess"),
        ("LOG_LEVEL", "verbose"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_setting(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}'"):
        load_settings(LEAST | {name: value})


@pytest.mark.parametrize("wrap", ["{}", "AB,{}", '[{{"sha256": "{}", "scope": "read"}}]'])
def test_the_hash_of_no_token_is_refused(wrap: str) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    name = "API_TOKENS" if wrap.startswith("[") else "API_TOKEN_SHA256"
    for written in (digest, digest.upper()):
        with pytest.raises(SettingsError, match=f"{name}.*everybody in.*openssl") as raised:
            load_settings(LEAST | {name: wrap.format(written)})
        assert written not in str(raised.value)


def test_a_log_level_may_be_written_small() -> None:
    assert load_settings(LEAST | {"LOG_LEVEL": "debug"}).log_level == "DEBUG"


def test_no_secret_is_in_any_repr() -> None:
    shown = repr(load_settings(LEAST | SECRETS)) + repr(load_credentials(SECRETS))
    for secret in (*SECRETS.values(), SECRETS["API_TOKEN_SHA256"].lower()):
        assert secret not in shown


def test_the_invocations_keys_come_before_those_of_the_instances_start() -> None:
    held = SimpleNamespace(access_key_id="ctx", access_key_secret="s", security_token="t")
    found = load_credentials(SECRETS, SimpleNamespace(credentials=held))
    assert (found.key_id, found.key_secret, found.token) == ("ctx", "s", "t")


def test_keys_come_from_the_environment_where_the_context_has_none() -> None:
    found = load_credentials(SECRETS, SimpleNamespace(credentials=None))
    assert found.key_id == "id-secret-two"
    assert found.token == "token-secret-four"


@pytest.mark.parametrize("context", [None, SimpleNamespace(), SimpleNamespace(credentials=None)])
def test_without_keys_the_error_says_what_to_do(context: object) -> None:
    with pytest.raises(SettingsError, match="give the function a role"):
        load_credentials({"ALIBABA_CLOUD_ACCESS_KEY_ID": "half"}, context)


def test_the_key_of_a_plan_is_refused_and_not_shown() -> None:
    key = "sk-sp-0123456789abcdef"
    with pytest.raises(SettingsError, match=r"interactive tools alone.*ordinary API key") as raised:
        load_settings(LEAST | {"DASHSCOPE_API_KEY": key})
    assert key not in str(raised.value)


WORKSPACE_HOST = "https://llm-abc1.ap-southeast-1.maas.aliyuncs.com"


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("dashscope.aliyuncs.com", "cn-beijing"),
        ("https://dashscope-intl.aliyuncs.com/api/v1", "ap-southeast-1"),
        ("https://dashscope-us.aliyuncs.com", "us-east-1"),
        ("https://cn-hongkong.dashscope.aliyuncs.com", "cn-hongkong"),
        (WORKSPACE_HOST, "ap-southeast-1"),
        ("https://LLM-ABC1.eu-central-1.maas.aliyuncs.com/api/v1/", "eu-central-1"),
        ("https://trial.cn-beijing.maas.aliyuncs.com", "cn-beijing"),
        ("http://127.0.0.1:8002", "cn-beijing"),
    ],
)
def test_the_region_follows_from_the_host(host: str, region: str) -> None:
    settings = load_settings(LEAST | {"DASHSCOPE_HTTP_BASE_URL": host})
    assert settings.model_region == region
    assert settings.base_url.endswith("/api/v1")
    again = LEAST | {"DASHSCOPE_HTTP_BASE_URL": host, "DASHSCOPE_REGION": region}
    assert load_settings(again).model_region == region


def test_of_a_host_that_nobody_knows_the_setting_tells_the_region() -> None:
    proxy = {
        "DASHSCOPE_HTTP_BASE_URL": "https://proxy.example.com/ai",
        "DASHSCOPE_REGION": "us-east-1",
    }
    settings = load_settings(LEAST | proxy)
    assert (settings.model_region, settings.base_url) == (
        "us-east-1",
        proxy["DASHSCOPE_HTTP_BASE_URL"],
    )


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"DASHSCOPE_REGION": "cn-beijing"}, ["is cn-beijing", "a host of region ap-southeast-1"]),
        ({"DASHSCOPE_WORKSPACE": "llm-other"}, ["is llm-other", "workspace llm-abc1"]),
        (
            {"DASHSCOPE_HTTP_BASE_URL": f"{WORKSPACE_HOST}/compatible-mode/v1"},
            ["is at /api/v1, not at /compatible-mode/v1"],
        ),
        (
            {"DASHSCOPE_HTTP_BASE_URL": "https://[llm-abc1"},
            ["is no address", "such as https://dashscope.aliyuncs.com/api/v1"],
        ),
        (
            {"DASHSCOPE_HTTP_BASE_URL": "https://llm-abc1.mars-1.maas.aliyuncs.com"},
            ["the region mars-1", "cn-beijing"],
        ),
        (
            {"DASHSCOPE_HTTP_BASE_URL": "https://maas.aliyuncs.com.cn-beijing.maas.aliyuncs.com"},
            ["https://WORKSPACE.REGION.maas.aliyuncs.com"],
        ),
        (
            {"DASHSCOPE_HTTP_BASE_URL": "https://token-plan.cn-beijing.maas.aliyuncs.com"},
            ["interactive tools alone"],
        ),
        (
            {"DASHSCOPE_HTTP_BASE_URL": "https://coding.dashscope.aliyuncs.com/v1"},
            ["interactive tools alone"],
        ),
    ],
)
def test_hosts_that_do_not_fit_are_refused(environ: dict[str, str], words: list[str]) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(LEAST | {"DASHSCOPE_HTTP_BASE_URL": WORKSPACE_HOST} | environ)
    assert [word for word in words if word not in str(raised.value)] == []


def test_the_workspace_of_the_host_may_be_named_once_more() -> None:
    environ = {"DASHSCOPE_HTTP_BASE_URL": WORKSPACE_HOST, "DASHSCOPE_WORKSPACE": "llm-abc1"}
    assert load_settings(LEAST | environ).workspace == "llm-abc1"
