"""Tests and the simulation change the log of the process; afterwards it is as it was before."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from shared.platform.logs import CHATTY

LOGGERS = ("", "shared", *CHATTY)
"""The loggers that our code changes; "" is the root."""


@contextmanager
def log_state_restored() -> Iterator[None]:
    """Restore handlers, level and propagation of these loggers, and `logging.disable`."""
    disabled = logging.root.manager.disable
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(log, list(log.handlers), log.level, log.propagate) for log in loggers]
    try:
        yield
    finally:
        logging.disable(disabled)
        for log, handlers, level, propagate in before:
            log.handlers[:] = handlers
            log.setLevel(level)
            log.propagate = propagate
