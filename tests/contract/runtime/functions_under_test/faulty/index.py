"""Fails in the way the event asks for."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading


def handler(event: bytes, context: object) -> str:
    wish = json.loads(event)
    if wish == "raise":
        raise ValueError("as you wished: \u6309\u60a8\u7684\u8981\u6c42")
    if wish == "hang":
        threading.Event().wait()
    if wish == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if wish == "exit":
        sys.exit(3)
    if wish == "talk":
        print("a printed line")
        logging.getLogger().info("a logged line")
        sys.stderr.write("x" * 100_000 + "\n")
    return f"pid {os.getpid()}"
