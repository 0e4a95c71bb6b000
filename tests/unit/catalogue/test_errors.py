"""What errors mean, by the real table."""

from __future__ import annotations

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
from shared.catalogue.files import SCHEMAS, load_file
from tests.kit.world import error_table


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


def test_error_rules_end_with_one_that_fits_everything() -> None:
    last = load_file(SCHEMAS / "errors.yaml")["rules"][-1]
    assert last["code"] == "*"
    assert "message" not in last
    assert "http" not in last


UNREACHABLE = "Unable to download the media resource during the data inspection process."


LATE = "Download the media resource timed out during the data inspection process."


SKETCH_URL = (
    "The request URL is invalid, please check the request URL is available and the request image "
    "format is one of the following types: JPEG, JPG, PNG, BMP, and WEBP."
)


THEIRS, REFUSED = (CALLER, "none"), (POLICY, "none")


SPENT, AGAIN, FETCH = (QUOTA, "model"), (TRANSIENT, "none"), (INPUT_FETCH, "none")
PAUSED = (TRANSIENT, "pause")


ANSWERS: list[tuple[int, str, str, tuple[str, str]]] = [
    (200, "InvalidParameter", "The size is not match the allowed size ['1024*1024']", THEIRS),
    (400, "InvalidParameter", "Required parameter(xxx) missing or invalid, please check", THEIRS),
    (400, "InvalidParameter", "Field required: input", THEIRS),
    (400, "InvalidParameter", "Required body invalid, please check the request body.", THEIRS),
    (400, "InvalidParameter", "input json error.", THEIRS),
    (400, "InvalidParameter", "Range of n should be [1, 4]", THEIRS),
    (400, "InvalidParameter", "num_images_per_prompt must be 1.", THEIRS),
    (400, "InvalidParameter", "lack of image or text", THEIRS),
    (400, "InvalidParameter", "The style is invalid.", THEIRS),
    (200, "InvalidParameter", "read image error.", THEIRS),
    (400, "InvalidParameter", "the size of input image is too small or too large.", THEIRS),
    (400, "InvalidParameter", "Failed to decode the image during the data inspection.", THEIRS),
    (400, "InvalidParameter", "Exceeded limit on max bytes per data-uri item : 10485760", THEIRS),
    (400, "InvalidParameter", "Wrong Content-Type of multimodal url", THEIRS),
    (400, "InvalidParameter", "something new", THEIRS),
    (400, "InvalidParameter", "url error, please check url！", (ACCOUNT, "model")),
    (400, "InvalidParameter", "url error, please check url!", (ACCOUNT, "model")),
    (400, "InvalidParameter", "Model not exist.", (ACCOUNT, "model")),
    (200, "InvalidParameter", "download image failed", FETCH),
    (200, "InvalidParameter", "oss download error.", FETCH),
    (200, "InvalidParameter", "Failed to download input files.", FETCH),
    (200, "InvalidParameter", "Failed to download multimodal content.", FETCH),
    (200, "InvalidParameter", UNREACHABLE, FETCH),
    (200, "InvalidParameter", LATE, FETCH),
    (200, "InvalidParameter.DataInspection", UNREACHABLE, FETCH),
    (200, "InvalidParameter.DataInspection", LATE, FETCH),
    (200, "InvalidParameter.FileDownload", "download for input_image error", FETCH),
    (400, "BadRequest.InputDownloadFailed", "Failed to download the input file: x.", FETCH),
    (400, "InvalidURL", "Required URL is missing or invalid, please check", THEIRS),
    (400, "InvalidURL", "The request URL is invalid, make sure the url is correct", THEIRS),
    (400, "InvalidURL", SKETCH_URL, FETCH),
    (400, "InvalidURL.ConnectionRefused", "Connection to x refused", FETCH),
    (400, "InvalidURL.Timeout", "Download x timeout", FETCH),
    (400, "InvalidFile.Resolution", "The image resolution is invalid", THEIRS),
    (400, "InvalidFile.Format", "", THEIRS),
    (400, "InvalidImage.ImageSize", "", THEIRS),
    (400, "InvalidImageResolution", "", THEIRS),
    (400, "InvalidInputLength", "", THEIRS),
    (400, "BadRequest.EmptyInput", "Required input parameter missing from request.", THEIRS),
    (400, "InvalidPerson", "", THEIRS),
    (400, "DataInspectionFailed", "Output data may contain inappropriate content.", REFUSED),
    (400, "data_inspection_failed", "", REFUSED),
    (400, "IPInfringementSuspect", "Input data is suspected of", REFUSED),
    (400, "FaqRuleBlocked", "", REFUSED),
    (400, "Arrearage", "Access denied, please make sure", (ACCOUNT, "key")),
    (403, "Arrearage", "Access denied, please make sure", (ACCOUNT, "key")),
    (400, "UnsupportedOperation", "Failed to cancel the task", THEIRS),
    (401, "InvalidApiKey", "No API-key provided.", (ACCOUNT, "key")),
    (401, "invalid_api_key", "Incorrect API key provided.", (ACCOUNT, "key")),
    (401, "NOT AUTHORIZED", "Access denied: Either you are", (ACCOUNT, "key")),
    (
        403,
        "AccessDenied",
        "current user api does not support synchronous calls.",
        (ACCOUNT, "model"),
    ),
    (403, "AccessDenied", "Invalid according to Policy: Policy expired.", (ACCOUNT, "none")),
    (403, "AccessDenied", "Access denied.", (ACCOUNT, "model")),
    (403, "AccessDenied.Unpurchased", "", (ACCOUNT, "model")),
    (403, "Model.AccessDenied", "", (ACCOUNT, "model")),
    (403, "Workspace.AccessDenied", "", (ACCOUNT, "key")),
    (403, "AllocationQuota.FreeTierOnly", "The free tier of the model has been exhausted.", SPENT),
    (404, "ModelNotFound", "Model can not be found.", (ACCOUNT, "model")),
    (404, "WorkSpaceNotFound", "", (ACCOUNT, "key")),
    (404, "model_not_supported", "", (ACCOUNT, "model")),
    (404, "NotFound", "", THEIRS),
    (409, "Conflict", "", THEIRS),
    (429, "Throttling", "Requests throttling triggered.", PAUSED),
    (429, "Throttling.RateQuota", "Requests rate limit exceeded", PAUSED),
    (429, "limit_requests", "You have exceeded your request limit.", PAUSED),
    (429, "LimitRequests", "You have exceeded your request limit.", PAUSED),
    (429, "Throttling.BurstRate", "Request rate increased too quickly.", PAUSED),
    (429, "limit_burst_rate", "", PAUSED),
    (429, "Throttling.AllocationQuota", "Allocated quota exceeded, please increase", PAUSED),
    (429, "Throttling.AllocationQuota", "Free allocated quota exceeded.", SPENT),
    (429, "insufficient_quota", "Free allocated quota exceeded.", SPENT),
    (429, "CommodityNotPurchased", "", (ACCOUNT, "key")),
    (429, "PrepaidBillOverdue", "", (ACCOUNT, "key")),
    (429, "PostpaidBillOverdue", "", (ACCOUNT, "key")),
    (500, "InternalError", "An internal error has occured, please try again", AGAIN),
    (500, "InternalError.Algo", "inference internal error.", AGAIN),
    (500, "InternalError.Algo", "Missing Content-Length of multimodal url.", THEIRS),
    (500, "InternalError.Upload", "Failed to upload result.", AGAIN),
    (500, "SystemError", "", AGAIN),
    (500, "RequestTimeOut", "Request timed out, please try again later.", AGAIN),
    (200, "InternalError.Timeout", "An internal timeout error has occured", AGAIN),
    (503, "ModelServingError", "Too many requests.", AGAIN),
    (503, "ModelUnavailable", "Model is unavailable, please try again later.", AGAIN),
    (429, "SomethingNew", "", PAUSED),
    (429, "Unreadable", "", PAUSED),
    (413, "Unreadable", "", THEIRS),
    (405, "Unreadable", "", (ACCOUNT, "key")),
    (502, "Unreadable", "", AGAIN),
    (502, "", "", AGAIN),
    (401, "SomethingNew", "", (ACCOUNT, "key")),
    (403, "SomethingNew", "", (ACCOUNT, "model")),
    (418, "SomethingNew", "", THEIRS),
    (200, "SomethingNew", "", THEIRS),
]


@pytest.mark.parametrize(("http", "code", "message", "meaning"), ANSWERS)
def test_what_an_error_means(
    table: ErrorTable, http: int, code: str, message: str, meaning: tuple[str, str]
) -> None:
    rule = table.classify(code, message, http)
    assert (rule.kind, rule.breaker) == meaning
    assert rule.retryable is (meaning in (AGAIN, PAUSED, FETCH) or "Policy expired" in message)
