"""`python -m deploy.packaging`: one zip per function under build/, with only what it needs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deploy.packaging.build import Builder, Package
from deploy.packaging.dependencies import STEPS, Dependencies, prepare
from deploy.packaging.interpreters import Interpreter, find_interpreter, how_to_get
from deploy.packaging.settings import (
    ROOT,
    FunctionPlan,
    PackageError,
    PackageSettings,
    Target,
    load_package_settings,
)
from deploy.packaging.steps import Steps


def main(arguments: list[str] | None = None) -> int:
    """0 when all were built within their budgets; 1 with a message otherwise."""
    asked = _parser().parse_args(arguments)
    try:
        settings = load_package_settings(asked.root.resolve())
        return _run(settings, asked)
    except PackageError as error:
        print(f"deploy.packaging: {error}", file=sys.stderr)
        return 1


def _run(settings: PackageSettings, asked: argparse.Namespace) -> int:
    plans: dict[Target, list[FunctionPlan]] = {}
    for plan in settings.plans(asked.functions):
        plans.setdefault(settings.target(plan.runtime or asked.runtime), []).append(plan)
    steps = Steps(sum(STEPS + 1 + len(row) for row in plans.values()))
    packages = [
        one for target in plans for one in _built(settings, target, plans[target], asked, steps)
    ]
    excess = [line for package in packages for line in package.excess]
    for line in excess:
        print(f"deploy.packaging: {line}", file=sys.stderr)
    if excess:
        print(
            "deploy.packaging: find what has grown, or raise the budget in pyproject.toml"
            " ([tool.wanx.package.functions])",
            file=sys.stderr,
        )
    return 1 if excess else 0


def _built(
    settings: PackageSettings,
    target: Target,
    plans: list[FunctionPlan],
    asked: argparse.Namespace,
    steps: Steps,
) -> list[Package]:
    """The functions that run on this target."""
    interpreter, out = find_interpreter(target.python, os.environ), asked.out.resolve()
    cache = asked.cache or out / ".cache"
    dependencies = prepare(settings, target, interpreter, cache, steps)
    packages = Builder(settings, target, interpreter, dependencies, out, steps).build(plans)
    _report(packages, dependencies, interpreter, target)
    return packages


def _report(
    packages: list[Package],
    dependencies: Dependencies,
    interpreter: Interpreter | None,
    target: Target,
) -> None:
    print(f"For {target.runtime}:")
    print(f"{'function':<10}{'zip MB':>8}{'budget':>8}{'unpacked':>10}{'budget':>8}  sha256")
    for package in packages:
        plan = package.plan
        sizes = (package.zip_bytes, plan.zip_budget, package.unpacked_bytes, plan.unpacked_budget)
        zipped, most_zipped, unpacked, most = (size / 1e6 for size in sizes)
        print(
            f"{plan.name:<10}{zipped:>8.1f}{most_zipped:>8.0f}{unpacked:>10.1f}{most:>8.0f}"
            f"  {package.sha256}"
        )
    largest = sorted(dependencies.saved.items(), key=lambda item: -item[1])[:3]
    named = ", ".join(f"{name} {saved / 1e6:.1f}" for name, saved in largest)
    total = sum(dependencies.saved.values()) / 1e6
    print(f"Left out of the packages it is built from: {total:.1f} MB ({named}).")
    if interpreter:
        print(f"Bytecode by {interpreter.path} ({interpreter.release}).")
    else:
        _warn(target.python)


def _warn(python: str) -> None:
    print(
        f"\n*** No {python} is at hand: THE PACKAGES HOLD NO BYTECODE. They work, but every cold\n"
        "*** start compiles all imports anew (two to three times as long).\n"
        f"*** To mend it, {how_to_get(python)}.",
        file=sys.stderr,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.packaging", description=__doc__)
    add = parser.add_argument
    add("functions", nargs="*", help="those functions alone (default: all)")
    add("--runtime", default="python3.10", help="of the functions that run on any (%(default)s)")
    add("--out", type=Path, default=Path("build"), help="folder to build into (%(default)s)")
    add("--cache", type=Path, help="folder for downloads (default: OUT/.cache)")
    add("--root", type=Path, default=ROOT, help="the source tree")
    return parser


if __name__ == "__main__":
    sys.exit(main())
