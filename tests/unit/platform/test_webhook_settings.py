"""Who may be told: the settings, and what a job may name."""

from __future__ import annotations

import json

import pytest

from shared.platform.settings import SettingsError, load_settings
from shared.platform.webhook_settings import ENDS, WebhookSettings, WrongWebhook

KEY = "0123456789" * 4
BASE = {"OSS_ENDPOINT": "http://127.0.0.1:1", "OSS_BUCKET": "b", "DASHSCOPE_API_KEY": "sk-none"}
HASH = "a" * 64


def read(**environ: str) -> WebhookSettings:
    return load_settings({**BASE, "WEBHOOK_KEY": KEY, **environ}).webhooks


def test_a_named_webhook_has_all_ends_and_no_prompts_unless_it_says_so() -> None:
    named = read(WEBHOOKS=json.dumps({"shop": {"url": "https://shop.example.com/h"}})).named["shop"]
    assert (named.events, named.prompts, named.urls) == (ENDS, False, False)


@pytest.mark.parametrize(
    ("webhook", "words"),
    [
        ("http://hooks.example.com/", "https"),
        ("https://10.0.0.1/", "inside a network"),
        ("https://0x7f000001/", "inside a network"),
        ("https://localhost/", "inside a network"),
        ("https://user:secret@hooks.example.com/", "user name"),
        ("https://hooks.ex%61mple.com/", "cannot be used"),
        ("https://hooks.example.com\\@evil.example.com/", "cannot be used"),
        ("https://hooks.example.com/#part", "fragment"),
        ("https://hooks.example.com/" + "x" * 2048, "2048"),
        ("ftp://hooks.example.com/", "cannot be used"),
        ("no name", "https://"),
        ("nobody", "no webhook of this name"),
    ],
)
def test_what_a_job_may_not_name(webhook: str, words: str) -> None:
    with pytest.raises(WrongWebhook, match=words):
        read().check(webhook)


def test_an_allow_list_holds_names_and_all_below_a_name() -> None:
    settings = read(WEBHOOK_HOSTS="hooks.example.com, *.example.org")
    for good in ("https://hooks.example.com/", "https://a.b.example.org:8443/x"):
        settings.check(good)
    for bad in ("https://example.org/", "https://hooks.example.com.evil.net/"):
        with pytest.raises(WrongWebhook, match="WEBHOOK_HOSTS"):
            settings.check(bad)


def test_an_address_inside_is_taken_only_if_it_is_named_with_its_scheme() -> None:
    settings = read(WEBHOOK_HOSTS="http://127.0.0.1:9000,http://localhost")
    settings.check("http://127.0.0.1:9000/hook")
    settings.check("http://localhost:1234/hook")
    settings.check("https://hooks.example.com/")
    with pytest.raises(WrongWebhook):
        settings.check("http://127.0.0.1:9001/hook")


def test_without_a_key_nobody_is_told_and_the_job_is_refused() -> None:
    with pytest.raises(WrongWebhook, match="WEBHOOK_KEY"):
        read(WEBHOOK_KEY="").check("https://hooks.example.com/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_KEY", "short"),
        ("WEBHOOK_KEY", f"{KEY},{KEY}x,{KEY}y"),
        ("WEBHOOK_HOSTS", "http://"),
        ("WEBHOOKS", "[]"),
        ("WEBHOOKS", "{"),
        ("WEBHOOKS", "[" * 100_000),
        ("WEBHOOKS", '{"a b": {"url": "https://x.example.com/"}}'),
        ("WEBHOOKS", '{"a": {"url": "https://10.0.0.1/"}}'),
        ("WEBHOOKS", '{"a": {"url": "b"}}'),
        ("WEBHOOKS", '{"a": {"url": "https://x.example.com/", "events": ["never"]}}'),
        ("WEBHOOKS", '{"a": {"url": "https://x.example.com/", "prompts": "yes"}}'),
    ],
)
def test_a_wrong_setting_is_named_and_a_key_is_never_quoted(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as error:
        read(**{name: value})
    assert KEY not in str(error.value)


def test_a_token_names_the_webhook_of_its_jobs_and_one_that_may_be_told() -> None:
    token = {"sha256": HASH, "scope": "submit", "webhook": "https://hooks.example.com/"}
    kept = load_settings({**BASE, "WEBHOOK_KEY": KEY, "API_TOKENS": json.dumps([token])})
    assert kept.tokens[0].webhook == token["webhook"]
    with pytest.raises(SettingsError, match="Token 1 of API_TOKENS: webhook"):
        load_settings({**BASE, "API_TOKENS": json.dumps([token])})
