"""`python -m deploy.packaging` on a small tree: what is in a zip, always the same."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.packaging.__main__ import main
from deploy.packaging.bytecode import compile_folders
from deploy.packaging.interpreters import find_interpreter
from deploy.packaging.settings import ROOT
from shared.catalogue.files import SCHEMAS
from tests.deploy.packaging.package_kit import NOBODY_HAS, RUNTIME, make_tree, write

SKETCH = "wanx-sketch-to-image-lite"
CACHED = sys.implementation.cache_tag


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "tree")


def build(root: Path, *more: str, runtime: str = RUNTIME) -> int:
    return main(["--root", str(root), "--out", str(root / "out"), "--runtime", runtime, *more])


def names(root: Path, function: str) -> set[str]:
    with zipfile.ZipFile(root / "out" / f"{function}.zip") as archive:
        return set(archive.namelist())


def sources(root: Path, function: str) -> set[str]:
    return {name for name in names(root, function) if not name.endswith(".pyc")}


def test_a_package_holds_what_its_function_needs_and_nothing_else(tree: Path) -> None:
    assert build(tree) == 0
    assert sources(tree, "small") == {
        "BUILD.json",
        "classic-1.0.dist-info/LICENSE",
        "classic/__init__.py",
        "index.py",
        "schemas/job.yaml",
        "shared/__init__.py",
        "shared/core.py",
    }
    assert sources(tree, "large") == {
        *sources(tree, "small"),
        "modern-2.0.dist-info/METADATA",
        "modern-2.0.dist-info/licenses/LICENSE",
        "modern/__init__.py",
        "modern/fast.py",
        "shared/api/jobs_api/__init__.py",
        "shared/api/jobs_api/app.py",
        "web/index.html",
    }


def test_each_step_of_a_build_has_a_line(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(tree)
    first = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[")]
    build(tree)
    second = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[")]
    assert [line.partition(" ")[0] for line in first] == [f"[{n}/6]" for n in range(1, 7)]
    assert "packages, download" in first[0]
    assert [line.partition(" ")[0] for line in second] == [f"[{n}/6]" for n in range(3, 7)]
    assert "kept from an earlier build" in second[0]
    assert second[1:] == first[3:]


def test_yaml_is_written_as_json_which_says_the_same(tree: Path) -> None:
    """By the rules of YAML 1.2, as the functions read it: no date, and `no` is a text."""
    write(tree / "schemas/deep/er.yaml", "day: 2026-11-20 # a day\nword: no\nname: 万\n")
    build(tree)
    written = (tree / "out/small/schemas/deep/er.yaml").read_text("utf-8")
    assert json.loads(written) == {"day": "2026-11-20", "word": "no", "name": "万"}


def test_yaml_that_cannot_be_read_is_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tree / "schemas/job.yaml", "a: [1\n")
    assert build(tree) == 1
    said = capsys.readouterr().err
    assert f"{tree / 'schemas/job.yaml'} cannot be read as YAML: " in said


def test_a_model_that_no_function_could_load_is_not_packaged(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = (SCHEMAS / "models" / f"{SKETCH}.yaml").read_text("utf-8")
    write(tree / f"schemas/models/{SKETCH}.yaml", model)
    assert build(tree) == 0
    spoiled = model.replace("concurrent: 1", "concurrent: 0")
    write(tree / f"schemas/models/{SKETCH}.yaml", spoiled)
    assert build(tree) == 1
    said = capsys.readouterr().err
    assert f"{SKETCH}.yaml at /limits/concurrent: expected at least 1, found 0; see" in said


def test_the_folder_beside_the_zip_is_the_same(tree: Path) -> None:
    build(tree)
    folder = tree / "out/small"
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found == names(tree, "small")


def test_what_was_deleted_is_gone_from_the_next_build(tree: Path) -> None:
    build(tree)
    (tree / "schemas/job.yaml").unlink()
    write(tree / "schemas/new.yaml", "b: 2\n")
    build(tree)
    assert {"schemas/new.yaml"} == {n for n in names(tree, "small") if n.startswith("schemas")}


def test_two_builds_in_different_folders_are_equal_to_the_byte(tmp_path: Path) -> None:
    roots = [make_tree(tmp_path / "one"), make_tree(tmp_path / "far" / "away" / "two")]
    os.utime(roots[1] / "shared/core.py", (0, 0))
    (roots[1] / "functions/small/index.py").chmod(0o700)
    for root in roots:
        build(root)
    for function in ("small", "large"):
        bodies = [(root / "out" / f"{function}.zip").read_bytes() for root in roots]
        assert hashlib.sha256(bodies[0]).digest() == hashlib.sha256(bodies[1]).digest()


def test_entries_have_no_time_or_mode_of_their_own_and_a_fixed_order(tree: Path) -> None:
    build(tree)
    with zipfile.ZipFile(tree / "out/small.zip") as archive:
        entries = archive.infolist()
    assert {(e.date_time, e.external_attr >> 16) for e in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644)
    }
    assert [e.filename for e in entries] == sorted(e.filename for e in entries)


def test_sets_are_compiled_in_the_same_order_each_time(tmp_path: Path) -> None:
    """Up to Python 3.10 bytecode holds a set's members in the order of their hashes."""
    python = find_interpreter("python3.10", os.environ)
    if python is None:
        pytest.skip("needs python3.10")
    bodies = set()
    for number in range(4):
        folder = tmp_path / str(number)
        write(folder / "sets.py", "KNOWN = KIND in {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}\n")
        compile_folders(python, [folder])
        bodies.add(next(folder.rglob("*.pyc")).read_bytes())
    assert len(bodies) == 1


