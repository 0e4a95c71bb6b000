"""A system in memory behind the command line."""

from __future__ import annotations

import pytest

from tests.kit.world import World


@pytest.fixture()
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """What commands that work on the bucket find there."""
    made = World()
    monkeypatch.setattr("cli.backends.bucket.for_invocation", lambda _environ: made.app("operator"))
    monkeypatch.setenv("OSS_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OSS_BUCKET", "studio")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-not-a-real-key")
    return made
