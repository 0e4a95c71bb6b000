"""Every test of the command line starts in an empty folder, without settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cli.commands.schema import job_schema
from shared.catalogue.model_file import load_catalogue

SETTINGS = ("OSS_", "API_", "DASHSCOPE_", "ALIBABA_")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No bucket, no API, no file of settings: as on a computer without network."""
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("WANX_PROFILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cli.access.ROOT", tmp_path)


@pytest.fixture(scope="session")
def validator() -> Draft202012Validator:
    """Of the schema that editors get."""
    schema = job_schema(load_catalogue())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
