"""HTTP: the jobs API, the DashScope-compatible API, tokens and ownership."""

from __future__ import annotations

from shared.platform.slim_imports import load_falcon

load_falcon()  # before any module below imports it
