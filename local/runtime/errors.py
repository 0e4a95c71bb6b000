"""Errors the runtime tells its user about, in words rather than a traceback."""

from __future__ import annotations


class Throttled(Exception):
    """The function has as many instances running as its reservedConcurrency allows."""
