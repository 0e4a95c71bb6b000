"""What pyproject.toml says about packages, under [tool.wanx.package]."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OLDEST_GLIBC = 5
"""manylinux tags begin with glibc 2.5 (PEP 600)."""
OLD_TAGS = ("manylinux2014", "manylinux2010", "manylinux1")
MEGABYTE = 1_000_000


class PackageError(Exception):
    """The package cannot be built; the text says why and what to do."""


@dataclass(frozen=True)
class Target:
    """The machine the functions run on: a runtime of Function Compute (help page on runtimes)."""

    runtime: str
    glibc: int
    python: str
    """The Python that runs them: python3.10. A custom runtime's name does not say it."""

    @property
    def version(self) -> str:
        return self.python.removeprefix("python")

    @property
    def platforms(self) -> list[str]:
        """Every wheel platform that runs there, newest first (PEP 600, PEP 599, 571, 513)."""
        tags = [f"manylinux_2_{minor}" for minor in range(self.glibc, OLDEST_GLIBC - 1, -1)]
        return [f"{tag}_x86_64" for tag in (*tags, *OLD_TAGS)]

    @property
    def markers(self) -> dict[str, str]:
        """The values of environment markers there (PEP 508)."""
        return {
            "extra": "",
            "python_version": self.version,
            "python_full_version": f"{self.version}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "platform_machine": "x86_64",
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
        }


@dataclass(frozen=True)
class FunctionPlan:
    """What one function's package holds, and how many bytes it may have."""

    name: str
    runtime: str
    """The only one it runs on; empty: the one that is asked for."""
    folders: tuple[str, ...]
    without: tuple[str, ...]
    leave_out: tuple[str, ...]
    zip_budget: int
    unpacked_budget: int


@dataclass(frozen=True)
class PackageSettings:
    """The whole of [tool.wanx.package]."""

    root: Path
    prune: tuple[str, ...]
    sources: dict[str, str]
    targets: dict[str, Target]
    functions: dict[str, FunctionPlan]

    def target(self, runtime: str) -> Target:
        """Raises PackageError for a runtime that is not declared."""
        if runtime not in self.targets:
            raise PackageError(
                f"the runtime {runtime!r} is not one of {', '.join(self.targets)}; choose one of"
                " them, or declare it in pyproject.toml, [tool.wanx.package.runtimes]"
            )
        return self.targets[runtime]

    def plans(self, names: list[str]) -> list[FunctionPlan]:
        """Those functions, or all of them. Raises PackageError for a name that is not declared."""
        unknown = sorted(set(names) - set(self.functions))
        if unknown:
            raise PackageError(
                f"no function is called {', '.join(unknown)}; there are {', '.join(self.functions)}"
            )
        return [self.functions[name] for name in names or self.functions]

    def lock_path(self, target: Target) -> Path:
        return self.root / "functions" / f"lock-{target.python}.txt"


def load_package_settings(root: Path = ROOT) -> PackageSettings:
    """Read pyproject.toml. Raises PackageError when the section or a value is missing."""
    # tomllib is in Python from 3.11 on; before, tomli is the same and comes with pytest.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    path = root / "pyproject.toml"
    try:
        section = toml.loads(path.read_text("utf-8"))["tool"]["wanx"]["package"]
        own, pythons = tuple(section["own"]), section.get("pythons", {})
        glibcs = section["runtimes"].items()
        return PackageSettings(
            root=root,
            prune=tuple(section["prune"]),
            sources=dict(section["sources"]),
            targets={n: Target(n, glibc, pythons.get(n, n)) for n, glibc in glibcs},
            functions={name: _plan(name, own, t) for name, t in section["functions"].items()},
        )
    except KeyError as error:
        raise PackageError(f"{path}: [tool.wanx.package] lacks {error}; add it") from None


def _plan(name: str, own: tuple[str, ...], table: dict[str, Any]) -> FunctionPlan:
    return FunctionPlan(
        name=name,
        runtime=table.get("runtime", ""),
        folders=own + tuple(table.get("add", ())),
        without=tuple(table.get("without", ())),
        leave_out=tuple(table.get("leave_out", ())),
        zip_budget=table["zip"] * MEGABYTE,
        unpacked_budget=table["unpacked"] * MEGABYTE,
    )