def test_bytecode_knows_neither_times_nor_this_computer(tree: Path) -> None:
    build(tree)
    compiled = tree / "out/small/shared/__pycache__" / f"core.{CACHED}.pyc"
    body = compiled.read_bytes()
    assert body[4:8] == b"\x01\0\0\0"  # unchecked hash (PEP 552)
    assert str(tree).encode() not in body
    assert b"/code/shared/core.py" in body


def test_the_bytecode_holds_the_methods_of_dataclasses(tree: Path) -> None:
    """The source stays: its lines are those of tracebacks."""
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n\n"
        "@dataclass(frozen=True)\nclass Pair:\n    left: int\n    right: int = 2\n"
    )
    write(tree / "shared/core.py", text)
    late = "shared/platform/late_fields.py"
    write(tree / late, (ROOT / late).read_text())
    build(tree)
    folder = tree / "out/small"
    assert (folder / "shared/core.py").read_text() == text
    script = (
        "import sys; sys.path[:0] = ['.']; from shared.core import Pair;"
        " print(Pair(1), Pair.__init__.__code__.co_filename);"
        " print(type(vars(Pair)['__dataclass_fields__']).__name__);"
        " import dataclasses; print(dataclasses.replace(Pair(1), left=3))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", script], cwd=folder, capture_output=True, text=True
    )
    shown = [f"Pair(left=1, right=2) {folder}/shared/core.py", "LateFields"]
    assert done.stdout.splitlines() == [*shown, "Pair(left=3, right=2)"]
    assert done.stderr == ""


def test_python_runs_the_bytecode_and_not_the_source(tree: Path) -> None:
    build(tree)
    folder = tree / "out/small"
    write(folder / "shared/core.py", "raise SystemExit('compiled again')")
    write(folder / "classic/__init__.py", "raise SystemExit('compiled again')")
    script = "import sys; sys.path[:0] = ['.']; import index; print(index.classic.NAME)"
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", script], cwd=folder, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("classic\n", "")


