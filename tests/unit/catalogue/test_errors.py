"""What errors mean, by the real table; and how bucket images reach the service."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from shared.catalogue.errors import (
    ACCOUNT,
    CALLER,
    INPUT_FETCH,
    POLICY,
    QUOTA,
    TRANSIENT,
    ErrorTable,
    load_errors,
)
from shared.catalogue.models import Catalogue, load_catalogue
from shared.jobfile import ImageUse, JobSpec
from shared.jobs.input_urls import INLINE_BYTES, URL_LIFETIME, InputUrls
from shared.storage.objects import ObjectMissing, ObjectTooLarge
from tests.kit.store import Bucket, Store
from tests.kit.world import error_table
from tests.simulation.kernel import Kernel
from tests.simulation.pictures import picture


@pytest.fixture(scope="module")
def table() -> ErrorTable:
    return load_errors()


@pytest.mark.parametrize(
    ("code", "http", "kind", "retryable"),
    [
        ("Throttling.RateQuota", 429, TRANSIENT, True),
        ("Throttling", 429, TRANSIENT, True),
        ("Unreachable", 0, TRANSIENT, True),
        ("InternalError", 500, TRANSIENT, True),
        ("InvalidApiKey", 401, ACCOUNT, False),
        ("Arrearage", 400, ACCOUNT, False),
        ("AllocationQuota.FreeTierOnly", 403, QUOTA, False),
        ("DataInspectionFailed", 400, POLICY, False),
        ("InvalidURL.Timeout", 400, INPUT_FETCH, True),
        ("InvalidParameter", 400, CALLER, False),
    ],
)
def test_the_codes_people_meet(
    table: ErrorTable, code: str, http: int, kind: str, retryable: bool
) -> None:
    rule = table.classify(code, "whatever", http)
    assert (rule.kind, rule.retryable) == (kind, retryable)
    assert rule.hint
    assert rule.hint_zh


@pytest.mark.parametrize("http", [0, 200, 307, 400, 404, 418, 429, 500, 503])
@pytest.mark.parametrize("code", ["NeverHeardOf", "", "Unreadable", "*", "[", "一"])
def test_the_table_has_an_answer_to_everything(table: ErrorTable, code: str, http: int) -> None:
    assert table.classify(code, "", http).hint


def test_the_first_rule_that_fits_decides() -> None:
    first, *_ = (error_table().classify("Throttling.X", "", 429),)
    assert first.code == "Throttling*"
    narrow = replace(first, message="slow down", http=(400, 429), kind=QUOTA)
    rules = ErrorTable((narrow, first))
    assert rules.classify("Throttling.X", "please SLOW DOWN", 429).kind == QUOTA
    assert rules.classify("Throttling.X", "please slow down", 500).kind == TRANSIENT
    assert rules.classify("Throttling.X", "stop", 429).kind == TRANSIENT


def test_a_table_without_an_answer_says_what_it_lacks() -> None:
    with pytest.raises(LookupError, match="no rule for 'X'"):
        ErrorTable(()).classify("X", "", 400)


def spec(model: str, *uses: ImageUse) -> JobSpec:
    return JobSpec(model, {}, {}, images=uses)


def delivery(how: str) -> tuple[Bucket, Catalogue, InputUrls]:
    bucket = Bucket(Kernel())
    catalogue = load_catalogue()
    return bucket, catalogue, InputUrls(Store(bucket), catalogue, how)


def taking(catalogue: Catalogue, *, inline: bool) -> tuple[str, str]:
    """A model and a place for an image of its request that does or does not take inline data."""
    for name in catalogue.names():
        found = catalogue.get(name)
        for rule in found.images if found else ():
            if rule.inline is inline:
                return name, rule.at.replace("*", "0")
    raise AssertionError("the catalogue has no such model")


def test_bucket_images_get_a_url_that_outlives_the_tasks_wait() -> None:
    _, _, urls = delivery("presigned")
    uses = (
        ImageUse("/input/base_image_url", "inputs/cat.png", "bucket"),
        ImageUse("/input/mask_image_url", None, "url"),
    )
    made = urls(spec("any", *uses))
    expected = f"https://bucket.invalid/inputs/cat.png?expires={URL_LIFETIME}"
    assert made == {"/input/base_image_url": expected}


def test_inline_delivery_where_the_model_takes_it() -> None:
    bucket, catalogue, urls = delivery("inline")
    bucket.write("inputs/cat.png", picture("cat"))
    name, pointer = taking(catalogue, inline=True)
    made = urls(spec(name, ImageUse(pointer, "inputs/cat.png", "bucket")))
    head, _, payload = made[pointer].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(payload) == picture("cat")


def test_inline_delivery_falls_back_to_urls_where_the_model_does_not() -> None:
    bucket, catalogue, urls = delivery("inline")
    name, pointer = taking(catalogue, inline=False)
    made = urls(spec(name, ImageUse(pointer, "inputs/cat.png", "bucket")))
    assert made[pointer].startswith("https://")
    assert bucket.count() == 0


@pytest.mark.parametrize(
    ("size", "error"), [(None, ObjectMissing), (INLINE_BYTES + 1, ObjectTooLarge)]
)
def test_an_image_that_cannot_be_read_for_inline_delivery(
    size: int | None, error: type[Exception]
) -> None:
    bucket, catalogue, urls = delivery("inline")
    if size is not None:
        bucket.write("inputs/cat.png", bytes(size))
    name, pointer = taking(catalogue, inline=True)
    with pytest.raises(error, match=r"inputs/cat\.png"):
        urls(spec(name, ImageUse(pointer, "inputs/cat.png", "bucket")))
