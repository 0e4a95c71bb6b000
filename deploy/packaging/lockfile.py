"""The lock of a runtime: every package the functions import, its version and its file's SHA-256."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.packaging.settings import PackageError, Target

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One package at one version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class LockedPin:
    """A package, and the one file that may be installed for it."""

    pin: Pin
    sha256: str

    @property
    def name(self) -> str:
        return self.pin.name


def read_lock(path: Path) -> list[LockedPin]:
    """The lock's lines. Raises PackageError if the file is missing or a line is no pin."""
    if not path.is_file():
        raise PackageError(f"{path} does not exist; make it with: make lock")
    lines = path.read_text("utf-8").splitlines()
    return [_locked(path, n, line) for n, line in enumerate(lines, 1) if line.split("#")[0].strip()]


def _locked(path: Path, number: int, line: str) -> LockedPin:
    match = PIN.fullmatch(line.strip())
    if match is None:
        raise PackageError(
            f"{path}:{number}: expected NAME==VERSION --hash=sha256:HEX, found {line!r}; make the"
            " lock again with: make lock"
        )
    return LockedPin(Pin(match["name"], match["version"]), match["sha256"])


def lock_text(target: Target, pins: Iterable[LockedPin]) -> str:
    """The lock file's content; pip reads it too (--require-hashes)."""
    head = f"# What the functions import on {target.python}, Linux x86_64. Made by `make lock`.\n"
    lines = [f"{locked.pin} --hash=sha256:{locked.sha256}\n" for locked in pins]
    return head + "".join(sorted(lines))


def read_pins(path: Path, markers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Names and versions of a requirements or lock file, by normalized name.

    `markers` are the environment markers of the machine it is read for (PEP 508), None for this
    machine's: lines that do not apply there are left out.
    """
    lines = (line.split("#")[0].rstrip("\\ ") for line in path.read_text("utf-8").splitlines())
    pins = [Requirement(line) for line in lines if line and line[0].isalnum()]
    here = [pin for pin in pins if not pin.marker or pin.marker.evaluate(dict(markers or {}))]
    return {canonicalize_name(pin.name): str(pin.specifier).lstrip("=") for pin in here}


def expected_pins(root: Path, target: Target) -> list[Pin]:
    """What must be in the lock: the functions' requirements and all that these require.

    Who requires what is read from the packages installed here; the versions are those of
    local/lock.txt, but for the few the Python's own constraints file names. What only the functions
    of one Python import is in requirements-<python>.txt.
    Raises PackageError for a package that has no version there or is not installed.
    """
    versions = read_pins(root / "local" / "lock.txt", target.markers)
    own = root / "functions" / f"constraints-{target.python}.txt"
    versions |= read_pins(own) if own.exists() else {}
    pins: dict[str, Pin] = {}
    waiting = list(read_pins(root / "functions" / "requirements.txt"))
    more = root / "functions" / f"requirements-{target.python}.txt"
    waiting += read_pins(more) if more.exists() else []
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in pins:
            continue
        if name not in versions:
            raise PackageError(f"{name} has no version in local/lock.txt; run: make lock")
        pins[name] = Pin(name, versions[name])
        waiting += _requires(name, target)
    return sorted(pins.values(), key=lambda pin: pin.name)


def _requires(name: str, target: Target) -> list[str]:
    try:
        lines = metadata.distribution(name).requires or []
    except metadata.PackageNotFoundError:
        raise PackageError(
            f"{name} is needed on {target.python} but not installed here, so what it requires is"
            " not known; install it first (make demo does)"
        ) from None
    requirements = [Requirement(line) for line in lines]
    return [r.name for r in requirements if not r.marker or r.marker.evaluate(target.markers)]
