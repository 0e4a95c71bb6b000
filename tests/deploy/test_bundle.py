"""web/build is what esbuild makes of web/js and web/css, to the byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy import bundle
from deploy.template.generated import ROOT

WEB = ROOT / "web"


def texts(web: Path) -> dict[str, str]:
    return {path.name: text for path, text in bundle.bundled(web).items()}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return shutil.copytree(WEB, tmp_path / "elsewhere")


def test_what_is_kept_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert bundle.main(["--check"]) == 0, capsys.readouterr().err


def test_the_same_sources_make_the_same_bytes_in_every_folder(copied: Path) -> None:
    shutil.rmtree(copied / "build")
    kept = {one.name: one.read_text("utf-8") for one in (WEB / "build").iterdir()}
    assert texts(copied) == kept


@pytest.mark.parametrize(
    ("source", "more", "made"),
    [
        ("js/words/zh.js", "document.title = '新';", "page.js"),
        ("css/jobs.css", "#new { margin: 0 }", "page.css"),
    ],
)
def test_a_changed_source_changes_what_is_made_of_it(
    copied: Path, source: str, more: str, made: str
) -> None:
    with (copied / source).open("a", encoding="utf-8") as file:
        file.write(more)
    before, after = texts(WEB), texts(copied)
    assert [name for name in before if after[name] != before[name]] == [made]


def test_a_stale_file_says_which_command_makes_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bundle, "bundled", lambda web: {web / "build" / "page.js": "newer"})
    assert bundle.main(["--check"]) == 1
    error = capsys.readouterr().err
    assert "web/build/page.js" in error
    assert "make page" in error


def test_a_mistake_is_shown_with_file_and_line(copied: Path) -> None:
    (copied / "js" / "theme.js").write_text('import { nothing } from "./dom.js";\nnothing(;\n')
    with pytest.raises(bundle.BundleError, match=r"js/theme\.js:2:"):
        bundle.bundled(copied)


def test_a_name_that_no_module_has_is_refused(copied: Path) -> None:
    with (copied / "js" / "theme.js").open("a") as file:
        file.write('import { nothing } from "./dom.js";\nnothing();\n')
    with pytest.raises(bundle.BundleError, match="nothing"):
        bundle.bundled(copied)
