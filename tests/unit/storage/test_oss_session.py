"""Connections to OSS: what the environment says of proxies and certificates holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from shared.jobs.rebuild import AT_ONCE
from shared.storage.oss import open_session

ENDPOINT = "https://oss.invalid"
NAMES = ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def session(endpoint: str = ENDPOINT) -> Any:
    return open_session(endpoint).session


def used(made: requests.Session, url: str) -> dict[str, Any]:
    """What a request of this session would use."""
    return dict(made.merge_environment_settings(url, {}, None, None, None))


def test_a_rebuild_has_a_connection_for_each_of_its_threads() -> None:
    adapter = session().get_adapter(ENDPOINT)
    assert adapter._pool_maxsize >= AT_ONCE


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:8080")
    assert used(session(), ENDPOINT)["proxies"]["https"] == "http://proxy.invalid:8080"


def test_a_host_that_needs_no_proxy_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:8080")
    monkeypatch.setenv("NO_PROXY", "oss.invalid")
    assert not used(session(), ENDPOINT)["proxies"]


def test_certificates_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert used(session(), ENDPOINT)["verify"] is True
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/certificates.pem")
    assert used(session(), ENDPOINT)["verify"] == "/certificates.pem"


def test_a_netrc_file_does_not_take_the_place_of_our_signature(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "netrc"
    file.write_text("default login somebody password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(file))
    signed = requests.Request("GET", ENDPOINT, headers={"Authorization": "OSS4-HMAC-SHA256 …"})
    assert session().prepare_request(signed).headers["Authorization"].startswith("OSS4")
