"""`python3 -m local.install LOCK...`: the packages of a lock into a virtual environment.

Every file is checked by its hash, what is built with them too (pip's `--require-hashes`). This
runs before anything is installed: it needs the standard library alone, and Python 3.7 still
understands it well enough to say that it is too old.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

OLDEST = (3, 11)
PIP = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
# Without build isolation pip builds with what is installed here, not with what is newest today.
PIP += ["--require-hashes", "--use-pep517", "--no-build-isolation"]
STEP = re.compile(
    r"\s*(?:(?P<collect>Collecting) (?P<package>[\w.-]+)|Downloading \S+(?P<size> \(.+\))"
    r"|(?P<build>Building wheel) for (?P<source>\S+)|(?P<unpack>Installing) collected)"
)
NOISE = ("WARNING: Location", "WARNING: The directory")
TAIL_LINES = 12
NOW_AND_THEN = 20
"""Packages between two lines where there is no terminal."""


class InstallError(Exception):
    """The packages could not be installed; the text says why and what to do."""


def main() -> int:
    """0 when everything is installed; 1 with a message when not."""
    parser = argparse.ArgumentParser(prog="python3 -m local.install", description=__doc__)
    parser.add_argument("locks", nargs="+", type=Path, metavar="LOCK", help="installed in turn")
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="(default: %(default)s)")
    parser.add_argument("--about", default="", help="what it is and how big, for the first line")
    asked = parser.parse_args()
    begun = time.monotonic()
    try:
        refuse_old_python()
        print(f"Installing into {asked.venv}: {asked.about or asked.locks[-1]} ...", flush=True)
        python = ready_venv(asked.venv)
        for lock in asked.locks:
            install(python, lock)
    except InstallError as error:
        print(f"local.install: {error}", file=sys.stderr)
        return 1
    print(f"Installed in {time.monotonic() - begun:.0f} seconds.", flush=True)
    return 0


def refuse_old_python() -> None:
    """Raises InstallError if this Python is older than what the packages need."""
    if sys.version_info < OLDEST:
        raise InstallError(
            f"{sys.executable} is Python {sys.version.split()[0]}; Python 3.11 or newer is needed."
            " Install one and name it: make PYTHON=python3.12 ..."
        )


def ready_venv(folder: Path) -> Path:
    """The Python of the virtual environment, which is made unless it is there."""
    python = folder / "bin" / "python"
    if not python.exists():
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise InstallError(
                f"Python's module venv failed (Debian and Ubuntu: apt-get install python3-venv):\n"
                f"{_quoted((made.stdout + made.stderr).splitlines())}"
            )
    return python


def install(python: Path, lock: Path) -> None:
    """What the lock lists. Raises InstallError with pip's last lines."""
    command = [str(python), *PIP, "-r", str(lock)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        lines = list(_shown(iter(pip.stdout)))
    if pip.returncode:
        raise InstallError(
            f"pip could not install {lock}; what it said last is below. Run the same again when the"
            f" cause is mended.\n{_quoted(lines)}"
        )


def _shown(lines: Iterator[str]) -> Iterator[str]:
    """The same lines. What pip is at is told on the last line of a terminal, and to anything else
    in a line now and then."""
    is_terminal = sys.stdout.isatty()
    count = 0
    package = ""
    for line in lines:
        if step := STEP.match(line):
            count += bool(step["collect"])
            package = step["package"] or step["source"] or package
            doing = "building" if step["build"] else "unpacking" if step["unpack"] else "fetching"
            what = "" if step["unpack"] else f" {package}{step['size'] or ''}"
            text = f"  {count} packages: {doing}{what}"
            if is_terminal:
                print(f"\r\033[K{text}", end="", flush=True)
            elif step["unpack"] or (step["collect"] and count % NOW_AND_THEN == 0):
                print(text, flush=True)
        yield line
    if is_terminal:
        print("\r\033[K", end="", flush=True)


def _quoted(lines: list[str]) -> str:
    kept = [line.rstrip() for line in lines if line.strip() and not line.startswith(NOISE)]
    return "\n".join(f"  | {line}" for line in kept[-TAIL_LINES:])


if __name__ == "__main__":
    sys.exit(main())
