"""What other clients send and oss2 does not: each request is honoured or refused by name."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import oss2
import pytest

from tests.contract.oss.asking import ask, code, texts
from tests.kit.oss_server import BUCKET, OssServer

INVALID, NOT_OFFERED = (400, "InvalidArgument"), (501, "NotImplemented")
# Raw and as references; two that are no characters; the server's own mark for these, and what
# follows it; line ends, which XML parsers change.
UNWRITABLE = [
    *(f"a{chr(number)}b" for number in range(32)),
    *("a\ufffeb", "a\uffffb", "a\U0010fffdb", "a\U0010fffd\ue001b", "\r\n", "a>\rb", "&#1;"),
]


def delete_many(server: OssServer, objects: str, **options: Any) -> Any:
    body = f"<Delete>{objects}</Delete>".encode()
    return ask(server, "POST", query={"delete": "", **options}, body=body)


def escaped(key: str) -> str:
    return key.replace("&", "&amp;").replace("<", "&lt;")


def as_references(key: str) -> str:
    return "".join(f"&#x{ord(c):X};" if n % 2 else f"&#{ord(c)};" for n, c in enumerate(key))


@pytest.mark.parametrize("written", [escaped, as_references])
def test_every_key_can_be_deleted_in_a_batch(server: OssServer, bucket: Any, written: Any) -> None:
    for key in UNWRITABLE:
        bucket.put_object(key, b"")
    objects = "".join(f"<Object><Key>{written(key)}</Key></Object>\r\n" for key in UNWRITABLE)
    answer = delete_many(server, f"\r\n{objects}<Quiet>false</Quiet>", **{"encoding-type": "url"})
    assert answer.status_code == 200
    assert len(texts(answer, "Deleted/Key")) == len(UNWRITABLE)
    assert [item.key for item in bucket.list_objects_v2().object_list] == []


def test_the_sdk_deletes_keys_with_control_characters_in_a_batch(bucket: Any) -> None:
    keys = ["plain", "x\x01y", "\x1f"]
    for key in keys:
        bucket.put_object(key, b"")
    assert bucket.batch_delete_objects(keys).deleted_keys == keys
    assert not bucket.list_objects_v2().object_list


@pytest.mark.parametrize(
    "body",
    [
        "<Delete><Object><Key>a</Key></Object></Delete>".encode("utf-16"),
        b"<Delete><Object><Key>\xff</Key></Object></Delete>",
        b"<Delete><Object><Key>&#xD800;</Key></Object></Delete>",
        b"<Delete><Object><Key>&#9999999;</Key></Object></Delete>",
        b"<Del\x01ete/>",
    ],
)
def test_a_document_that_is_none(server: OssServer, body: bytes) -> None:
    answer = ask(server, "POST", query={"delete": ""}, body=body)
    assert code(answer) == (400, "MalformedXML")


def test_a_batch_never_deletes_what_was_not_asked_for(server: OssServer) -> None:
    bucket = server.bucket()
    bucket.put_object("current", b"x")
    version = "<Object><Key>current</Key><VersionId>1</VersionId></Object>"
    assert code(delete_many(server, version)) == NOT_OFFERED
    one = "<Object><Key>current</Key></Object>"
    assert code(delete_many(server, one + "<Quiet>maybe</Quiet>")) == INVALID
    assert code(delete_many(server, one, **{"encoding-type": "base64"})) == INVALID
    assert bucket.object_exists("current")
    bucket.delete_object("current")


@pytest.mark.parametrize(
    ("method", "key", "query"),
    [
        ("GET", "", {"regions": ""}),
        ("GET", "", {"regions": "oss-cn-hangzhou"}),
        ("GET", "", {"tagging": '"a":"1"'}),
        ("GET", "", {"publicAccessBlock": ""}),
    ],
)
def test_what_the_service_itself_is_not_asked_for_is_no_list_of_buckets(
    server: OssServer, method: str, key: str, query: dict[str, str]
) -> None:
    assert code(ask(server, method, key, query, bucket="")) == NOT_OFFERED


@pytest.mark.parametrize("name", ["somethingNew", "bucketOverwriteConfig", "restore", "x-oss-new"])
def test_a_sub_resource_that_is_not_known_is_no_plain_read_or_write(
    server: OssServer, name: str
) -> None:
    server.bucket().put_object("kept", b"content")
    for method, key in (("PUT", "kept"), ("GET", "kept"), ("DELETE", "kept"), ("GET", "")):
        answer = ask(server, method, key, {name: ""}, body=b"<New/>" if method == "PUT" else b"")
        assert code(answer) == NOT_OFFERED
        assert name in str(texts(answer, "Message"))
    assert code(ask(server, "PUT", query={name: ""}, bucket="never-made")) == NOT_OFFERED
    assert code(ask(server, "GET", bucket="never-made")) == (404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("x-oss-traffic-limit", "819200", NOT_OFFERED),
        ("x-oss-server-side-encryption", "AES256", NOT_OFFERED),
        ("x-oss-callback", "e30=", NOT_OFFERED),
        ("X-Oss-Object-Worm-Mode", "COMPLIANCE", NOT_OFFERED),
        ("x-oss-forbid-overwrite", "yes", INVALID),
    ],
)
def test_a_header_that_the_service_honours_is_honoured_or_refused(
    server: OssServer, name: str, value: str, refusal: tuple[int, str]
) -> None:
    answer = ask(server, "PUT", "refused", headers={name: value}, body=b"x")
    assert code(answer) == refusal
    assert name.lower() in str(texts(answer, "Message")).lower()
    assert not server.bucket().object_exists("refused")
    if refusal == NOT_OFFERED:
        assert code(ask(server, "PUT", "refused", {name.lower(): value}, body=b"x")) == refusal


def test_what_the_service_does_not_know_either_is_let_through(server: OssServer) -> None:
    headers, query = {"x-oss-user": "user-001"}, {"cache": "5", "x-oss-user": "1", "max-parts": ""}
    put = ask(server, "PUT", "let-through", query, headers=headers, body=b"x")
    assert put.status_code == 200
    assert ask(server, "GET", "let-through", query, headers=headers).content == b"x"


@pytest.mark.parametrize(
    ("method", "key", "query", "headers"),
    [
        ("GET", "", {"list-type": "3"}, {}),
        ("GET", "", {"list-type": "2", "fetch-owner": "maybe"}, {}),
        ("GET", "", {"uploads": "", "encoding-type": "base64"}, {}),
        ("POST", "x", {"uploads": "", "encoding-type": "base64"}, {}),
        ("GET", "x", {}, {"x-oss-range-behavior": "usual"}),
        ("PUT", "x", {}, {"x-oss-copy-source": "/wanx/x", "x-oss-metadata-directive": "replace"}),
        ("PUT", "x", {}, {"x-oss-copy-source": "/wanx/x", "x-oss-tagging-directive": "all"}),
    ],
)
def test_a_value_is_honoured_or_refused(
    server: OssServer, method: str, key: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    server.bucket().put_object("x", b"x")
    assert code(ask(server, method, key, query, headers=headers)) == INVALID


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_version_is_never_taken_for_the_current_object(server: OssServer, method: str) -> None:
    server.bucket().put_object("x", b"x")
    assert ask(server, method, "x", {"versionId": "1"}).status_code == 501
    assert server.bucket().object_exists("x")


def test_a_version_to_copy_from_is_refused(server: OssServer) -> None:
    server.bucket().put_object("x", b"x")
    source = {"x-oss-copy-source": "/wanx/x?versionId=1"}
    assert code(ask(server, "PUT", "y", headers=source)) == NOT_OFFERED


@pytest.mark.parametrize("token", ["not-a-token", "a", "AAAAAA", "é", "b2xk"])
def test_a_continuation_token_is_one_that_a_listing_gave(server: OssServer, token: str) -> None:
    query = {"list-type": "2", "continuation-token": token}
    assert code(ask(server, "GET", query=query)) == INVALID


def test_a_given_continuation_token_leads_on(bucket: Any) -> None:
    keys = ["a b", "é/1", "中", "😀"]
    for key in keys:
        bucket.put_object(key, b"")
    first = bucket.list_objects_v2(max_keys=2)
    token = first.next_continuation_token
    assert "é" not in token
    rest = bucket.list_objects_v2(continuation_token=token)
    assert [item.key for item in first.object_list + rest.object_list] == keys
    with pytest.raises(oss2.exceptions.InvalidArgument):
        bucket.list_objects_v2(continuation_token=token[:-1])


@pytest.mark.parametrize("tags", ["a=%26", "a(=1", "v=%21", "a=%2A", "a=%3F"])
def test_tags_are_of_letters_digits_and_a_few_signs(server: OssServer, tags: str) -> None:
    refusal = (400, "InvalidTag")
    headers = {"x-oss-tagging": tags}
    assert code(ask(server, "PUT", "tagged", headers=headers, body=b"x")) == refusal
    key, _, value = tags.replace("%26", "&amp;").replace("%21", "!").partition("=")
    tag = f"<Tag><Key>{key}</Key><Value>{value}*</Value></Tag>"
    body = f"<Tagging><TagSet>{tag}</TagSet></Tagging>".encode()
    server.bucket().put_object("tagged", b"x")
    assert code(ask(server, "PUT", "tagged", {"tagging": ""}, body=body)) == refusal
    good = {"x-oss-tagging": "a%20+-%3D._:/=B1%20%2B-%3D._:/%E4%B8%AD"}
    assert ask(server, "PUT", "tagged", headers=good, body=b"x").status_code == 200


def test_tags_and_metadata_of_a_later_append_are_not_looked_at(bucket: Any) -> None:
    many = "&".join(f"k{number}=v" for number in range(15))
    with pytest.raises(oss2.exceptions.ServerError):
        bucket.append_object("log", 0, b"one", headers={"x-oss-tagging": many})
    bucket.append_object("log", 0, b"one", headers={"x-oss-tagging": "a=1"})
    bucket.append_object("log", 3, b"two", headers={"x-oss-tagging": many})
    assert bucket.get_object_tagging("log").tag_set.tagging_rule == {"a": "1"}


def test_a_copy_keeps_its_content_type_where_none_is_sent(server: OssServer) -> None:
    source = {"x-oss-copy-source": f"/{BUCKET}/from", "x-oss-metadata-directive": "REPLACE"}
    put = {"Content-Type": "image/png", "Cache-Control": "no-cache", "x-oss-meta-a": "1"}
    server.bucket().put_object("from", b"x", headers=put)
    assert ask(server, "PUT", "to", headers=source).status_code == 200
    head = ask(server, "HEAD", "to").headers
    assert (head["Content-Type"], head.get("Cache-Control")) == ("image/png", None)
    assert "x-oss-meta-a" not in head
    ask(server, "PUT", "to", headers={**source, "Content-Type": "text/x-odd"})
    assert ask(server, "HEAD", "to").headers["Content-Type"] == "text/x-odd"


def test_a_link_has_metadata_of_its_own(bucket: Any) -> None:
    sent = {"x-oss-meta-of": "target", "Content-Type": "image/png"}
    etag = bucket.put_object("target", b"12345", headers=sent).etag
    bucket.put_symlink("target", "link", headers={"x-oss-meta-of": "link"})
    for answer in (bucket.head_object("link"), bucket.get_object("link")):
        assert answer.headers["x-oss-meta-of"] == "link"
        assert (answer.etag, answer.content_length, answer.object_type) == (etag, 5, "Symlink")


def test_a_body_is_confirmed_by_its_md5(server: OssServer) -> None:
    expected = base64.b64encode(hashlib.md5(b"body").digest()).decode()
    assert ask(server, "PUT", "x", body=b"body").headers["Content-MD5"] == expected
    begun = ask(server, "POST", "parts", {"uploads": ""})
    part = {"uploadId": str(texts(begun, "UploadId")[0]), "partNumber": "1"}
    assert ask(server, "PUT", "parts", part, body=b"body").headers["Content-MD5"] == expected
