"""Compiles a package with the runtime's own Python, so that no cold start has to."""

from __future__ import annotations

import subprocess
from pathlib import Path

from deploy.packaging.interpreters import Interpreter
from deploy.packaging.settings import ROOT, PackageError

CODE = "/code"
"""Where Function Compute puts the package; tracebacks show it."""
SCRIPT = """
import compileall, importlib.machinery, py_compile, sys
from deploy.packaging.dataclass_methods import ExpandingLoader
CODE, own = sys.argv.pop(1), sys.argv.pop(1) == "own"
if own:
    importlib.machinery.SourceFileLoader = ExpandingLoader  # the one py_compile asks
for folder in sys.argv[1:]:
    compileall.compile_dir(
        folder, force=True, quiet=2, stripdir=folder, prependdir=CODE,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""


def compile_folders(interpreter: Interpreter, folders: list[Path], own: bool = False) -> None:
    """Writes __pycache__ into each, without times or paths of this computer (PEP 552).

    The bytecode of `own` modules holds the methods of their dataclasses.
    One process with a fixed hash seed: the order of constants in a set depends on it. A file that
    does not compile (an example for another Python) simply has no bytecode.
    Raises PackageError if the interpreter does not end well.
    """
    kind = "own" if own else "foreign"
    done = subprocess.run(
        [str(interpreter.path), "-S", "-B", "-c", SCRIPT, CODE, kind, *map(str, folders)],
        cwd=ROOT,  # where the script finds `deploy`
        env={"PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(f"{interpreter.path} could not compile the package:\n{done.stderr}")
