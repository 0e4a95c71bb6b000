"""Signatures are those that oss2 itself makes: in headers, and in URLs of its own order."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import oss2
import pytest

from shared.platform.settings import Credentials
from shared.storage.oss import OssStore, open_store
from tests.kit.world import settings
from tests.simulation.kernel import InstanceClock, Kernel

TOKEN = "CAIS+/=a token~of_a.role-" * 20
KEYS = ("results/a-job/image-1.png", "inputs/一 只+猫?&%2F=~._-'()*!.jpg", "a//b/")


@pytest.fixture(params=[None, TOKEN], ids=["a key", "a role"])
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[OssStore, Any]:
    """Ours, and oss2's own bucket at the same moment."""
    clock, token = InstanceClock(Kernel()), request.param
    then = datetime.fromtimestamp(clock.now(), timezone.utc).replace(tzinfo=None)
    monkeypatch.setattr("oss2.auth.datetime", SimpleNamespace(utcnow=lambda: then))
    ours = open_store(settings(), Credentials("an-id", "a-secret", token), clock, random.Random(1))
    theirs = (
        oss2.StsAuth("an-id", "a-secret", token, auth_version="v4")
        if token
        else oss2.AuthV4("an-id", "a-secret")
    )
    bucket = ours.public
    return ours, oss2.Bucket(theirs, bucket.endpoint, bucket.bucket_name, region=bucket.region)


def parts(url: str) -> tuple[str, dict[str, str]]:
    return url.partition("?")[0], dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


@pytest.mark.parametrize("key", KEYS)
def test_a_link_is_the_one_that_oss2_makes(stores: tuple[OssStore, Any], key: str) -> None:
    ours, theirs = stores
    assert parts(ours.presign(key, 60)) == parts(theirs.sign_url("GET", key, 60, slash_safe=True))
    named = {"response-content-disposition": 'attachment; filename="一 b.png"'}
    expected = theirs.sign_url("GET", key, 60, params=named, slash_safe=True)
    assert parts(ours.presign(key, 60, "一 b.png")) == parts(expected)
    kind = {"Content-Type": "image/png", "x-oss-forbid-overwrite": "true"}
    expected = theirs.sign_url("PUT", key, 60, headers=dict(kind), slash_safe=True)
    assert parts(ours.presign_put(key, 60, kind)) == parts(expected)


@pytest.mark.parametrize("key", KEYS)
def test_a_request_is_signed_as_oss2_does(stores: tuple[OssStore, Any], key: str) -> None:
    ours, theirs = stores
    signed = []
    for bucket in (ours.public, theirs):
        params = {"prefix": key, "list-type": "2", "continuation-token": ""}
        request = oss2.http.Request("GET", bucket._make_url("b", key), params=params)
        request.region, request.product = bucket.region, bucket.product
        bucket.auth._sign_request(request, "b", key)
        signed.append(dict(request.headers))
    assert signed[0] == signed[1]
    assert "Signature=" in signed[0]["authorization"]
