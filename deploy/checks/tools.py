"""Where what `make deploy-tools` fetches lies, for the checks and the page's bundle."""

from __future__ import annotations

from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / ".deploy-tools"


class ToolsMissing(Exception):
    """What the caller needs is not there; the text says how to get it."""


def python_package(name: str) -> Path:
    """The folder of a Python package among the tools. Raises ToolsMissing."""
    return _present(TOOLS / "python" / name)


def node_command(name: str) -> Path:
    """An executable of a node package among the tools. Raises ToolsMissing."""
    return _present(TOOLS / "node/node_modules/.bin" / name)


def node_package(name: str) -> Path:
    """The folder of a node package among the tools. Raises ToolsMissing."""
    return _present(TOOLS / "node/node_modules" / name)


def _present(path: Path) -> Path:
    if not path.exists():
        raise ToolsMissing(f"{path} is not there: fetch it with `make deploy-tools`.")
    return path
