"""Requests of roles are held against their RAM policies, as on the service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oss2
import pytest
import requests

from local.oss import routes
from local.oss.access import BUCKET_ACTIONS, OBJECT_ACTIONS
from local.ram import ALLOW, EXPLICIT_DENY, IMPLICIT_DENY, Access, Policy, PolicyError
from tests.kit.oss_server import BUCKET, KEY_ID, REGION, SECRET, OssServer, oss_server

ALL = f"acs:oss:*:*:{BUCKET}"


def allow(action: str | list[str], *resources: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources), **more}


ROLES = {
    "reader": [allow("oss:GetObject", f"{ALL}/open/*"), allow("oss:GetObject", f"{ALL}/x?z")],
    "writer": [
        allow(["oss:PutObject", "oss:DeleteObject"], f"{ALL}/mine/*"),
        {"Effect": "Deny", "Action": "oss:*", "Resource": f"{ALL}/mine/kept/*"},
    ],
    "lister": [
        allow("oss:ListObjects", ALL, Condition={"StringLike": {"oss:Prefix": ["mine/*"]}}),
        allow("oss:GetBucketVersioning", ALL),
    ],
    "guest": [],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssServer]:
    folder = tmp_path_factory.mktemp("policies")
    rows = [
        {"name": name, "key_id": f"STS.{name}", "secret": f"{name}-secret", "token": f"{name}+/="}
        | {"policy": {"Version": "1", "Statement": statements}}
        for name, statements in ROLES.items()
    ]
    path = folder / "identities.json"
    path.write_text(json.dumps(rows))
    with oss_server(folder / "oss", identities=path) as running:
        for key in ("open/a", "closed/a", "xyz", "mine/a", "mine/kept/a"):
            running.bucket().put_object(key, b"body")
        yield running


@pytest.fixture(params=["v1", "v4"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def acting(server: OssServer, role: str, version: str = "v4", token: str = "") -> Any:
    """The bucket under a role's temporary credentials."""
    auth = oss2.StsAuth(
        f"STS.{role}", f"{role}-secret", token or f"{role}+/=", auth_version=version
    )
    return oss2.Bucket(auth, server.url, BUCKET, region=REGION)


def report(server: OssServer) -> dict[str, Any]:
    url = f"{server.url}/_admin/access"
    told: dict[str, Any] = requests.get(url, auth=(KEY_ID, SECRET), timeout=10).json()
    return told


def denied(server: OssServer) -> tuple[str, str, str]:
    """Role, action and resource of the latest denial."""
    row = report(server)["denials"][-1]
    return row["role"], row["action"], row["resource"].partition(f":{BUCKET}")[2]


def test_a_role_does_what_its_policy_allows_and_no_more(server: OssServer, version: str) -> None:
    reader = acting(server, "reader", version)
    assert reader.get_object("open/a").read() == b"body"
    assert reader.head_object("xyz").content_length == 4
    for key, call in (("closed/a", reader.get_object), ("open/a", reader.delete_object)):
        with pytest.raises(oss2.exceptions.AccessDenied):
            call(key)
    assert denied(server) == ("reader", "oss:DeleteObject", "/open/a")
    assert server.bucket().object_exists("open/a")


def test_a_denial_has_the_form_of_the_service_and_is_logged(server: OssServer) -> None:
    url = acting(server, "reader").sign_url("GET", "closed/a", 60, slash_safe=True)
    answer = requests.get(url, timeout=10)
    root = ElementTree.fromstring(answer.content)
    assert (answer.status_code, root.findtext("Code")) == (403, "AccessDenied")
    detail = {one.tag: one.text for one in root.find("AccessDeniedDetail") or ()}
    assert detail["AuthAction"] == "oss:GetObject"
    assert detail["NoPermissionType"] == "ImplicitDeny"
    assert detail["AuthPrincipalDisplayName"] == "reader"
    assert "deploy/permissions.yaml" in (root.findtext("Message") or "")
    line = "denied: reader may not oss:GetObject on acs:oss:cn-beijing:"
    assert line in server.log.read_text()


def test_an_explicit_deny_beats_every_allow(server: OssServer) -> None:
    writer = acting(server, "writer")
    writer.put_object("mine/b", b"new")
    with pytest.raises(oss2.exceptions.AccessDenied) as refused:
        writer.put_object("mine/kept/a", b"new")
    assert refused.value.details["EC"] == "0003-00000201"
    assert server.bucket().get_object("mine/kept/a").read() == b"body"


def test_a_listing_is_judged_by_its_prefix(server: OssServer) -> None:
    lister = acting(server, "lister")
    assert [o.key for o in lister.list_objects_v2(prefix="mine/k").object_list] == ["mine/kept/a"]
    assert lister.get_bucket_versioning().status is None
    for prefix in ("", "min", "open/"):
        with pytest.raises(oss2.exceptions.AccessDenied):
            lister.list_objects_v2(prefix=prefix)
    with pytest.raises(oss2.exceptions.AccessDenied):
        lister.get_bucket_info()
    assert denied(server) == ("lister", "oss:GetBucketInfo", "")


