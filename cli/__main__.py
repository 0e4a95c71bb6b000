"""`python -m cli` is `wanx`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # Until everything is imported Ctrl-C ends the process without a word, as it ends any program.
    # Where it is ignored, as in the background of a script, it stays so.
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # the script `wanx` blocks it
    # In a checkout the client is not installed.
    sys.path.append(str(Path(__file__).resolve().parents[1] / "clients" / "python"))
    from cli.main import main

    signal.signal(signal.SIGINT, heard)
    main()
