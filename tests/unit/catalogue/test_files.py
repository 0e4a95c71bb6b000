"""The repository's YAML files, as they are written and as packages hold them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shared.catalogue.files import SCHEMAS, load_file
from shared.catalogue.plain import TextUnreadable


@pytest.mark.parametrize("path", sorted(SCHEMAS.rglob("*.yaml")), ids=lambda path: path.name)
def test_as_json_a_file_says_the_same_and_needs_no_yaml_parser(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = load_file(path)
    packaged = tmp_path / path.name
    packaged.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "shared.catalogue.yaml_reader", None)  # cannot be imported
    assert load_file(packaged) == said


def test_yaml_that_starts_like_json_is_yaml(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text("{a: no, b: [1]}\n")
    assert load_file(path) == {"a": "no", "b": [1]}


def test_a_file_holds_one_document(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("a: 1\n---\na: 2\n")
    with pytest.raises(TextUnreadable, match="holds 2 documents instead of one"):
        load_file(path)
