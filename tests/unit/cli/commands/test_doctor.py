"""`wanx doctor` where not even the settings are right; tests/e2e/test_cli.py has the rest."""

from __future__ import annotations

import pytest

from tests.kit.wanx import run


def test_a_wrong_bucket_name_is_one_line_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"OSS_ENDPOINT": "http://127.0.0.1:1", "OSS_BUCKET": "b"}
    keys = {"OSS_ACCESS_KEY_ID": "a", "OSS_ACCESS_KEY_SECRET": "b"}
    for name, value in (wrong | keys).items():
        monkeypatch.setenv(name, value)
    said = " ".join(run("doctor", code=1).split())
    assert "failed settings: OSS_BUCKET is 'b'; expected 3 to 63" in said
    assert "API: API_URL is not set" in said
    assert "1 check failed." in said
    listed = run("list", code=3)
    assert "OSS_BUCKET is 'b'; expected 3 to 63" in listed