def test_without_the_runtimes_python_it_says_so_and_goes_on(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(tree, runtime=NOBODY_HAS) == 0
    assert "NO BYTECODE" in capsys.readouterr().err
    assert names(tree, "small") == sources(tree, "small")
    assert json.loads((tree / "out/small/BUILD.json").read_text())["bytecode"] is None


def test_a_python_named_in_the_environment_must_be_it(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON399", sys.executable)
    assert build(tree, runtime=NOBODY_HAS) == 1
    assert f"PYTHON399 is {sys.executable!r}, which runs no python3.99" in capsys.readouterr().err


def test_the_stamp_says_what_it_was_built_from(tree: Path) -> None:
    build(tree)
    stamp = json.loads((tree / "out/small/BUILD.json").read_text())
    lock = (tree / "functions" / f"lock-{RUNTIME}.txt").read_bytes()
    assert stamp["lock_sha256"] == hashlib.sha256(lock).hexdigest()
    assert (stamp["function"], stamp["runtime"]) == ("small", RUNTIME)
    assert (stamp["commit"], stamp["dirty"]) == (None, None)


def code_of(tree: Path, function: str) -> str:
    code: str = json.loads((tree / "out" / function / "BUILD.json").read_text())["code"]
    return code


def test_all_functions_of_a_build_name_the_same_code(tree: Path) -> None:
    build(tree)
    assert code_of(tree, "small") == code_of(tree, "large") != ""


@pytest.mark.parametrize(
    ("changed", "is_other"),
    [
        ("shared/core.py", True),
        ("shared/api/jobs_api/app.py", True),
        ("schemas/job.yaml", True),
        ("functions/large/index.py", True),
        ("web/index.html", True),
        (f"functions/lock-{NOBODY_HAS}.txt", True),
        ("shared/__pycache__/core.cpython-399.pyc", False),
        ("shared/.core.py.swp", False),
        ("tests/test_it.py", False),
        ("local/secret.py", False),
    ],
)
def test_the_code_is_other_code_when_what_is_deployed_has_changed(
    tree: Path, changed: str, is_other: bool
) -> None:
    build(tree)
    before = code_of(tree, "small")
    write(tree / changed, "# changed\n" if changed.endswith(".py") else "changed: 1\n")
    build(tree)
    assert (code_of(tree, "small") != before) == is_other


def test_a_package_above_its_budget_fails(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tree / "shared/big.txt", "#" * 1_000_001)
    assert build(tree, "small") == 1
    said = capsys.readouterr().err
    assert "small: unpacked is 1,00" in said
    assert "its budget 1,000,000" in said


def test_a_file_that_is_not_the_locks_is_refused(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tree / "index"))
    published = tree / "index/modern-2.0-py3-none-any.whl"
    published.parent.mkdir()
    (tree / "out/.cache/files" / published.name).rename(published)
    with zipfile.ZipFile(published, "a") as wheel:
        wheel.writestr("modern/evil.py", "")
        wheel.writestr("modern-2.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    assert build(tree) == 1
    assert "DO NOT MATCH THE HASHES" in capsys.readouterr().err
    assert not (tree / "out/large.zip").exists()


def test_two_packages_may_not_bring_the_same_file(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # the wheel says it is `other` too: one archive under two names
    lock = tree / "functions" / f"lock-{RUNTIME}.txt"
    sha256 = lock.read_text().split("sha256:")[1].split()[0]
    lock.write_text(lock.read_text() + f"other==2.0 --hash=sha256:{sha256}\n")
    assert build(tree) == 1
    assert "other and modern both bring modern" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("no such runtime", "the runtime 'python2.7' is not one of"),
        ("no such function", "no function is called tiny; there are small, large"),
        ("no lock", "make it with: make lock"),
        ("broken lock", ":1: expected NAME==VERSION --hash=sha256:HEX, found 'modern>2'"),
        ("no handler", "expected the function's handler there"),
    ],
)
def test_what_is_wrong_is_said(
    tree: Path, capsys: pytest.CaptureFixture[str], change: str, expected: str
) -> None:
    lock = tree / "functions" / f"lock-{RUNTIME}.txt"
    if change == "no lock":
        lock.unlink()
    elif change == "broken lock":
        lock.write_text("modern>2\n")
    elif change == "no handler":
        shutil.rmtree(tree / "functions/small")
    runtime = "python2.7" if change == "no such runtime" else RUNTIME
    assert build(tree, *(["tiny"] if change == "no such function" else []), runtime=runtime) == 1
    assert expected in capsys.readouterr().err
