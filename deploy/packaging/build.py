"""Puts a function's package together: build/<function>/ and build/<function>.zip."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from deploy.packaging.bytecode import compile_folders
from deploy.packaging.dependencies import Dependencies
from deploy.packaging.interpreters import Interpreter
from deploy.packaging.settings import FunctionPlan, PackageError, PackageSettings, Target
from deploy.packaging.stamp import STAMP, UNTRACKED, code_of, revision
from deploy.packaging.steps import Steps
from deploy.packaging.unpack import matches
from deploy.packaging.wheelhouse import digest
from shared.catalogue.files import CatalogueError, load_file
from shared.catalogue.index import INDEX, entries_of, index_of
from shared.catalogue.plain import TextUnreadable

READ_AT_START = "schemas/*.yaml"
"""Written as JSON, which is YAML that a cold start reads without a YAML parser."""
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first time a zip can hold; every entry has it."""
MODE = 0o100644
UNIX = 3
LEVEL = 6
"""9 takes three times as long for two percent."""


@dataclass(frozen=True)
class Package:
    """A built package; sizes in bytes."""

    plan: FunctionPlan
    archive: Path
    sha256: str
    zip_bytes: int
    unpacked_bytes: int
    files: int

    @property
    def excess(self) -> list[str]:
        """Which budgets it breaks, in words."""
        sizes = (
            ("zip", self.zip_bytes, self.plan.zip_budget),
            ("unpacked", self.unpacked_bytes, self.plan.unpacked_budget),
        )
        return [
            f"{self.plan.name}: {what} is {size:,} bytes, its budget {budget:,}"
            for what, size, budget in sizes
            if size > budget
        ]


class Builder:
    """Builds functions for one target into one folder."""

    def __init__(
        self,
        settings: PackageSettings,
        target: Target,
        interpreter: Interpreter | None,
        dependencies: Dependencies,
        out: Path,
        steps: Steps,
    ) -> None:
        self._settings = settings
        self._target = target
        self._interpreter = interpreter
        self._dependencies = dependencies
        self._out = out
        self._steps = steps

    def build(self, plans: list[FunctionPlan]) -> list[Package]:
        """Build these functions, in one step and one for each of them. Raises PackageError; what
        was built before then stays."""
        self._steps.begin(f"{self._target.runtime}: our own code")
        self._out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._out, prefix=".new-") as scratch:
            folders = [Path(scratch, plan.name) for plan in plans]
            for plan, folder in zip(plans, folders, strict=True):
                self._copy_own(plan, folder)
            if self._interpreter:
                compile_folders(self._interpreter, folders, own=True)
            for plan, folder in zip(plans, folders, strict=True):
                self._copy_dependencies(plan, folder)
                self._write_stamp(plan, folder)
            return [self._finish(plan, f) for plan, f in zip(plans, folders, strict=True)]

    def _copy_own(self, plan: FunctionPlan, folder: Path) -> None:
        source = self._settings.root / "functions" / plan.name / "index.py"
        if not source.is_file():
            raise PackageError(f"{source} does not exist; expected the function's handler there")
        folder.mkdir()
        shutil.copyfile(source, folder / "index.py")
        for name in plan.folders:
            self._copy_tree(self._settings.root / name, folder / name, folder, plan.leave_out)
        _write_index(folder / "schemas")

    def _copy_tree(self, source: Path, to: Path, base: Path, left_out: tuple[str, ...]) -> None:
        for path in sorted(source.rglob("*")):
            copy = to / path.relative_to(source)
            name = copy.relative_to(base).as_posix()
            if path.is_file() and not matches(name, (*left_out, *UNTRACKED)):
                copy.parent.mkdir(parents=True, exist_ok=True)
                if matches(name, (READ_AT_START,)):
                    copy.write_text(_as_json(path), "utf-8")
                else:
                    shutil.copyfile(path, copy)

    def _copy_dependencies(self, plan: FunctionPlan, folder: Path) -> None:
        held = self._dependencies.folders
        unknown = set(plan.without) - set(held)
        if unknown:
            raise PackageError(
                f"pyproject.toml: {plan.name} is to be without {', '.join(sorted(unknown))}, which"
                " the lock does not hold; correct the name or take it out"
            )
        for name, source in held.items():
            if name not in plan.without:
                shutil.copytree(source, folder, dirs_exist_ok=True)

    def _write_stamp(self, plan: FunctionPlan, folder: Path) -> None:
        stamp = {
            "function": plan.name,
            "runtime": self._target.runtime,
            "python": self._target.python,
            "bytecode": self._interpreter.release if self._interpreter else None,
            "lock_sha256": digest(self._settings.lock_path(self._target)),
            "code": code_of(self._settings.root),
            **revision(self._settings.root),
        }
        (folder / STAMP).write_text(json.dumps(stamp, indent=2) + "\n", "utf-8")

    def _finish(self, plan: FunctionPlan, folder: Path) -> Package:
        archive = self._out / f"{plan.name}.zip"
        self._steps.begin(f"{self._target.runtime}: {archive.name}")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._write_archive(archive, folder, files)
        unpacked = sum(path.stat().st_size for path in files)
        final = self._out / plan.name
        shutil.rmtree(final, ignore_errors=True)
        folder.replace(final)
        return Package(plan, archive, digest(archive), archive.stat().st_size, unpacked, len(files))

    def _write_archive(self, archive: Path, folder: Path, files: list[Path]) -> None:
        """Compressing takes most of a build's time, so what would come out the same stays."""
        known = self._out / f".{archive.name}.json"
        inside = {path.relative_to(folder).as_posix(): digest(path) for path in files}
        inside[""] = f"deflate {LEVEL}, zlib {zlib.ZLIB_RUNTIME_VERSION}"
        if archive.exists() and _read(known) == {"inside": inside, "sha256": digest(archive)}:
            return
        fresh = folder.with_suffix(".zip")
        _write_zip(fresh, folder, files)
        known.unlink(missing_ok=True)
        fresh.replace(archive)
        known.write_text(json.dumps({"inside": inside, "sha256": digest(archive)}), "utf-8")


def hash_of_all(packages: dict[str, str]) -> str:
    """One SHA-256 over the zips' own, by function; names a set of packages that belong together."""
    lines = "".join(f"{sha256}  {name}.zip\n" for name, sha256 in sorted(packages.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _as_json(path: Path) -> str:
    try:
        return json.dumps(load_file(path), ensure_ascii=False)
    except (TextUnreadable, UnicodeDecodeError) as error:
        raise PackageError(f"{path} cannot be read as YAML: {error}; correct it") from None


def _write_index(schemas: Path) -> None:
    """What lets a cold start read only the models it needs."""
    if not (schemas / "models").is_dir():
        return
    try:
        index = index_of(entries_of(schemas))
    except CatalogueError as error:
        raise PackageError(f"{error}; correct it") from None
    (schemas / "models" / INDEX).write_text(json.dumps(vars(index), ensure_ascii=False), "utf-8")


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _write_zip(archive: Path, folder: Path, files: list[Path]) -> None:
    """Sorted, with the same time and mode for all: equal files make equal bytes."""
    named = sorted((path.relative_to(folder).as_posix(), path) for path in files)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as target:
        for name, path in named:
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.create_system = UNIX
            entry.external_attr = MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, path.read_bytes(), compresslevel=LEVEL)
