"""What a bucket is set to: documents are checked as the service checks them, settings honoured."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.oss.asking import ask, code, texts
from tests.kit.oss_server import BUCKET, OssServer

EXPIRES = "<Expiration><Days>7</Days></Expiration>"
RULE = "<Prefix>a/</Prefix><Status>Enabled</Status>"
DATE = ">2030-01-31T00:00:00.000Z<"
CORS = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
INVALID, MALFORMED = (400, "InvalidArgument"), (400, "MalformedXML")


def put(server: OssServer, name: str, document: str, **options: Any) -> Any:
    return ask(server, "PUT", query={name: ""}, body=document.encode(), **options)


def lifecycle(*rules: str) -> str:
    inner = "".join(f"<Rule>{rule}</Rule>" for rule in rules)
    return f"<LifecycleConfiguration>{inner}</LifecycleConfiguration>"


def moved(**days: int) -> str:
    """Transitions, each to a class after so many days."""
    return "".join(
        f"<Transition><Days>{number}</Days><StorageClass>{name}</StorageClass></Transition>"
        for name, number in days.items()
    )


def cors(rule: str, more: str = "") -> str:
    return f"<CORSConfiguration><CORSRule>{rule}</CORSRule>{more}</CORSConfiguration>"


def tagging(*pairs: str) -> str:
    tags = "".join(f"<Tag><Key>{key}</Key><Value>{key}!</Value></Tag>" for key in pairs)
    return f"<Tagging><TagSet>{tags}</TagSet></Tagging>"


@pytest.mark.parametrize(
    "rule",
    [
        RULE + EXPIRES,
        f"<ID>x</ID>{RULE}<AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>",
        RULE + "<Expiration><CreatedBeforeDate>2030-01-31T00:00:00.000Z</CreatedBeforeDate>"
        "</Expiration><Tag><Key>a</Key><Value>1</Value></Tag>",
        RULE + moved(Archive=6, IA=3) + EXPIRES,
        RULE + "<Days>7</Days>" + EXPIRES,
        RULE + EXPIRES + "<Filter><Not><Prefix>a/b</Prefix></Not></Filter>",
    ],
)
def test_lifecycle_rules_that_are_right(server: OssServer, rule: str) -> None:
    assert put(server, "lifecycle", lifecycle(rule)).status_code == 200
    kept = ask(server, "GET", query={"lifecycle": ""})
    assert texts(kept, "Rule/Status") == ["Enabled"]
    assert ask(server, "DELETE", query={"lifecycle": ""}).status_code == 204


@pytest.mark.parametrize(
    ("rules", "refusal", "says"),
    [
        ([RULE + "<Expiration><Days>-5</Days></Expiration>"], INVALID, "Days is '-5'"),
        ([RULE + "<Expiration><Days>0</Days></Expiration>"], INVALID, "Expiration/Days"),
        (["<Prefix/><Status>On</Status>" + EXPIRES], INVALID, "Enabled or Disabled"),
        (
            [RULE + "<Expiration><CreatedBeforeDate>tomorrow</CreatedBeforeDate></Expiration>"],
            INVALID,
            "YYYY-MM-DD",
        ),
        ([f"<ID>{'x' * 256}</ID>{RULE}{EXPIRES}"], INVALID, "at most 255"),
        ([f"<ID>a</ID>{RULE}{EXPIRES}"] * 2, INVALID, "same ID"),
        ([RULE + moved(Standard=3)], INVALID, "StorageClass is 'Standard'"),
        ([RULE + moved(IA=7) + EXPIRES], INVALID, "Expiration to come later"),
        ([RULE + EXPIRES, RULE + moved(Archive=2, IA=5)], INVALID, "Rule[2]: Archive comes"),
        (
            [RULE + EXPIRES.replace(">7<", ">77<") + "<Tag><Key>%&amp;</Key></Tag>"],
            INVALID,
            "letters, digits",
        ),
        (
            [
                RULE
                + EXPIRES.replace("Days>", "CreatedBeforeDate>").replace(">7<", DATE)
                + moved(IA=5)
            ],
            (400, "InvalidRequest"),
            "counts days and names dates",
        ),
        ([RULE], MALFORMED, "a rule that does something"),
        ([RULE + "<Expiration/>"], MALFORMED, "one of Days"),
        ([EXPIRES], MALFORMED, "'Status' is a required"),
        ([RULE + EXPIRES + EXPIRES], MALFORMED, "more than once"),
        ([RULE + EXPIRES, RULE + "<Exspiration/>" + EXPIRES], MALFORMED, "Rule[2]"),
        ([RULE + "<Transition><Days>1</Days></Transition>"], MALFORMED, "Transition[1]"),
        ([], MALFORMED, "'Rule' is a required"),
    ],
)
def test_a_wrong_lifecycle_rule_is_refused_here_already(
    server: OssServer, rules: list[str], refusal: tuple[int, str], says: str
) -> None:
    answer = put(server, "lifecycle", lifecycle(*rules))
    assert code(answer) == refusal
    assert says in str(texts(answer, "Message"))
    assert code(ask(server, "GET", query={"lifecycle": ""})) == (404, "NoSuchLifecycle")


@pytest.mark.parametrize(
    ("name", "document", "refusal"),
    [
        ("cors", cors(CORS.replace("GET", "FETCH")), INVALID),
        ("cors", cors(CORS.replace("*", "*.*")), INVALID),
        ("cors", cors(CORS + "<MaxAgeSeconds>long</MaxAgeSeconds>"), INVALID),
        ("cors", cors(CORS, "<ResponseVary>often</ResponseVary>"), INVALID),
        ("cors", cors("<AllowedOrigin>*</AllowedOrigin>"), MALFORMED),
        ("cors", cors(CORS + "<AllowedCookie/>"), MALFORMED),
        ("tagging", tagging("a", "a"), (400, "InvalidTag")),
        ("tagging", tagging(*map(str, range(21))), (400, "InvalidTag")),
        ("tagging", "<Tagging/>", MALFORMED),
        ("versioning", "<VersioningConfiguration/>", MALFORMED),
        (
            "versioning",
            "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>",
            INVALID,
        ),
    ],
)
def test_other_documents_are_checked_too(
    server: OssServer, name: str, document: str, refusal: tuple[int, str]
) -> None:
    assert code(put(server, name, document)) == refusal


def test_versions_are_not_kept_and_the_answer_says_so(server: OssServer) -> None:
    wanted = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    answer = put(server, "versioning", wanted)
    assert code(answer) == (501, "NotImplemented")
    assert "keeps no older versions" in str(texts(answer, "Message"))
    assert texts(ask(server, "GET", query={"versioning": ""}), "Status") == []
    assert texts(ask(server, "GET", query={"bucketInfo": ""}), "Bucket/Versioning") == ["Disabled"]


def test_a_bucket_has_the_class_it_was_created_with(server: OssServer) -> None:
    def create(inner: str, bucket: str = "seldom") -> Any:
        body = f"<CreateBucketConfiguration>{inner}</CreateBucketConfiguration>".encode()
        return ask(server, "PUT", body=body, bucket=bucket)

    seldom = "<StorageClass>IA</StorageClass><DataRedundancyType>ZRS</DataRedundancyType>"
    assert create(seldom).status_code == create(seldom).status_code == 200
    info = ask(server, "GET", query={"bucketInfo": ""}, bucket="seldom")
    assert texts(info, "Bucket/StorageClass") == ["IA"]
    assert texts(info, "Bucket/DataRedundancyType") == ["ZRS"]
    listed = ask(server, "GET", query={"prefix": "seldom"}, bucket="")
    assert texts(listed, "Buckets/Bucket/StorageClass") == ["IA"]
    assert code(create("<StorageClass>Standard</StorageClass>")) == (409, "BucketAlreadyExists")
    for wrong, refusal in (
        ("<StorageClass>Archive</StorageClass>", (501, "NotImplemented")),
        ("<StorageClass>Fast</StorageClass>", INVALID),
        ("<DataRedundancyType>RAID</DataRedundancyType>", INVALID),
        ("<Size>9</Size>", MALFORMED),
    ):
        assert code(create(wrong, "never-made")) == refusal
    assert code(ask(server, "GET", bucket="never-made")) == (404, "NoSuchBucket")
    ask(server, "DELETE", bucket="seldom")


def test_objects_have_their_own_class_or_else_their_bucket_s(server: OssServer) -> None:
    body = b"<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>"
    ask(server, "PUT", body=body, bucket="seldom")
    ours: dict[str, Any] = {"bucket": "seldom"}
    name = "x-oss-storage-class"
    ask(server, "PUT", "plain", body=b"x", **ours)
    ask(server, "PUT", "often", body=b"x", headers={name: "Standard"}, **ours)
    from_often = {"x-oss-copy-source": "/seldom/often"}
    ask(server, "PUT", "copy", headers=from_often, **ours)
    ask(server, "PUT", "as-said", headers={**from_often, name: "Standard"}, **ours)
    found = {
        key: ask(server, "HEAD", key, **ours).headers[name]
        for key in ("plain", "often", "copy", "as-said")
    }
    assert found == {"plain": "IA", "often": "Standard", "copy": "IA", "as-said": "Standard"}
    assert texts(ask(server, "GET", **ours), "Contents/StorageClass").count("IA") == 2
    for wrong, refusal in (("Fast", INVALID), ("ColdArchive", (501, "NotImplemented"))):
        assert code(ask(server, "PUT", "x", headers={name: wrong}, **ours)) == refusal
    for key in found:
        ask(server, "DELETE", key, **ours)
    assert ask(server, "DELETE", **ours).status_code == 204


def test_buckets_are_found_by_their_tags(server: OssServer) -> None:
    for bucket, tags in (("tag-one", "a"), ("tag-two", "ab")):
        ask(server, "PUT", bucket=bucket)
        assert put(server, "tagging", tagging(*tags), bucket=bucket).status_code == 200

    def found(**query: str) -> list[str | None]:
        asked = {name.replace("_", "-"): value for name, value in query.items()}
        return texts(ask(server, "GET", query=asked, bucket=""), "Buckets/Bucket/Name")

    assert found() == ["tag-one", "tag-two", BUCKET]
    assert found(tag_key="a") == found(tag_key="a", tag_value="a!") == ["tag-one", "tag-two"]
    assert found(tag_key="b") == ["tag-two"]
    assert found(tag_key="a", tag_value="b!") == []
    assert found(tag_key="a", max_keys="1") == ["tag-one"]
    assert code(ask(server, "GET", query={"tag-value": "a!"}, bucket="")) == INVALID
    for bucket in ("tag-one", "tag-two"):
        ask(server, "DELETE", bucket=bucket)


def test_single_tags_of_a_bucket_can_be_removed(server: OssServer) -> None:
    put(server, "tagging", tagging("a", "b", "c"))
    assert ask(server, "DELETE", query={"tagging": "a,c"}).status_code == 204
    assert texts(ask(server, "GET", query={"tagging": ""}), "TagSet/Tag/Key") == ["b"]
    assert ask(server, "DELETE", query={"tagging": ""}).status_code == 204
    assert code(ask(server, "GET", query={"tagging": ""})) == (404, "NoSuchTagSet")
    server.bucket().put_object("tagged", b"", headers={"x-oss-tagging": "a=1"})
    assert code(ask(server, "DELETE", "tagged", {"tagging": "a"})) == INVALID
    assert server.bucket().get_object_tagging("tagged").tag_set.tagging_rule == {"a": "1"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_endpoints_in_answers_lead_back_here(server: OssServer, host: str) -> None:
    at = server.url.replace("127.0.0.1", host)
    here = at.removeprefix("http://")
    info = ask(server, "GET", query={"bucketInfo": ""}, at=at)
    listed = ask(server, "GET", bucket="", at=at)
    for kind in ("ExtranetEndpoint", "IntranetEndpoint"):
        assert texts(info, f"Bucket/{kind}") == [here]
        assert set(texts(listed, f"Buckets/Bucket/{kind}")) == {here}


def test_endpoints_in_answers_leave_the_bucket_out(server: OssServer) -> None:
    port = server.url.rpartition(":")[2]
    named = {"Host": f"{BUCKET}.localhost:{port}"}
    info = ask(server, "GET", query={"bucketInfo": ""}, headers=named, bucket=BUCKET, by_host=True)
    assert texts(info, "Bucket/ExtranetEndpoint") == [f"localhost:{port}"]
    begun = ask(server, "POST", "a b", {"uploads": ""}, headers=named, by_host=True)
    upload = {"uploadId": str(texts(begun, "UploadId")[0])}
    ask(server, "PUT", "a b", {**upload, "partNumber": "1"}, body=b"x", headers=named, by_host=True)
    headers = {**named, "x-oss-complete-all": "yes"}
    done = ask(server, "POST", "a b", upload, headers=headers, by_host=True)
    assert texts(done, "Location") == [f"http://{BUCKET}.localhost:{port}/a%20b"]
