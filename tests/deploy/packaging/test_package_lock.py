"""The locks: what was tested is what is deployed."""

from __future__ import annotations

import importlib.metadata

import pytest
from packaging.utils import canonicalize_name

from deploy.packaging.lockfile import expected_pins, read_lock, read_pins
from deploy.packaging.settings import ROOT, load_package_settings

SETTINGS = load_package_settings()
RUNTIMES = sorted(SETTINGS.targets)
LAPTOP = ROOT / "local" / "lock.txt"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_lock_holds_the_requirements_at_the_versions_of_the_laptops_lock(runtime: str) -> None:
    locked = {str(entry.pin) for entry in read_lock(SETTINGS.lock_path(SETTINGS.targets[runtime]))}
    assert locked == {str(pin) for pin in expected_pins(ROOT, SETTINGS.targets[runtime])}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_only_what_a_runtime_cannot_have_differs_from_the_laptops_lock(runtime: str) -> None:
    path = ROOT / "functions" / f"constraints-{SETTINGS.targets[runtime].python}.txt"
    allowed = read_pins(path) if path.exists() else {}
    tested = read_pins(LAPTOP)
    locked = {
        entry.name: entry.pin.version
        for entry in read_lock(SETTINGS.lock_path(SETTINGS.targets[runtime]))
    }
    assert {n: v for n, v in locked.items() if tested[n] != v} == allowed


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_tests_run_with_the_versions_of_the_laptops_lock(runtime: str) -> None:
    tested = read_pins(LAPTOP)
    locked = [entry.name for entry in read_lock(SETTINGS.lock_path(SETTINGS.targets[runtime]))]
    for name in locked:
        installed = importlib.metadata.version(name)
        assert installed == tested[canonicalize_name(name)], name


def test_the_lock_of_the_tests_holds_the_laptops() -> None:
    assert read_pins(LAPTOP).items() <= read_pins(ROOT / "tests" / "lock.txt").items()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_lock_names_no_host(runtime: str) -> None:
    assert "://" not in SETTINGS.lock_path(SETTINGS.targets[runtime]).read_text("utf-8")


def test_wheels_are_chosen_for_the_runtimes_glibc() -> None:
    platforms = {name: target.platforms for name, target in SETTINGS.targets.items()}
    assert platforms["python3.10"][0] == "manylinux_2_28_x86_64"
    assert platforms["python3.12"][0] == "manylinux_2_31_x86_64"
    assert platforms["custom.debian12"][0] == "manylinux_2_36_x86_64"
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64"} <= set(platforms["python3.10"])


def test_the_server_of_web_functions_is_in_the_package_of_api_alone() -> None:
    locks = {n: read_lock(SETTINGS.lock_path(one)) for n, one in SETTINGS.targets.items()}
    having = {name for name, lock in locks.items() if "waitress" in {one.name for one in lock}}
    assert having == {"custom.debian12"}
    assert {name for name, plan in SETTINGS.functions.items() if plan.runtime in having} == {"api"}
