"""The locked packages, unpacked, pruned and compiled: made once and kept until the lock changes."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.packaging.bytecode import compile_folders
from deploy.packaging.interpreters import Interpreter
from deploy.packaging.lockfile import read_lock
from deploy.packaging.settings import PackageError, PackageSettings, Target
from deploy.packaging.steps import Steps
from deploy.packaging.unpack import prune, unpack
from deploy.packaging.wheelhouse import fetch_locked

STEPS = 3


@dataclass(frozen=True)
class Dependencies:
    """One folder per package. `saved` is the number of bytes pruned from each."""

    folders: dict[str, Path]
    saved: dict[str, int]


def prepare(
    settings: PackageSettings,
    target: Target,
    interpreter: Interpreter | None,
    cache: Path,
    steps: Steps,
) -> Dependencies:
    """The dependencies for one runtime, from `cache` or made there, in STEPS steps.

    Raises PackageError."""
    locked = read_lock(settings.lock_path(target))
    what = f"{target.runtime}: {len(locked)} packages"
    folder = cache / f"{target.runtime}-{_key(settings, target, interpreter)}"
    done = folder / "saved.json"
    if not done.exists():
        for outdated in cache.glob(f"{target.runtime}-*"):
            shutil.rmtree(outdated)
        steps.begin(f"{what}, download")
        files = fetch_locked(cache / "files", target, locked, settings.sources)
        saved = {}
        steps.begin(f"{what}, unpack")
        for entry in locked:
            unpack(files[entry.name], entry.pin, settings.sources, folder / entry.name)
            saved[entry.name] = prune(folder / entry.name, settings.prune)
        _refuse_shared_files({entry.name: folder / entry.name for entry in locked})
        steps.begin(f"{what}, compile" if interpreter else f"{what}, not compiled")
        if interpreter:
            compile_folders(interpreter, [folder / entry.name for entry in locked])
        done.write_text(json.dumps(saved), "utf-8")
    else:
        steps.begin(f"{what}, kept from an earlier build", STEPS)
    folders = {entry.name: folder / entry.name for entry in locked}
    return Dependencies(folders, json.loads(done.read_text("utf-8")))


def _key(settings: PackageSettings, target: Target, interpreter: Interpreter | None) -> str:
    """Changes with everything the outcome depends on, this code included."""
    checksum = hashlib.sha256(settings.lock_path(target).read_bytes())
    checksum.update(repr((settings.prune, settings.sources, target, interpreter)).encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        checksum.update(module.read_bytes())
    return checksum.hexdigest()[:16]


def _refuse_shared_files(folders: dict[str, Path]) -> None:
    owners: dict[str, str] = {}
    for name, folder in folders.items():
        for path in folder.rglob("*"):
            inner = path.relative_to(folder).as_posix()
            if path.is_file() and owners.setdefault(inner, name) != name:
                raise PackageError(
                    f"{name} and {owners[inner]} both bring {inner}; which one is in the zip would"
                    " be chance: leave one of the packages out"
                )
