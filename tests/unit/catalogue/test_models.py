from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shared.catalogue.check import check_catalogue, require_sound
from shared.catalogue.errors import load_errors
from shared.catalogue.models import SCHEMAS, CatalogueError, load_catalogue
from shared.catalogue.yaml_reader import load_file
from tests.kit.jobfile import EDIT, PAINTING, SKETCH


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    return tmp_path / "schemas"


def change(folder: Path, old: str, new: str, model: str = SKETCH) -> Path:
    path = folder / "models" / f"{model}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def test_the_catalogue_of_the_repository_is_sound() -> None:
    assert check_catalogue() == []
    require_sound()


def test_the_three_models_are_known() -> None:
    catalogue = load_catalogue()
    assert catalogue.names() == [EDIT, SKETCH, PAINTING]
    assert catalogue.get("wanx-v1") is None


@pytest.mark.parametrize(
    ("name", "rate", "concurrent", "price", "free", "payable", "regions"),
    [
        (PAINTING, 2, 1, 0, 500, False, ("cn-beijing",)),
        (SKETCH, 2, 1, 0.06, 500, True, ("cn-beijing",)),
        (EDIT, 5, 5, 0.2, 50, True, ("cn-beijing", "ap-southeast-1")),
    ],
)
def test_limits_and_prices_are_those_of_the_documents(
    name: str,
    rate: int,
    concurrent: int,
    price: float,
    free: int,
    payable: bool,
    regions: tuple[str, ...],
) -> None:
    model = load_catalogue().get(name)
    assert model is not None
    assert (model.limits.submissions, model.limits.per_seconds) == (rate, 1)
    assert (model.limits.concurrent, model.limits.queue_ahead) == (concurrent, 1)
    assert (model.price.per_image, model.price.free_images) == (price, free)
    assert (model.price.currency, model.price.payable) == ("CNY", payable)
    assert model.regions == regions
    assert model.endpoint == "/services/aigc/image2image/image-synthesis"
    assert model.results_at == "/output/results/*/url"
    assert len(model.result_hosts) == 10


def test_the_price_of_another_region_differs() -> None:
    model = load_catalogue().get(EDIT)
    assert model is not None
    singapore = model.price.in_region("ap-southeast-1")
    assert (singapore.per_image, singapore.free_images) == (0.220177, 0)
    assert model.price.in_region("cn-beijing").per_image == 0.2


def test_sources_are_titles_of_documents() -> None:
    model = load_catalogue().get(PAINTING)
    assert model is not None
    assert model.images[0].warn["TIFF"].source == "图像局部重绘API参考"
    assert model.images[0].same_size_as is None
    assert model.images[1].same_size_as == "/input/base_image_url"


def test_adding_a_model_is_adding_a_file(folder: Path) -> None:
    text = (folder / "models" / f"{SKETCH}.yaml").read_text(encoding="utf-8")
    new = folder / "models" / "wanx-new.yaml"
    new.write_text(text.replace(f"name: {SKETCH}", "name: wanx-new"), encoding="utf-8")
    assert check_catalogue(folder) == []
    assert load_catalogue(folder).get("wanx-new") is not None


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ("concurrent: 1", "concurrent: one", "/limits/concurrent"),
        ("concurrent: 1", "concurrrent: 1", "/limits"),
        ("payable: true", "payable: 1", "/price/payable"),
        ("min: 256", "min: 256.5", "/images/0/side/min"),
        ("accept: [JPEG, PNG, WEBP]", "accept: JPEG", "/images/0/formats/accept"),
        (f"name: {SKETCH}", "name: other", "/name"),
    ],
)
def test_a_broken_file_is_told_at_loading(folder: Path, old: str, new: str, pointer: str) -> None:
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(change(folder, old, new))
    assert f"{SKETCH}.yaml at {pointer}" in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ("queue_ahead: 1", "queue_ahead: 1\n  surprise: 1", "/limits:"),
        ("minimum: 1", "minimun: 1", "/parameters/properties/n:"),
        ("default: 4", "default: 5", "/parameters/properties/n/default:"),
        ("source: pricing", "source: hearsay", "/price/source:"),
        ("at: /input/sketch_image_url", "at: /input/sketch", "/images/0/at:"),
        ("at: /parameters/sketch_color", "at: /parameters/color", "/rules/0/at:"),
        ("kind: ignored_if", "kind: forgotten_if", "/rules/0:"),
    ],
)
def test_the_full_check_finds_what_loading_does_not(
    folder: Path, old: str, new: str, pointer: str
) -> None:
    change(folder, old, new)
    assert any(f"{SKETCH}.yaml at {pointer}" in line for line in check_catalogue(folder))
    with pytest.raises(CatalogueError, match=SKETCH):
        require_sound(folder)


