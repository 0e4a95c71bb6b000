"""The HTTP endpoints for programs and for the page: jobs, uploads, models, operations."""

from __future__ import annotations

from shared.api.jobs_api.app import create_app, prepare

__all__ = ["create_app", "prepare"]
