"""`/webhooks`: for admins alone, and every refusal in words."""

from __future__ import annotations

import hashlib
import json

import pytest

from shared.app import App
from shared.platform.settings import Token
from shared.platform.webhook_settings import Receiver, WebhookSettings
from tests.kit.http import ask, token
from tests.kit.world import MODEL, World, job_file

KEY = "0123456789" * 4
SHOP = Receiver("https://shop.example.com/h?secret=1")
HOOKS = WebhookSettings((KEY,), {"shop": SHOP})


@pytest.fixture()
def app() -> App:
    team = hashlib.sha256(b"team").hexdigest()
    tokens = (
        Token(hashlib.sha256(token("submit").encode()).hexdigest(), "submit"),
        Token(team, "submit", "team-", "shop"),
    )
    return World().app("http", webhooks=HOOKS, tokens=tokens)


def test_named_webhooks_are_listed(app: App) -> None:
    (one,) = ask(app, "GET", "/webhooks").json["webhooks"]
    assert (one["name"], one["url"], one["disabled"]) == ("shop", SHOP.url, False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhooks"),
        ("POST", "/webhooks/test"),
        ("POST", "/webhooks/enable"),
        ("POST", "/webhooks/secret"),
        ("POST", "/jobs/some/redeliver"),
    ],
)
def test_only_an_admin_may(app: App, method: str, path: str) -> None:
    assert ask(app, method, path, {"webhook": "shop"}, token("submit")).status == 403


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"webhook": 1}', b"\xff", b'{"webhook": "a"']
)
def test_a_body_without_a_webhook_is_refused(app: App, body: bytes) -> None:
    answer = ask(app, "POST", "/webhooks/test", body)
    assert answer.status == 422
    assert "webhook" in answer.json["violations"][0]["message"]


@pytest.mark.parametrize("webhook", ["nobody", "https://10.0.0.1/", "http://a.example.com/"])
def test_whom_nobody_may_tell_is_refused(app: App, webhook: str) -> None:
    for verb in ("test", "enable", "secret"):
        assert ask(app, "POST", f"/webhooks/{verb}", {"webhook": webhook}).status == 422


def test_the_jobs_of_a_token_are_told_to_its_webhook(app: App) -> None:
    made = ask(app, "POST", "/jobs", job_file(model=MODEL), "team").json["job"]
    other = "https://hooks.example.com/"
    named = ask(app, "POST", "/jobs", job_file(model=MODEL, webhook=other), "team").json["job"]
    webhooks = [app.ledger.records.last(job) for job in (made, named)]
    assert [one.webhook if one else None for one in webhooks] == ["shop", other]


def test_a_job_without_a_webhook_or_without_an_end_is_told_to_nobody(app: App) -> None:
    job = ask(app, "POST", "/jobs", job_file(model=MODEL)).json["job"]
    assert ask(app, "POST", f"/jobs/{job}/redeliver").status == 409
    job = ask(app, "POST", "/jobs", job_file("another", model=MODEL, webhook="shop")).json["job"]
    answer = ask(app, "POST", f"/jobs/{job}/redeliver")
    assert answer.status == 409
    assert "QUEUED" in answer.json["detail"]


def test_a_canceled_job_waits_to_be_told_of_and_is_told_once_more(app: App) -> None:
    job = ask(app, "POST", "/jobs", job_file(model=MODEL, webhook="shop")).json["job"]
    assert ask(app, "POST", f"/jobs/{job}/cancel").status == 200
    assert len(app.ledger.outbox.due(10)[0]) == 1
    assert ask(app, "POST", f"/jobs/{job}/redeliver").json == {"job": job, "try": 1}
    assert ask(app, "GET", f"/jobs/{job}").json["deliveries"] == []


def test_no_secret_of_a_receiver_is_in_a_record(app: App) -> None:
    job = ask(app, "POST", "/jobs", job_file(model=MODEL, webhook="shop")).json["job"]
    (secret,) = ask(app, "POST", "/webhooks/secret", {"webhook": "shop"}).json["secrets"]
    record = json.dumps(ask(app, "GET", f"/jobs/{job}/events").json)
    assert not any(one in record for one in (secret, KEY, SHOP.url))
