"""`wanx up`: the laptop cloud, in this process's place."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cli.access import ROOT
from cli.trouble import Trouble


def run(options: Sequence[str]) -> NoReturn:
    """Become `python -m local.up`, so that Ctrl-C and exit code are its own.

    Raises Trouble where there is no laptop cloud: only a checkout has it.
    """
    if not (ROOT / "local" / "up.py").is_file():
        raise Trouble(
            "the laptop cloud is part of the repository, and this is the command line alone. In a"
            " checkout: `make up`. To work with a deployment: `wanx login`."
        )
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "local.up", *options]
    os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": path})
