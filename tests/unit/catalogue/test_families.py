"""A file that describes several models."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.catalogue.check import check_catalogue
from shared.catalogue.files import CatalogueError
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue, Model
from tests.kit.jobfile import SKETCH

FAMILY = """
variants:
  sketch-small: {}
  sketch-large:
    price: {per_image: 0.5, by_region: null}
    input: {properties: {prompt: {x-truncated-after: 9}}}
    rules: {colour-of-extracted-lines: null}
    regions: [ap-southeast-1]
"""


def family(folder: Path, variants: str = FAMILY) -> Path:
    """The catalogue with one family instead of the sketch model, which no task recommends then."""
    (folder / "tasks.yaml").unlink()
    path = folder / "models" / f"{SKETCH}.yaml"
    text = path.read_text(encoding="utf-8").replace(f"name: {SKETCH}", "name: sketch")
    path.unlink()
    (folder / "models" / "sketch.yaml").write_text(text + variants, encoding="utf-8")
    return folder


def model(catalogue: Catalogue, name: str) -> Model:
    found = catalogue.get(name)
    assert found is not None
    return found


def test_a_variant_is_the_family_with_its_own_lines(folder: Path) -> None:
    before = model(load_catalogue(folder), SKETCH)
    catalogue = load_catalogue(family(folder))
    small, large = model(catalogue, "sketch-small"), model(catalogue, "sketch-large")
    assert (small.price, small.rules, small.images) == (before.price, before.rules, before.images)
    assert (large.price.per_image, large.price.by_region) == (0.5, {})
    assert large.price.free_images == before.price.free_images
    assert large.input_schema["properties"]["prompt"]["x-truncated-after"] == 9
    assert large.input_schema["required"] == before.input_schema["required"]
    assert (before.rules != (), large.rules) == (True, ())
    assert large.regions == ("ap-southeast-1",)


def test_the_family_itself_is_no_model(folder: Path) -> None:
    names = load_catalogue(family(folder)).names()
    assert "sketch" not in names
    assert {"sketch-small", "sketch-large"} < set(names)


def test_one_variant_leaves_the_others_as_they_are(folder: Path) -> None:
    written = FAMILY.replace("sketch-small", "sketch-zmall")
    catalogue = load_catalogue(family(folder, written))
    prompt = model(catalogue, "sketch-zmall").input_schema["properties"]["prompt"]
    assert prompt["x-truncated-after"] != 9


def test_each_variant_is_checked_and_named(folder: Path) -> None:
    assert check_catalogue(family(folder)) == []
    wrong = FAMILY.replace("[ap-southeast-1]", "[Singapore]")
    path = folder / "models" / "sketch.yaml"
    path.write_text(path.read_text("utf-8").replace(FAMILY, wrong), encoding="utf-8")
    (found,) = check_catalogue(folder)
    assert found.startswith("sketch.yaml, sketch-large, at /regions/0:")


def test_a_snapshot_names_a_model_that_is_none(folder: Path) -> None:
    snapshot = FAMILY.replace("sketch-small: {}", "sketch-small: {snapshot_of: sketch-large}")
    assert check_catalogue(family(folder, snapshot)) == []
    assert model(load_catalogue(folder), "sketch-small").snapshot_of == "sketch-large"
    path = folder / "models" / "sketch.yaml"
    described = path.read_text(encoding="utf-8")
    path.write_text(described.replace("sketch-large}", "sketch-gone}"), encoding="utf-8")
    assert check_catalogue(folder) == ["sketch-small: sketch-gone is no model of the catalogue"]
    large = "  sketch-large:\n    snapshot_of: sketch-small"
    path.write_text(described.replace("  sketch-large:", large), encoding="utf-8")
    (found, _) = check_catalogue(folder)
    assert found == "sketch-large: sketch-small is a snapshot itself; name sketch-large"


def test_a_model_described_twice_is_told(folder: Path) -> None:
    twice = FAMILY.replace("sketch-small", "wanx-x-painting")
    with pytest.raises(
        CatalogueError, match=r"wanx-x-painting.*sketch\.yaml.*wanx-x-painting\.yaml"
    ):
        load_catalogue(family(folder, twice))
