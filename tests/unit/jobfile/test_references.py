"""The forms in which a job names an image."""

from __future__ import annotations

import json

import pytest

from shared.jobfile import Checked, Place, check, parse
from shared.jobfile.addresses import hosts_of
from tests.kit.jobfile import (
    BUCKET,
    CATALOGUE,
    Reader,
    checked,
    data_uri,
    edit,
    image,
    only,
    sketch,
)


@pytest.mark.parametrize(
    ("text", "key", "form"),
    [
        ("oss:///inputs/猫 1%20.png", "inputs/猫 1%20.png", "bucket"),
        (f"oss://{BUCKET}/inputs/猫 1%20.png", "inputs/猫 1%20.png", "bucket"),
        ("oss://dashscope-instant/x/2026/a.png", None, "temporary"),
        ("https://example.com/a.png?x=1", None, "url"),
        ("http://example.com:8080/a.png", None, "url"),
        ("https://example.com/猫.png", None, "url"),
        (data_uri(image("PNG")), None, "data"),
    ],
)
def test_the_forms_of_an_image(text: str, key: str | None, form: str) -> None:
    found = checked(edit(input={"images": [text]}), {"inputs/猫 1%20.png": image("PNG")})
    assert (found.violations, found.notices) == ((), ())
    assert found.spec is not None
    (use,) = found.spec.images
    assert (use.pointer, use.key, use.form) == ("/input/images/0", key, form)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("oss:///", "folder"),
        ("oss:///inputs/", "folder"),
        ("oss://elsewhere", "no object"),
        ("oss:///state/records/a/000001.json", "system's own"),
        ("oss:///inputs/../state/x", "`..`"),
        ("oss:////etc/passwd", "slash"),
        ("oss:///" + "k" * 1024, "1023 bytes"),
        ("oss:///" + "猫" * 342, "1023 bytes"),
        ("oss:///inputs/a\n.png", "control character"),
        ("https://", "host"),
        ("https:///a.png", "host"),
        ("https://[::1/a.png", "host"),
        ("https://h:99999/a.png", "host"),
        ("https://h:x/a.png", "host"),
        ("https://u:p@h/a.png", "password"),
        ("https://h/a b.png", "percent-encoded"),
        ("https://h/a\n.png", "percent-encoded"),
        ("file:///home/a.png", "own disk"),
        ("./a.png", "own disk"),
        ("a.png", "own disk"),
        ("ftp://h/a.png", "https://"),
        ("javascript:alert(1)", "oss:///"),
        ("data:image/png,xx", "base64"),
        ("data:;base64,xx", "base64"),
        ("data:image/png;base64,%%%", "base64"),
        ("data:image/png;base64,aGVsbG8=", "text"),
        ("data:image/png;base64,", "empty"),
        ("oss:///inputs/nowhere.png", "does not exist in the bucket; upload it before"),
    ],
)
def test_what_names_no_image_is_told(text: str, words: str) -> None:
    violation = only(checked(edit(input={"images": [text]})).violations)
    assert violation.pointer == "/input/images/0"
    assert words in violation.message


def test_the_longest_key_is_read() -> None:
    key = "inputs/" + "k" * 1016
    assert checked(edit(input={"images": [f"oss:///{key}"]}), {key: image("PNG")}).spec is not None


@pytest.mark.parametrize("host", ["our-buckt", "my-other-bucket", "inputs.example.com"])
def test_another_bucket_is_refused(host: str) -> None:
    violation = only(checked(edit(input={"images": [f"oss://{host}/inputs/a.png"]})).violations)
    assert host in violation.message
    assert "copy the image to inputs/" in violation.message


def test_a_bucket_is_taken_for_temporary_only_where_nobody_knows_ours() -> None:
    document = parse(json.dumps(edit(input={"images": ["oss://b/a.png"]})).encode(), "a.json")[0]
    found = check(document, CATALOGUE, Place(Reader(), ""))
    assert found.spec is not None
    assert "temporary upload" in only(found.notices).message


@pytest.mark.parametrize("folder", ["inputs", "results", "uploads"])
def test_a_folder_with_a_slash_too_few_is_told(folder: str) -> None:
    violation = only(checked(edit(input={"images": [f"oss://{folder}/a.png"]})).violations)
    assert f"oss:///{folder}/" in violation.message


UNREACHABLE = [
    "127.0.0.1:8080",
    "localhost",
    "[::1]",
    "192.168.1.20",
    "10.0.0.5",
    "169.254.169.254",
    "minio:9000",
    "host.docker.internal",
    "nas.local",
    "127.1",
    "2130706433",
    "0x7f000001",
    "[::ffff:10.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[fe80::1]",
    "[fec0::1]",
    "[::7f00:1]",
    "[::ffff:0:10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:a00:1::1]",
    "224.0.0.1",
    "0.0.0.0",
    "localhost.",
]


