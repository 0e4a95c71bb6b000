"""`python -m deploy.checks`: what a person sees."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.checks import __main__ as command
from deploy.checks import serverless, tools

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSS_BUCKET", "my-images")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "example-key")


@pytest.fixture
def mistaken(tmp_path: Path) -> Path:
    """A copy of s.yaml with one mistake."""
    shutil.copy(ROOT / "template.yml", tmp_path)
    text = (ROOT / "s.yaml").read_text(encoding="utf-8")
    file = tmp_path / "s.yaml"
    file.write_text(text.replace("memorySize:", "memorySzie:"), encoding="utf-8")
    return file


def test_a_file_without_findings_has_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(ROOT / "s.yaml")]) == 0
    assert "s.yaml: no findings" in capsys.readouterr().out


def test_a_finding_says_where_what_expected_advice_and_source(
    mistaken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(mistaken)]) == 1
    out = capsys.readouterr().out
    assert f"{mistaken}: resources.submit.props.memorySzie" in out
    assert "Did you mean memorySize?" in out
    assert "model CreateFunctionInput of alibabacloud_fc20230330 4.8.3" in out
    assert "found     an unknown key" in out
    assert "4 findings" in out


def test_a_file_that_is_not_there_has_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(tmp_path / "s.yaml")]) == 2
    assert "cannot check" in capsys.readouterr().err


def test_without_the_tools_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    serverless._cloud.cache_clear()
    try:
        assert command.main([str(ROOT / "s.yaml")]) == 2
    finally:
        serverless._cloud.cache_clear()
    assert "make deploy-tools" in capsys.readouterr().err


def test_what_the_environment_lacks_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OSS_BUCKET")
    assert command.main([str(ROOT / "s.yaml")]) == 0
    assert "OSS_BUCKET is not set" in capsys.readouterr().err
