"""The HTTP endpoints, as a WSGI application."""

from __future__ import annotations

from shared.http import create_app

__all__ = ["create_app"]
