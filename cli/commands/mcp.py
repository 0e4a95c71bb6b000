"""`wanx mcp`: the tools for an assistant, over standard input and output."""

from __future__ import annotations

import importlib.util

from cli.access import ROOT, Access
from cli.backends.bucket import quiet
from cli.trouble import Trouble

PACKAGE = "mcp==2.3.0"
"""Also in pyproject.toml and tests/requirements.txt."""


def run(access: Access) -> None:
    """Serve until standard input ends. Raises Trouble without the optional package."""
    if importlib.util.find_spec("mcp") is None:
        pip = ROOT / ".venv" / "bin" / "pip"
        raise Trouble(
            f"`wanx mcp` needs a package that is not installed. Install it:"
            f' {pip if pip.exists() else "pip"} install "{PACKAGE}"'
        )
    from cli.commands.assistant.server import make_server

    quiet()  # first, or the package writes its own log, with tracebacks, to stderr
    make_server(access).run("stdio")
