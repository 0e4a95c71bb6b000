"""A copy of the schemas that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shared.catalogue.files import SCHEMAS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    return tmp_path / "schemas"
