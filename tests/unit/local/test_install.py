"""What is installed is what is locked: every package pinned, every file known by its hash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from deploy.packaging.lockfile import read_pins
from local.install import InstallError, install

ROOT = Path(__file__).resolve().parents[3]
LOCKS = sorted(
    str(path.relative_to(ROOT))
    for folder in ("local", "tests", "tests/conformance")
    for path in (ROOT / folder).glob("lock*.txt")
)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_is_required_with_hashes_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    required = read_pins(ROOT / lock.replace("lock", "requirements"))
    assert required.items() <= read_pins(ROOT / lock).items()
    entries = [entry for entry in text.split("\n") if entry and not entry.startswith(("#", " "))]
    assert len(entries) >= len(required) > 0
    assert all(entry.endswith(" \\") for entry in entries), "a package without a hash"
    assert "://" not in text


def test_what_two_locks_share_they_share_at_one_version() -> None:
    laptop, tests = read_pins(ROOT / "local/lock.txt"), read_pins(ROOT / "tests/lock.txt")
    assert {name: tests.get(name) for name in laptop} == laptop


def test_the_tests_run_with_what_is_locked() -> None:
    locked = read_pins(ROOT / "tests/lock.txt")
    assert locked == {name: metadata.version(name) for name in locked}


def wheel(folder: Path, name: str) -> Path:
    """A package of one module, published as a wheel."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_without_a_terminal_a_line_says_now_and_then_what_pip_is_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collected = "".join(f"echo Collecting piece{number}==1.0\n" for number in range(1, 46))
    pip = tmp_path / "python"
    pip.write_text(f"#!/bin/sh\n{collected}echo Installing collected packages: piece1\n")
    pip.chmod(0o755)
    install(pip, tmp_path / "lock.txt")
    assert capsys.readouterr().out.splitlines() == [
        "  20 packages: fetching piece20",
        "  40 packages: fetching piece40",
        "  45 packages: unpacking",
    ]


@pytest.mark.slow
def test_a_file_with_another_hash_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "installed"))
    good = hashlib.sha256(wheel(tmp_path, "sound").read_bytes()).hexdigest()
    wheel(tmp_path, "changed")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"sound==1.0 --hash=sha256:{good}\n", "utf-8")
    install(Path(sys.executable), lock)
    lock.write_text(f"changed==1.0 --hash=sha256:{good}\n", "utf-8")
    with pytest.raises(InstallError, match=r"(?s)could not install.*Expected sha256"):
        install(Path(sys.executable), lock)
    assert [path.name for path in (tmp_path / "installed").glob("*.py")] == ["sound.py"]


def test_an_old_python_is_told_which_one_is_needed(tmp_path: Path) -> None:
    program = (
        "import sys; sys.version_info, sys.version = (3, 9, 2), '3.9.2 (main)';"
        "sys.argv = ['', 'lock.txt']; from local.install import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "is Python 3.9.2; Python 3.11 or newer is needed" in done.stderr