@pytest.mark.parametrize("host", UNREACHABLE)
def test_an_address_inside_a_network_is_refused(host: str) -> None:
    for job, field in ((edit(), "images"), (sketch(), "sketch_image_url")):
        url = f"http://{host}/c.jpg"
        job["input"][field] = [url] if field == "images" else url
        violation = only(checked(job).violations)
        assert "cannot reach" in violation.message


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700:4700::1111]", "a.cn", "1.example.com"])
def test_a_public_address_is_fine(host: str) -> None:
    found = checked(edit(input={"images": [f"https://{host}/c.jpg"]}))
    assert (found.violations, found.notices) == ((), ())


def at_noon(url: str, hosts: frozenset[str] | None = frozenset()) -> Checked:
    """A job with this URL, checked on 2026-11-20 at noon (UTC)."""
    document = parse(json.dumps(edit(input={"images": [url]})).encode(), "a.json")[0]
    return check(document, CATALOGUE, Place(Reader(), BUCKET, hosts, 1795176000.0))


def test_the_own_endpoint_is_reachable_wherever_it_is() -> None:
    hosts = hosts_of("http://127.0.0.1:9000", "", "http://oss.localhost")
    for host in ("127.0.0.1:9000", "oss.localhost", "our-bucket.oss.localhost"):
        assert at_noon(f"http://{host}/a.png", hosts).violations == ()
    for host in ("127.0.0.1:9001", "127.0.0.1", "myoss.localhost"):
        assert at_noon(f"http://{host}/a.png", hosts).violations != ()
    assert at_noon("http://127.0.0.1/a.png", None).violations == ()


def test_an_internal_endpoint_of_oss_is_refused_even_if_it_is_ours() -> None:
    host = "oss-cn-beijing-internal.aliyuncs.com"
    for hosts in (frozenset(), hosts_of(f"https://{host}")):
        violation = only(at_noon(f"https://b.{host}/c.jpg", hosts).violations)
        assert "use the one without -internal" in violation.message


@pytest.mark.parametrize(
    ("query", "day"),
    [
        ("OSSAccessKeyId=TMP&Expires=1700000000&Signature=abc%3D", "2023-11-14"),
        ("Expires=1795175999&OSSAccessKeyId=TMP&Signature=a", "2026-11-20"),
        (
            "x-oss-date=20250101T000000Z&x-oss-expires=3600&x-oss-signature=aa",
            "2025-01-01 01:00",
        ),
        ("x-oss-signature-version=OSS2&x-oss-expires=1700000000&x-oss-signature=a", "2023-11-14"),
        ("X-Amz-Date=20250101T000000Z&X-Amz-Expires=60&X-Amz-Signature=aa", "2025-01-01"),
    ],
)
def test_a_signed_url_that_has_expired_is_refused(query: str, day: str) -> None:
    violation = only(at_noon(f"https://h.com/cat.jpg?{query}").violations)
    assert f"expired on {day}" in violation.message


@pytest.mark.parametrize(
    "query",
    [
        "Expires=1795176001&OSSAccessKeyId=TMP&Signature=a",
        "x-oss-date=20261120T115900Z&x-oss-expires=3600&x-oss-signature=aa",
        "Expires=1700000000",
        "Expires=soon&Signature=a",
        "x-oss-date=today&x-oss-expires=1&x-oss-signature=aa",
        "x-oss-date=20250101T000000Z&x-oss-expires=99999999999&x-oss-signature=aa",
        "&".join(f"a{i}=1" for i in range(200)),
    ],
)
def test_a_url_that_may_be_fetched_still_is_fine(query: str) -> None:
    assert at_noon(f"https://h.com/cat.jpg?{query}").violations == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/9j/4AAQ" + "A" * 200, "data:image/jpeg;base64,"),
        ("/9j/4AAQ" + "A" * 20_000, "data:image/jpeg;base64,"),
        ("https：//example.com/c.jpg", "full-width"),
        ("oss：///inputs/c.jpg", "full-width"),
        ("example.com/cat.jpg", "https:// before"),
        ("//example.com/cat.jpg", "https:// before"),
        ("photos/cat.jpg", "own disk"),
        ("oss:///photos/cat.jpg", "copy it to inputs/"),
    ],
)
def test_what_is_no_file_of_a_disk_is_named(text: str, words: str) -> None:
    assert words in only(checked(edit(input={"images": [text]})).violations).message


@pytest.mark.parametrize("ending", ["\n", " ", "\r\n"])
def test_base64_with_line_breaks_says_how_to_do_without(ending: str) -> None:
    head, _, payload = data_uri(image("PNG")).partition(",")
    wrapped = ending.join(payload[i : i + 76] for i in range(0, len(payload), 76))
    for text in (f"{head},{wrapped}", f"{head},{payload}{ending}", f"{head},{ending}{payload}"):
        assert "base64 -w0" in only(checked(edit(input={"images": [text]})).violations).message
