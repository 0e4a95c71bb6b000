"""`wanx up`: the laptop cloud, in this process's place."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cli.access import ROOT


def run(options: Sequence[str]) -> NoReturn:
    """Become `python -m local.up`, so that Ctrl-C and exit code are its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "local.up", *options]
    os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": path})
