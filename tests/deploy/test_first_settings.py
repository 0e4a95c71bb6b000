"""The files of settings that docs/deploy.md makes, as a person makes them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from cli.access import read_env
from tests.kit.documents import ROOT, read_blocks

MAKES, LOOKS = (
    block.body
    for block in read_blocks("docs/deploy.md")
    if block.run_by == "tests/deploy/test_first_settings.py"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    bash(MAKES, tmp_path)
    return tmp_path


def bash(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_token_is_in_one_file_and_its_hash_in_the_other(folder: Path) -> None:
    deployed, own = (read_env(folder / name) for name in ("deploy.env", "cloud.env"))
    token = own["API_TOKEN"]
    assert len(token) == 48
    assert deployed["API_TOKEN_SHA256"] == hashlib.sha256(token.encode()).hexdigest()
    assert token not in (folder / "deploy.env").read_text("utf-8")


def test_nobody_else_reads_the_files_and_nothing_secret_is_printed(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    done = bash(MAKES, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("deploy.env", "cloud.env")} == {
        0o600
    }
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"deploy.env", "cloud.env"} <= set(ignored)


def test_what_was_filled_in_can_be_deployed(folder: Path) -> None:
    path = folder / "deploy.env"
    path.write_text(path.read_text("utf-8").replace("sk-your-key", "sk-0"), "utf-8")
    path.write_text(path.read_text("utf-8").replace("my-images", "studio-images"), "utf-8")
    done = bash(LOOKS, folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_was_not_filled_in_is_named(folder: Path) -> None:
    done = bash(LOOKS, folder)
    assert done.returncode == 1
    assert "cannot deploy: OSS_BUCKET is my-images, the example" in done.stderr
    assert "cannot deploy: DASHSCOPE_API_KEY is sk-your-key, the example" in done.stderr
