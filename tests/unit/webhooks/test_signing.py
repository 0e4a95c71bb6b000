"""Signatures, against the official library."""

from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.webhooks.signing import secret_of, signed

NEW, OLD = "n" * 32, "o" * 32
URL, BODY = "https://hooks.example.com/a", b'{"type":"wanx.test"}'


@pytest.mark.parametrize("key", [NEW, OLD])
def test_the_official_library_takes_either_secret_of_a_rotation(key: str) -> None:
    headers = signed((NEW, OLD), URL, "msg_1", int(time.time()), BODY)
    assert Webhook(secret_of(key, URL)).verify(BODY, headers) == {"type": "wanx.test"}


def test_it_refuses_another_receivers_secret_another_body_and_an_old_message() -> None:
    now = int(time.time())
    own, other = Webhook(secret_of(NEW, URL)), Webhook(secret_of(NEW, f"{URL}b"))
    for verifier, at, body in ((other, now, BODY), (own, now, b"{}"), (own, now - 3600, BODY)):
        headers = signed((NEW,), URL, "msg_1", at, BODY)
        with pytest.raises(WebhookVerificationError):
            verifier.verify(body, headers)


def test_a_secret_has_the_form_and_length_of_the_specification() -> None:
    secret = secret_of(NEW, URL)
    assert secret.startswith("whsec_")
    assert NEW not in secret
