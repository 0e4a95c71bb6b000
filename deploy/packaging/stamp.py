"""BUILD.json in a package: what it was built from. No time, or no two builds were alike."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from deploy.packaging.settings import PackageError
from deploy.packaging.unpack import matches

STAMP = "BUILD.json"
SOURCES = ("shared", "schemas", "functions", "web")
"""All that is ours in any package, and the locks of what is not."""
UNTRACKED = ("*/__pycache__/*", "*.pyc", "*/.*")
"""What lies about in a working tree and is never part of it."""
Stamp = dict[str, str | bool | None]


def read_stamp(folder: Path) -> Stamp:
    """BUILD.json of a package folder. Raises PackageError if the folder is not a package."""
    try:
        stamp: Stamp = json.loads((folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        raise PackageError(f"{folder} is no built package; make it with: make package") from None
    return stamp


def revision(root: Path) -> Stamp:
    """The commit, and whether tracked files differ from it; both null outside of git."""
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def code_of(root: Path) -> str:
    """A digest of the sources of all functions. It is the same in each package of a build, and
    changes only when what is deployed does (`shared.platform.running_code`)."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not matches(name, UNTRACKED):
                digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