def test_broken_yaml_is_told_with_its_line(folder: Path) -> None:
    with pytest.raises(CatalogueError, match=rf"{SKETCH}.yaml, line \d+"):
        load_catalogue(change(folder, "regions: [cn-beijing]", "regions: [cn-beijing"))


def test_a_folder_without_models_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no model file"):
        load_catalogue(tmp_path)


def test_a_wrong_rule_for_errors_is_told(folder: Path) -> None:
    path = folder / "errors.yaml"
    text = path.read_text(encoding="utf-8").replace("retry: few", "retry: sometimes", 1)
    path.write_text(text, encoding="utf-8")
    assert any("errors.yaml at /rules/0/retry" in line for line in check_catalogue(folder))


def test_a_pattern_that_cannot_be_read_is_told(folder: Path) -> None:
    path = folder / "errors.yaml"
    text = path.read_text(encoding="utf-8").replace("message: '", "message: '(", 1)
    path.write_text(text, encoding="utf-8")
    assert any("errors.yaml at /rules/0/message" in line for line in check_catalogue(folder))


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
CALLER, POLICY, ACCOUNT = ("caller", "none"), ("policy", "none"), "account"
QUOTA, TRANSIENT, FETCH = ("quota", "model"), ("transient", "none"), ("input_fetch", "none")
ANSWERS: list[tuple[int, str, str, tuple[str, str]]] = [
    (200, "InvalidParameter", "The size is not match the allowed size ['1024*1024']", CALLER),
    (400, "InvalidParameter", "Required parameter(xxx) missing or invalid, please check", CALLER),
    (400, "InvalidParameter", "Field required: input", CALLER),
    (400, "InvalidParameter", "Required body invalid, please check the request body.", CALLER),
    (400, "InvalidParameter", "input json error.", CALLER),
    (400, "InvalidParameter", "Range of n should be [1, 4]", CALLER),
    (400, "InvalidParameter", "num_images_per_prompt must be 1.", CALLER),
    (400, "InvalidParameter", "The style is invalid.", CALLER),
    (200, "InvalidParameter", "read image error.", CALLER),
    (400, "InvalidParameter", "the size of input image is too small or too large.", CALLER),
    (400, "InvalidParameter", "Failed to decode the image during the data inspection.", CALLER),
    (400, "InvalidParameter", "Exceeded limit on max bytes per data-uri item : 10485760", CALLER),
    (400, "InvalidParameter", "Wrong Content-Type of multimodal url", CALLER),
    (400, "InvalidParameter", "something new", CALLER),
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
    (400, "InvalidURL", "Required URL is missing or invalid, please check", CALLER),
    (400, "InvalidURL", "The request URL is invalid, make sure the url is correct", CALLER),
    (400, "InvalidURL", SKETCH_URL, FETCH),
    (400, "InvalidURL.ConnectionRefused", "Connection to x refused", FETCH),
    (400, "InvalidURL.Timeout", "Download x timeout", FETCH),
    (400, "InvalidFile.Resolution", "The image resolution is invalid", CALLER),
    (400, "InvalidFile.Format", "", CALLER),
    (400, "InvalidImage.ImageSize", "", CALLER),
    (400, "InvalidImageResolution", "", CALLER),
    (400, "InvalidInputLength", "", CALLER),
    (400, "BadRequest.EmptyInput", "Required input parameter missing from request.", CALLER),
    (400, "InvalidPerson", "", CALLER),
    (400, "DataInspectionFailed", "Output data may contain inappropriate content.", POLICY),
    (400, "data_inspection_failed", "", POLICY),
    (400, "IPInfringementSuspect", "Input data is suspected of", POLICY),
    (400, "FaqRuleBlocked", "", POLICY),
    (400, "Arrearage", "Access denied, please make sure", (ACCOUNT, "key")),
    (403, "Arrearage", "Access denied, please make sure", (ACCOUNT, "key")),
    (400, "UnsupportedOperation", "Failed to cancel the task", CALLER),
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
    (403, "AllocationQuota.FreeTierOnly", "The free tier of the model has been exhausted.", QUOTA),
    (404, "ModelNotFound", "Model can not be found.", (ACCOUNT, "model")),
    (404, "WorkSpaceNotFound", "", (ACCOUNT, "key")),
    (404, "model_not_supported", "", (ACCOUNT, "model")),
    (404, "NotFound", "", CALLER),
    (409, "Conflict", "", CALLER),
    (429, "Throttling", "Requests throttling triggered.", TRANSIENT),
    (429, "Throttling.RateQuota", "Requests rate limit exceeded", TRANSIENT),
    (429, "limit_requests", "You have exceeded your request limit.", TRANSIENT),
    (429, "LimitRequests", "You have exceeded your request limit.", TRANSIENT),
    (429, "Throttling.BurstRate", "Request rate increased too quickly.", TRANSIENT),
    (429, "limit_burst_rate", "", TRANSIENT),
    (429, "Throttling.AllocationQuota", "Allocated quota exceeded, please increase", TRANSIENT),
    (429, "Throttling.AllocationQuota", "Free allocated quota exceeded.", QUOTA),
    (429, "insufficient_quota", "Free allocated quota exceeded.", QUOTA),
    (429, "CommodityNotPurchased", "", (ACCOUNT, "key")),
    (429, "PrepaidBillOverdue", "", (ACCOUNT, "key")),
    (429, "PostpaidBillOverdue", "", (ACCOUNT, "key")),
    (500, "InternalError", "An internal error has occured, please try again", TRANSIENT),
    (500, "InternalError.Algo", "inference internal error.", TRANSIENT),
    (500, "InternalError.Algo", "Missing Content-Length of multimodal url.", CALLER),
    (500, "InternalError.Upload", "Failed to upload result.", TRANSIENT),
    (500, "SystemError", "", TRANSIENT),
    (500, "RequestTimeOut", "Request timed out, please try again later.", TRANSIENT),
    (200, "InternalError.Timeout", "An internal timeout error has occured", TRANSIENT),
    (503, "ModelServingError", "Too many requests.", TRANSIENT),
    (503, "ModelUnavailable", "Model is unavailable, please try again later.", TRANSIENT),
    (429, "SomethingNew", "", TRANSIENT),
    (502, "", "", TRANSIENT),
    (401, "SomethingNew", "", (ACCOUNT, "key")),
    (403, "SomethingNew", "", (ACCOUNT, "model")),
    (418, "SomethingNew", "", CALLER),
    (200, "SomethingNew", "", CALLER),
]


@pytest.mark.parametrize(("http", "code", "message", "meaning"), ANSWERS)
def test_what_an_error_means(http: int, code: str, message: str, meaning: tuple[str, str]) -> None:
    rule = load_errors().classify(code, message, http)
    assert (rule.kind, rule.breaker) == meaning
    assert rule.retryable is (meaning in (TRANSIENT, FETCH) or "Policy expired" in message)
