"""Errors the runtime tells its user about, in words rather than a traceback."""

from __future__ import annotations


class DeclarationError(Exception):
    """s.yaml, or the environment it asks for, is not usable; the message lists every finding."""


class Throttled(Exception):
    """The function has as many instances running as its reservedConcurrency allows."""
