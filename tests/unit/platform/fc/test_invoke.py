"""A function calls itself later: the request as it is sent, and what is taken for accepted."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

import pytest
import requests

from shared.platform.clock import SystemClock
from shared.platform.fc.invoke import CallRefused, OwnFunction, authorization
from shared.platform.settings import Credentials
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, scripted_http

KEYS = Credentials("id", "a-secret", "a-token")


@pytest.fixture()
def server() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


def function(url: str) -> OwnFunction:
    return OwnFunction(url, "wanx-poll", KEYS, requests.Session(), SystemClock(), random.Random(1))


def test_the_signature_is_that_of_the_documented_example() -> None:
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    image = "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
    query = f"ImageId={image}&RegionId=cn-shanghai"
    keys = Credentials("YourAccessKeyId", "YourAccessKeySecret")
    signed = authorization("POST", "/", query, headers, keys)
    assert signed.endswith(
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_a_call_is_an_asynchronous_invocation_with_a_delay(server: HttpScript) -> None:
    server.then(Answer(202))
    function(server.url).call(61.4, b'{"wakeUp": {"due": 1.0}}')
    [seen] = server.seen
    assert (seen.method, seen.target) == ("POST", "/2023-03-30/functions/wanx-poll/invocations")
    assert seen.body == b'{"wakeUp": {"due": 1.0}}'
    assert seen.headers["x-fc-async-delay"] == "61"
    assert seen.headers["x-fc-invocation-type"] == "Async"
    assert seen.headers["x-acs-security-token"] == "a-token"
    assert "a-secret" not in str(seen.headers)


@pytest.mark.parametrize(("delay", "sent"), [(9000.0, "3600"), (-3.0, "0")])
def test_a_delay_stays_within_what_the_platform_takes(
    server: HttpScript, delay: float, sent: str
) -> None:
    server.then(Answer(202))
    function(server.url).call(delay, b"{}")
    assert server.seen[0].headers["x-fc-async-delay"] == sent


@pytest.mark.parametrize("answer", [Answer(403), Answer(200), Answer(302), NOTHING])
def test_anything_but_202_is_not_accepted(server: HttpScript, answer: Answer) -> None:
    server.then(answer)
    with pytest.raises(CallRefused) as caught:
        function(server.url).call(60.0, b"{}")
    assert len(server.seen) == 1
    assert not {"a-secret", "a-token"} & set(str(caught.value).split())
