"""`wanx` speaks Chinese where the environment asks for it, and English to programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from cli.language import is_chinese, said, tell
from cli.main import main
from cli.output import wrapped
from tests.kit.wanx import run

ROOT = Path(__file__).resolve().parents[3]
WRONG = "model: wanx-sketch-to-image-lite\ninput: {prompt: a house}\nparameters: {n: 9}\n"


@pytest.fixture()
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "zh_TW"}, True),
        ({"LC_MESSAGES": "zh_CN", "LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, True),
        ({}, False),
    ],
)
def test_the_first_variable_that_is_set_decides(environ: dict[str, str], expected: bool) -> None:
    assert is_chinese(environ) is expected


@pytest.mark.usefixtures("chinese")
def test_a_check_is_said_in_chinese(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG, "utf-8")
    shown = run("check", str(file), code=1)
    assert "错误: /parameters/n：超出取值范围；应为 1 至 4 的整数" in shown
    assert "1 个文件，1 个任务：2 处问题，0 条提示。" in shown
    assert "out of range" not in shown


@pytest.mark.usefixtures("chinese")
def test_programs_get_both_languages_and_sarif_is_english(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG, "utf-8")
    found = json.loads(run("check", "--format", "json", str(file), code=1))
    one = found["files"][0]["violations"][-1]
    assert one["message"].startswith("at /parameters/n: this is out of range")
    assert one["message_zh"].startswith("/parameters/n：超出取值范围")
    assert "超出" not in run("check", "--format", "sarif", str(file), code=1)


@pytest.mark.usefixtures("chinese")
def test_errors_are_said_in_chinese() -> None:
    command = [sys.executable, "-m", "cli", "--api", "http://127.0.0.1:9", "--token", "t"]
    done = subprocess.run([*command, "status", "cat"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 3
    assert done.stderr.startswith("错误：无法连接 http://127.0.0.1:9")


def test_english_stays_english() -> None:
    assert tell("Nothing was submitted.") == "Nothing was submitted."
    assert said({"message": "The job is QUEUED."}) == "The job is QUEUED."


@pytest.mark.usefixtures("chinese")
def test_each_line_keeps_its_place() -> None:
    assert tell("\nTo download:\n  wanx get cat") == "\n下载：\n  wanx get cat"


def test_chinese_lines_fit_the_terminal_and_do_not_begin_with_a_stop() -> None:
    text = "缺少必填的键；" * 12 + " [任务文件格式]"
    lines = wrapped(text, 40, "    ")
    assert all(cell_len(line) <= 42 for line in lines)  # a stop may hang over
    assert not any(line.strip()[0] in "；]" for line in lines)
    assert "".join(line.strip() for line in lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("words", [(), ("list",), ("erase",), ("webhooks",), ("verify-cloud",)])
def test_help_is_said_in_chinese_and_fits_80_columns(words: tuple[str, ...]) -> None:
    lines = run(*words, "--help").splitlines()
    assert lines[0].startswith("用法：wanx")
    assert "选项：" in lines
    assert all(cell_len(line) <= 81 for line in lines)  # a stop may hang over


@pytest.mark.usefixtures("chinese")
def test_the_columns_of_help_stand_below_each_other() -> None:
    lines = run("--help").splitlines()
    rows = [line for line in lines if re.match(r"  [a-z-]+  ", line)]
    starts = {re.match(r"  [a-z-]+ +", line).end() for line in rows}  # type: ignore[union-attr]
    assert len(rows) > 20 and len(starts) == 1


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense",), "错误：没有命令 'nonsense'。"),
        (("get",), "错误：缺少参数 'JOB...'。"),
        (("list", "--limit", "0"), "错误：'--limit' 的值无效：0 不在 1<=x<=10000 的范围内。"),
        (("list", "--lim"), "错误：没有选项 '--lim'。您是否想写 '--limit'？"),
        (
            ("list", "--state", "RUNING"),
            "错误：--state 的值无效：没有 RUNING 这一状态；您是否想写 RUNNING？",
        ),
    ],
)
def test_a_wrong_command_line_is_said_in_chinese(
    words: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["wanx", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert shown.startswith("用法：wanx") and said in shown


@pytest.mark.usefixtures("chinese")
def test_a_job_file_to_fill_in_is_commented_in_chinese_and_in_order(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(run("init", "wan2.7-image"), "utf-8")
    assert "# 供本系统使用的设置，均为可选。" in file.read_text("utf-8")
    assert "0 处问题" in run("check", str(file))


@pytest.mark.usefixtures("chinese")
def test_what_stands_for_programs_is_the_same_in_every_language() -> None:
    found = json.loads(run("models", "wan2.7-image", "--json"))
    assert found["description"].isascii()
