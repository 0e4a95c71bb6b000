from __future__ import annotations

from pathlib import Path

import pytest

from shared.catalogue.files import CatalogueError
from shared.catalogue.model_file import load_catalogue
from tests.kit.catalogue import change
from tests.kit.jobfile import EDIT, PAINTING, SKETCH


def test_each_file_is_a_model_or_a_family() -> None:
    catalogue = load_catalogue()
    assert {EDIT, SKETCH, PAINTING, "wan2.7-image-pro", "qwen-image-3.0"} < set(catalogue.names())
    assert len(catalogue.names()) >= 16
    assert catalogue.get("wan2.7") is None
    assert catalogue.get("wanx-v0") is None


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
    assert model.images[0].warn["TIFF"].source == "Inpainting API reference (图像局部重绘API参考)"
    assert model.images[0].same_size_as is None
    assert model.images[1].same_size_as == "/input/base_image_url"


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ("concurrent: 1", "concurrent: one", "/limits/concurrent"),
        ("concurrent: 1", "concurrent: 0", "/limits/concurrent: expected at least 1, found 0"),
        ("concurrent: 1", "concurrent: -1", "/limits/concurrent: expected at least 1, found -1"),
        ("queue_ahead: 1", "queue_ahead: -1", "/limits/queue_ahead: expected at least 0, found -1"),
        ("submissions: 2", "submissions: 0", "/limits/submissions: expected at least 1, found 0"),
        ("per_seconds: 1", "per_seconds: 0", "/limits/per_seconds: expected more than 0, found 0"),
        (
            "queue_ahead: 1",
            "queue_ahead: 1\n  by_region: {ap-southeast-1: {concurrent: 0}}",
            "/limits/by_region/ap-southeast-1/concurrent: expected at least 1, found 0",
        ),
        ("queue_ahead: 1", "queue_ahaed: 1", "/limits"),
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


def test_broken_yaml_is_told_with_its_line(folder: Path) -> None:
    with pytest.raises(CatalogueError, match=rf"{SKETCH}.yaml, line \d+"):
        load_catalogue(change(folder, "regions: [cn-beijing]", "regions: [cn-beijing"))


def test_a_folder_without_models_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no model file"):
        load_catalogue(tmp_path)
