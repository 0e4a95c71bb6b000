"""A catalogue with an index, as a function's package holds it, reads what it is asked for alone."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from shared.catalogue import model_file
from shared.catalogue.files import SCHEMAS, CatalogueError, read_schema
from shared.catalogue.index import INDEX, entries_of, index_of
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue
from tests.kit.jobfile import CATALOGUE

FAMILY = "wan2.7"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A schemas folder with the shipped models and their index."""
    shutil.copytree(SCHEMAS / "models", tmp_path / "models")
    known = json.dumps(vars(index_of(entries_of(tmp_path))))
    (tmp_path / "models" / INDEX).write_text(known)
    return tmp_path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was read, and each model made."""
    found = Counter[str]()
    make = model_file._model
    monkeypatch.setattr(
        "shared.catalogue.index.read_schema",
        lambda path: found.update([path.name]) or read_schema(path),
    )
    monkeypatch.setattr(
        model_file, "_model", lambda root: found.update([root["name"].text()]) or make(root)
    )
    return found


def asked_of_all(catalogue: Catalogue) -> list[object]:
    """What functions ask about all models."""
    paths = {model.endpoint.rstrip("/") for model in CATALOGUE.models()}
    return [
        catalogue.names(),
        catalogue.called(),
        [catalogue.mates(name) for name in [*CATALOGUE.names(), "unknown"]],
        {path: catalogue.at_path(path) for path in [*paths, "/unknown"]},
        catalogue.get("unknown"),
    ]


def test_no_model_is_read_that_nobody_asked_for(folder: Path, reads: Counter[str]) -> None:
    catalogue = load_catalogue(folder).in_region("cn-beijing")
    assert asked_of_all(catalogue) == asked_of_all(CATALOGUE)
    assert not reads
    first, second = [name for name in catalogue.names() if name.startswith(FAMILY)][:2]
    for name in (first, second, first):
        assert catalogue.get(name) == CATALOGUE.in_region("cn-beijing").get(name)
    assert reads == {f"{FAMILY}.yaml": 1, first: 1, second: 1}


def test_all_models_are_as_without_an_index(folder: Path, reads: Counter[str]) -> None:
    catalogue = load_catalogue(folder)
    assert catalogue.models() == CATALOGUE.models()
    assert catalogue.offered() == CATALOGUE.offered()
    assert set(reads.values()) == {1}


def test_a_broken_file_is_named_when_a_model_of_it_is_asked_for(folder: Path) -> None:
    broken = folder / "models" / f"{FAMILY}.yaml"
    broken.write_text(broken.read_text().replace("\nlimits:", "\nlimit:"))
    catalogue = load_catalogue(folder)
    assert catalogue.get("wanx-x-painting") is not None
    with pytest.raises(CatalogueError, match=rf"{FAMILY}\.yaml at /limits|`limits` is missing"):
        catalogue.get(next(name for name in catalogue.names() if name.startswith(FAMILY)))


def test_a_model_that_left_its_file_is_named(folder: Path) -> None:
    place = folder / "models" / INDEX
    known = json.loads(place.read_text())
    known["files"]["gone"] = f"{FAMILY}.yaml"
    place.write_text(json.dumps(known))
    with pytest.raises(CatalogueError, match=rf"{FAMILY}\.yaml does not describe gone"):
        load_catalogue(folder).get("gone")


def test_a_broken_file_has_no_index(folder: Path) -> None:
    broken = folder / "models" / f"{FAMILY}.yaml"
    broken.write_text(broken.read_text().replace("\nendpoint:", "\nendpoints:"))
    with pytest.raises(CatalogueError, match=rf"{FAMILY}\.yaml at /: the key `endpoint` is miss"):
        index_of(entries_of(folder))


@pytest.mark.parametrize("content", ["[]", '{"files": {}}', '{"files": {}, "other": {}}'])
def test_an_index_of_another_release_is_refused_in_words(folder: Path, content: str) -> None:
    (folder / "models" / INDEX).write_text(content, encoding="utf-8")
    with pytest.raises(CatalogueError, match="package again"):
        load_catalogue(folder)
