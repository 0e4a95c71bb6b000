"""The command line as a package of its own: built, installed and used outside the checkout."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import HIDDEN, ROOT, Cloud

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SOURCES = ("cli", "shared", "schemas", "examples", "clients", "pyproject.toml")
OFFLINE = ["--no-index", "--no-deps", "--disable-pip-version-check", "--quiet"]


def ran(
    *command: str | Path, cwd: Path, code: int = 0, environ: Mapping[str, str] | None = None
) -> str:
    """Output and errors together of a command that has to end with this code."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(HIDDEN)}
    own.pop("PYTHONPATH", None)
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**own, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        path, ignore = ROOT / name, shutil.ignore_patterns("__pycache__")
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=ignore)
        else:
            shutil.copy(path, source / name)
    build = [sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation", "."]
    ran(*build, cwd=source)
    (made,) = source.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`wanx` in a virtual environment of its own, with the packages of this one beside it."""
    venv = tmp_path_factory.mktemp("pipx")
    ran(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv)
    pip = [sys.executable, "-m", "pip", f"--python={venv}/bin/python"]
    ran(*pip, "install", *OFFLINE, str(wheel), cwd=venv)
    (site,) = (venv / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", "utf-8")
    return venv / "bin" / "wanx"


def test_it_holds_the_command_line_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    folders = {name.split("/")[0] for name in names}
    assert {one for one in folders if ".dist-info" not in one} == {
        "cli",
        "shared",
        "schemas",
        "examples",
        "wanx",
    }
    assert not [name for name in names if name.startswith("shared/api/")]
    wanted = {str(one.relative_to(ROOT)) for one in (ROOT / "schemas").rglob("*.yaml")}
    assert wanted <= set(names)


def test_its_commands_work_in_another_folder(installed: Path, tmp_path: Path) -> None:
    assert "Check, submit, follow" in ran(installed, "--help", cwd=tmp_path)
    examples = ROOT / "examples"
    check: list[str | Path] = ["check", "--inputs", examples, examples / "inpainting.yaml"]
    assert "0 violations" in ran(installed, *check, cwd=tmp_path)
    assert "wan2.7-image" in ran(installed, "models", cwd=tmp_path)
    ran(installed, "schema", "--out", "job.schema.json", cwd=tmp_path)
    ran(installed, "init", "wan2.7-image", "--out", "my.yaml", cwd=tmp_path)
    said = ran(installed, "up", cwd=tmp_path, code=3)
    assert "part of the repository" in said
    assert "Traceback" not in said


def test_it_works_with_a_deployment(installed: Path, tmp_path: Path, cloud: Cloud) -> None:
    """The jobs of a laptop cloud that runs elsewhere, over its API and from its bucket."""
    env = {"API_TOKEN": cloud.env["API_TOKEN"]}
    api: list[str | Path] = [installed, "--api", cloud.env["API_URL"]]
    assert " of API http" in ran(*api, "list", cwd=tmp_path, environ=env)
    names = [name for name in cloud.env if name.startswith("OSS_")]
    bucket = {name: cloud.env[name] for name in names}
    assert " of bucket " in ran(installed, "list", cwd=tmp_path, environ=bucket)


def test_its_versions_are_those_of_the_functions_and_the_laptop() -> None:
    project = importlib.import_module("tomllib").loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = {*project["project"]["dependencies"], *project["build-system"]["requires"]}
    files = ("functions/requirements.txt", "local/requirements.txt", "local/requirements-build.txt")
    pinned: set[str] = set()
    for name in files:
        pinned |= set(re.findall(r"^[\w.-]+==[\w.]+", (ROOT / name).read_text("utf-8"), re.M))
    assert asked <= pinned
