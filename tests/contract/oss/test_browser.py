"""What a browser page may do with a bucket: form uploads and cross-origin requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import oss2
import pytest
import requests

from tests.contract.oss.asking import ask, code, texts
from tests.contract.oss.forms import CONDITIONS, form_v1, form_v4, policy, post
from tests.kit.oss_server import BUCKET, OssServer, oss_server


@pytest.mark.parametrize("form", [form_v1, form_v4])
def test_form_upload(server: OssServer, form: Any) -> None:
    answer = post(server, form(policy()), **{"x-oss-meta-from": "form"})
    assert answer.status_code == 204
    got = server.bucket().get_object("inputs/cat ä.png")
    assert got.read() == b"pixels"
    assert (got.headers["x-oss-meta-from"], got.headers["Content-Type"]) == ("form", "image/png")
    created = post(server, form(policy()), success_action_status="201")
    assert created.status_code == 201
    assert texts(created, "Key") == ["inputs/cat ä.png"]
    assert texts(created, "Location") == [f"{server.url}/{BUCKET}/inputs/cat%20%C3%A4.png"]
    again = post(server, form(policy()), **{"x-oss-forbid-overwrite": "true"})
    assert code(again) == (409, "FileAlreadyExists")


def test_form_upload_outside_its_policy(server: OssServer) -> None:
    good = form_v1(policy())
    assert code(post(server, {})) == (403, "AccessDenied")
    assert code(post(server, {**good, "Signature": "x"})) == (403, "SignatureDoesNotMatch")
    assert code(post(server, good, key="state/x")) == (403, "AccessDenied")
    assert code(post(server, good, body=b"")) == (400, "EntityTooSmall")
    assert code(post(server, good, body=b"x" * 11)) == (400, "EntityTooLarge")
    assert code(post(server, form_v1(policy(minutes=-1)))) == (403, "AccessDenied")
    assert code(post(server, form_v1("bm9uc2Vuc2U="))) == (400, "InvalidPolicyDocument")
    assert code(post(server, good, **{"Content-Type": "text/html"})) == (403, "AccessDenied")
    elsewhere = form_v1(policy([{"bucket": "another"}, *CONDITIONS[1:]]))
    assert code(post(server, elsewhere)) == (403, "AccessDenied")
    assert code(post(server, {**good, "OSSAccessKeyId": "x"})) == (403, "InvalidAccessKeyId")
    assert not server.bucket().object_exists("state/x")


def test_a_form_field_is_honoured_or_refused(server: OssServer) -> None:
    form = form_v1(policy())
    assert post(server, form, **{"x-oss-content-type": "text/x-odd"}).status_code == 204
    assert server.bucket().head_object("inputs/cat ä.png").content_type == "text/x-odd"
    server.bucket().delete_object("inputs/cat ä.png")
    for name, value, refusal in (
        ("callback", "e30=", (501, "NotImplemented")),
        ("x-oss-server-side-encryption", "AES256", (501, "NotImplemented")),
        ("x-oss-forbid-overwrite", "yes", (400, "InvalidArgument")),
        ("x-oss-storage-class", "Fast", (400, "InvalidArgument")),
    ):
        assert code(post(server, form, **{name: value})) == refusal
    assert not server.bucket().object_exists("inputs/cat ä.png")


def test_form_upload_with_temporary_keys(tmp_path: Path) -> None:
    with oss_server(tmp_path, token="the-token") as server:
        for form in (form_v1(policy()), form_v4(policy())):
            assert code(post(server, form)) == (403, "InvalidAccessKeyId")
            wrong = {**form, "x-oss-security-token": "another"}
            assert code(post(server, wrong)) == (403, "InvalidSecurityToken")
            good = {**form, "x-oss-security-token": "the-token"}
            assert post(server, good).status_code == 204


def test_cross_origin_requests_follow_the_rules(server: OssServer) -> None:
    url = f"{server.url}/{BUCKET}/inputs/x"
    asked = {
        "Origin": "https://page.example.com",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    assert code(requests.options(url, headers=asked)) == (403, "AccessForbidden")
    rule = oss2.models.CorsRule(
        allowed_origins=["https://*.example.com"],
        allowed_methods=["PUT", "GET"],
        allowed_headers=["*"],
        expose_headers=["ETag"],
        max_age_seconds=600,
    )
    bucket = server.bucket()
    bucket.put_bucket_cors(oss2.models.BucketCors([rule]))
    assert bucket.get_bucket_cors().rules[0].max_age_seconds == 600
    allowed = requests.options(url, headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://page.example.com"
    assert allowed.headers["Access-Control-Allow-Headers"] == "content-type"
    other = {**asked, "Origin": "https://example.org"}
    assert requests.options(url, headers=other).status_code == 403
    signed = bucket.sign_url("PUT", "inputs/x", 60)
    answer = requests.put(signed, data=b"x", headers={"Origin": asked["Origin"]})
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag"
    bucket.delete_bucket_cors()


def test_cross_origin_rules_are_kept_as_the_service_keeps_them(server: OssServer) -> None:
    rules = (
        b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>"
        b"<AllowedMethod>put</AllowedMethod></CORSRule>%s</CORSConfiguration>"
    )
    assert ask(server, "PUT", query={"cors": ""}, body=rules % b"").status_code == 200
    kept = ask(server, "GET", query={"cors": ""})
    assert texts(kept, "CORSRule/AllowedMethod") == ["PUT"]
    assert texts(kept, "ResponseVary") == ["false"]
    assert "Vary" not in requests.get(server.url + f"/{BUCKET}/x").headers
    varying = rules % b"<ResponseVary>true</ResponseVary>"
    assert ask(server, "PUT", query={"cors": ""}, body=varying).status_code == 200
    assert requests.get(server.url + f"/{BUCKET}/x").headers["Vary"] == "Origin"
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    assert requests.options(server.url + f"/{BUCKET}/x", headers=asked).status_code == 200
    assert ask(server, "DELETE", query={"cors": ""}).status_code == 204