def test_a_batch_delete_is_judged_key_by_key_before_anything_goes(server: OssServer) -> None:
    server.bucket().put_object("mine/c", b"")
    writer = acting(server, "writer")
    with pytest.raises(oss2.exceptions.AccessDenied):
        writer.batch_delete_objects(["mine/c", "open/a"])
    assert denied(server) == ("writer", "oss:DeleteObject", "/open/a")
    assert server.bucket().object_exists("mine/c")
    writer.batch_delete_objects(["mine/c"])
    assert not server.bucket().object_exists("mine/c")


def test_a_copy_needs_the_right_to_read_its_source(server: OssServer) -> None:
    with pytest.raises(oss2.exceptions.AccessDenied):
        acting(server, "writer").copy_object(BUCKET, "open/a", "mine/copy")
    assert denied(server) == ("writer", "oss:GetObject", "/open/a")


def test_tags_sent_with_an_object_need_their_own_right(server: OssServer) -> None:
    with pytest.raises(oss2.exceptions.AccessDenied):
        acting(server, "writer").put_object("mine/t", b"", headers={"x-oss-tagging": "a=b"})
    assert denied(server) == ("writer", "oss:PutObjectTagging", "/mine/t")


def test_a_presigned_url_may_do_what_its_signer_may(server: OssServer, version: str) -> None:
    writer = acting(server, "writer", version)
    for key, status in (("mine/signed", 200), ("open/signed", 403)):
        url = writer.sign_url("PUT", key, 60, slash_safe=True)
        assert requests.put(url, b"x", timeout=10).status_code == status


def test_a_form_upload_may_do_what_its_signer_may(server: OssServer) -> None:
    rules = {"expiration": "2099-01-01T00:00:00.000Z", "conditions": [{"bucket": BUCKET}]}
    policy = base64.b64encode(json.dumps(rules).encode()).decode()
    signed = hmac.new(b"writer-secret", policy.encode(), hashlib.sha1).digest()
    fields = {
        "policy": policy,
        "OSSAccessKeyId": "STS.writer",
        "Signature": base64.b64encode(signed).decode(),
        "x-oss-security-token": "writer+/=",
    }
    for key, status in (("mine/form", 204), ("open/form", 403)):
        url = f"{server.url}/{BUCKET}/"
        answer = requests.post(url, fields | {"key": key}, files={"file": b"x"}, timeout=10)
        assert answer.status_code == status, answer.text


def test_a_roles_key_needs_its_own_token(server: OssServer) -> None:
    for token in ("reader+/=", "wrong"):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            acting(server, "writer", token=token).get_object("mine/a")
        assert refused.value.code == "InvalidSecurityToken"


def test_the_account_may_do_anything_and_is_not_recorded(server: OssServer) -> None:
    server.bucket().put_object("anywhere", b"")
    assert all("anywhere" not in call["resource"] for call in report(server)["calls"])


def test_the_report_names_each_call_once_and_is_for_the_account_alone(server: OssServer) -> None:
    for _ in range(2):
        acting(server, "reader").get_object("open/a").read()
    calls = [c for c in report(server)["calls"] if c["resource"].endswith("/open/a")]
    assert [c["action"] for c in calls if c["role"] == "reader"].count("oss:GetObject") == 1
    url = f"{server.url}/_admin/access"
    for auth in (None, ("STS.reader", "reader-secret"), (KEY_ID, "wrong")):
        assert requests.get(url, auth=auth, timeout=10).status_code == 403
    assert requests.post(url, auth=(KEY_ID, SECRET), timeout=10).status_code == 405


def test_every_operation_has_its_action() -> None:
    assert set(BUCKET_ACTIONS) == set(routes._BUCKET)
    assert set(OBJECT_ACTIONS) == set(routes._OBJECT)


def test_what_this_server_would_not_understand_is_refused() -> None:
    for change in ({"Effect": "May"}, {"NotAction": "a"}, {"Condition": {"IpAddress": {"a": "b"}}}):
        document = {"Version": "1", "Statement": [allow("oss:GetObject", ALL) | change]}
        with pytest.raises(PolicyError, match="statement 1"):
            Policy.of(document)
    with pytest.raises(PolicyError, match="Version"):
        Policy.of({"Statement": []})


@pytest.mark.parametrize(
    ("key", "verdict"),
    [("a/b", ALLOW), ("a/b/c", ALLOW), ("a", IMPLICIT_DENY), ("a/no", EXPLICIT_DENY)],
)
def test_a_star_reaches_over_slashes(key: str, verdict: str) -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": f"{ALL}/a/no"}
    document = {"Version": "1", "Statement": [allow("oss:Get*", f"{ALL}/a/*"), deny]}
    judged = Policy.of(document).judge(Access("oss:GetObject", f"acs:oss:r:1:{BUCKET}/{key}"))
    assert judged == verdict


def test_a_file_that_holds_no_identities_ends_the_server_with_a_message(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('[{"name": "x"}]')
    with (
        pytest.raises(AssertionError, match="is no list of name, key_id"),
        oss_server(tmp_path / "oss", identities=broken),
    ):
        raise AssertionError("it started")
