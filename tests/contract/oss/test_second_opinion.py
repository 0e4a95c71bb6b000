"""The OSS server beside another implementation of an object store: moto's S3.

Random sequences of operations go through oss2 to both (two_stores.py); every answer and the
objects that remain are compared. DIFFERENCES lists by name where S3 is meant to answer otherwise:
the sequences leave those out, and each is shown here. NOT_COMPARED has no equivalent in S3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import oss2
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from oss2.models import PartInfo

from tests.contract.oss.moto_translation import moto_bucket
from tests.contract.oss.two_stores import Act, TwoStores, answer
from tests.kit.oss_server import OssServer

# Shrinking a failure to its shortest sequence takes longer than the test itself.
pytestmark = pytest.mark.timeout(600)
SEQUENCES, STEPS = 25, 40
NOT_COMPARED = {
    "signatures": "the translation does not check them",
    "append": "S3 has no appendable objects",
    "symlink": "S3 has no links",
    "object type": "S3 has none; the translation says Normal",
    "crc64": "S3 sends another checksum, and only where asked",
    "code of a refused HEAD": "S3 sends no x-oss-err; the status is compared",
    "upload ids and continuation tokens": "opaque; each server is given its own back",
    "times": "the two servers write at different moments",
    "first form of listing": "S3's does not count common prefixes; it goes to S3's second form",
}


@dataclass(frozen=True)
class Difference:
    """Where the two are meant to differ: what OSS answers, and so our server, and what moto does.

    ``reason`` says whose rule it is.
    """

    name: str
    reason: str
    act: Act
    oss: object
    moto: object


def read(bucket: Any, key: str, **query: Any) -> object:
    got = bucket.get_object(key, **query)
    return got.status, got.read()


def put(bucket: Any, key: str, body: bytes = b"0123", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return int(bucket.put_object(key, body, headers=named).status)


def multipart(bucket: Any, key: str, bodies: dict[int, bytes]) -> tuple[str, list[Any]]:
    upload = bucket.init_multipart_upload(key).upload_id
    etags = {n: bucket.upload_part(key, upload, n, body).etag for n, body in bodies.items()}
    return upload, [PartInfo(number, etag) for number, etag in etags.items()]


def complete_twice(bucket: Any) -> object:
    upload, parts = multipart(bucket, "twice", {1: b"x"})
    bucket.complete_multipart_upload("twice", upload, parts)
    return bucket.complete_multipart_upload("twice", upload, parts).status


def complete_aborted(bucket: Any) -> object:
    upload, parts = multipart(bucket, "aborted", {1: b"x"})
    bucket.abort_multipart_upload("aborted", upload)
    try:
        return bucket.complete_multipart_upload("aborted", upload, parts).status
    except KeyError:
        return "crash"


def complete_with_two_faults(bucket: Any) -> object:
    upload, parts = multipart(bucket, "faults", {1: b"x", 2: b"y"})
    wanted = [*parts, PartInfo(3, "0" * 32)]
    return bucket.complete_multipart_upload("faults", upload, wanted).status


def copy_with_two_faults(bucket: Any) -> object:
    headers = {"x-oss-forbid-overwrite": "true"}
    return bucket.copy_object(bucket.bucket_name, "absent", "k", headers=headers).status


def pages_of_parts(bucket: Any) -> object:
    upload, _ = multipart(bucket, "gaps", {2: b"x", 4: b"y"})
    return [part.part_number for part in oss2.PartIterator(bucket, "gaps", upload, max_parts=1)]


def order_of_uploads(bucket: Any) -> object:
    for key in ("u/z", "u/a"):
        bucket.init_multipart_upload(key)
    return [found.key for found in bucket.list_multipart_uploads(prefix="u/").upload_list]


def untyped(bucket: Any) -> object:
    upload, parts = multipart(bucket, "untyped", {1: b"x"})
    bucket.complete_multipart_upload("untyped", upload, parts)
    return bucket.head_object("untyped").content_type


def if_match_on_copy(bucket: Any) -> object:
    headers = {"x-oss-copy-source-if-match": '"0"'}
    return bucket.copy_object(bucket.bucket_name, "k", "k2", headers=headers).status


def suffix_of_nothing(bucket: Any) -> object:
    put(bucket, "empty", b"")
    return read(bucket, "empty", byte_range=(None, 1), headers=STANDARD)


STANDARD = {"x-oss-range-behavior": "standard"}
WRONG_MD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="
DIFFERENCES = [
    Difference(
        "range past the end",
        "OSS sends the whole object, and 416 only with x-oss-range-behavior: standard",
        lambda bucket: read(bucket, "k", byte_range=(9, 12)),
        (200, b"0123"),
        (416, "InvalidRange"),
    ),
    Difference(
        "conditional PUT",
        "OSS has none and refuses it; S3 has If-None-Match",
        lambda bucket: put(bucket, "new", If_None_Match="*"),
        (501, "NotImplemented"),
        200,
    ),
    Difference(
        "wrong Content-MD5",
        "OSS and S3 refuse it; moto does not look",
        lambda bucket: put(bucket, "md5", Content_MD5=WRONG_MD5),
        (400, "InvalidDigest"),
        200,
    ),
    Difference(
        "copy onto itself",
        "OSS does it; S3 only where it changes metadata",
        lambda bucket: bucket.copy_object(bucket.bucket_name, "k", "k").status,
        200,
        (400, "InvalidRequest"),
    ),
    Difference(
        "condition on the source of a copy",
        "OSS and S3 heed If-Match; moto does not",
        if_match_on_copy,
        (412, "PreconditionFailed"),
        200,
    ),
    Difference(
        "two reasons to refuse a copy",
        "which comes first is not documented; the translation looks at the target first",
        copy_with_two_faults,
        (404, "NoSuchKey"),
        (409, "FileAlreadyExists"),
    ),
    Difference(
        "page of no keys",
        "OSS wants max-keys from 1 on; S3 allows 0",
        lambda bucket: bucket.list_objects(max_keys=0).status,
        (400, "InvalidArgument"),
        200,
    ),
    Difference(
        "page of more than 1000 keys",
        "OSS refuses it; S3 sends 1000",
        lambda bucket: bucket.list_objects_v2(max_keys=1001).status,
        (400, "InvalidArgument"),
        200,
    ),
    Difference(
        "key that begins with a backslash",
        "a rule of OSS alone",
        lambda bucket: put(bucket, "\\x"),
        (400, "InvalidObjectName"),
        200,
    ),
    Difference(
        "metadata name with an underscore",
        "OSS allows letters, digits and hyphens",
        lambda bucket: bucket.put_object("m", b"", headers={"x-oss-meta-a_b": "x"}).status,
        (400, "InvalidArgument"),
        200,
    ),
    Difference(
        "suffix of an empty object",
        "not documented by OSS; S3 says 416 like our server, moto sends the whole",
        suffix_of_nothing,
        (416, "InvalidRange"),
        (200, b""),
    ),
    Difference(
        "content type where none was said",
        "each platform's own default",
        untyped,
        "application/octet-stream",
        "binary/octet-stream",
    ),
    Difference(
        "complete twice",
        "OSS forgets a completed upload; moto answers as before",
        complete_twice,
        (404, "NoSuchUpload"),
        200,
    ),
    Difference(
        "complete after abort",
        "OSS and S3 say NoSuchUpload; moto fails",
        complete_aborted,
        (404, "NoSuchUpload"),
        "crash",
    ),
    Difference(
        "two reasons to refuse a completion",
        "which comes first is not documented",
        complete_with_two_faults,
        (400, "InvalidPart"),
        (400, "EntityTooSmall"),
    ),
    Difference(
        "pages of parts with gaps",
        "part-number-marker is a part's number; moto takes it for a position",
        pages_of_parts,
        [2, 4],
        [2],
    ),
    Difference(
        "order of uploads",
        "OSS and S3 sort by key; moto lists them as they began",
        order_of_uploads,
        ["u/a", "u/z"],
        ["u/z", "u/a"],
    ),
]


@pytest.fixture(scope="module")
def both(server: OssServer) -> tuple[Any, Any]:
    buckets = (server.bucket(enable_crc=False), moto_bucket("wanx"))
    for bucket in buckets:
        bucket.create_bucket()
        put(bucket, "k")
    return buckets


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_differences_are_as_documented(both: tuple[Any, Any], difference: Difference) -> None:
    ours, moto = (answer(difference.act, bucket) for bucket in both)
    assert ours == difference.oss
    assert moto == difference.moto, "moto has changed: compare it in the sequences"


def test_random_sequences_have_the_same_effect(server: OssServer) -> None:
    TwoStores.server = server
    run_state_machine_as_test(
        TwoStores,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert TwoStores.compared > SEQUENCES * STEPS / 3, "the sequences were empty"
