"""The forms in which a job names an image."""

from __future__ import annotations

import pytest

from tests.kit.jobfile import BUCKET, checked, data_uri, edit, image, only


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
    key = "k" * 1023
    assert checked(edit(input={"images": [f"oss:///{key}"]}), {key: image("PNG")}).spec is not None


def test_a_foreign_bucket_is_read_as_temporary_upload_with_a_notice() -> None:
    found = checked(edit(input={"images": ["oss://our-buckt/inputs/a.png"]}))
    assert found.spec is not None
    assert "temporary upload" in only(found.notices).message
