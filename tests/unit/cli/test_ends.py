"""How the process ends: a closed pipe, a full disk, Ctrl-C, names in no encoding."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "cli"]
TABLE = ["models"]


def environ(**more: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def ended(*words: str | bytes, **more: object) -> subprocess.CompletedProcess[str]:
    given = {"capture_output": True, "text": True, "env": environ(), "timeout": 30, **more}
    return subprocess.run([*COMMAND, *words], check=False, **given)  # type: ignore[call-overload, no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize("words", [["models"], ["--help"], ["schema"], ["models", "--json"]])
def test_a_reader_that_has_gone_ends_it_quietly(words: list[str]) -> None:
    for early in (True, False):
        reading, writing = os.pipe()
        if early:
            os.close(reading)
        process = subprocess.Popen(
            [*COMMAND, *words], stdout=writing, stderr=subprocess.PIPE, env=environ(), text=True
        )
        os.close(writing)
        if not early:
            os.read(reading, 1)
            os.close(reading)
        _, err = process.communicate(timeout=30)
        assert err == ""
        assert process.returncode == 141 if early else process.returncode in (0, 141)


@pytest.mark.slow
@pytest.mark.parametrize("words", [["models"], ["--help"], ["schema"]])
def test_a_full_disk_is_told(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = ended(*words, stdout=full, capture_output=False, stderr=subprocess.PIPE)
    assert done.returncode == 3
    assert done.stderr == "Error: the output could not be written: No space left on device.\n"
    with Path("/dev/full").open("w") as full:
        assert ended(*words, stdout=full, stderr=full, capture_output=False).returncode == 3


@pytest.mark.slow
def test_output_that_is_closed_from_the_start_is_no_mistake() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "models"],
        capture_output=True,
        text=True,
        env=environ(),
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "mistake" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [["check"], ["submit"], ["--env"], ["init", "m", "--out"]])
def test_a_file_whose_name_is_not_utf8_is_told(words: list[str], tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.yaml"
    with open(path, "w") as file:
        file.write("model: nope\n")
    done = ended(*words, path)
    assert done.returncode == 2
    assert "is not UTF-8; rename it" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_text_that_the_terminal_cannot_show_is_escaped(locale: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("model: 猫\n", "utf-8")
    for encoding in ("ascii", "utf-8"):
        done = ended("check", str(path), env=environ(LC_ALL=locale, PYTHONIOENCODING=encoding))
        assert done.returncode == 1, done.stderr
        assert done.stderr == ""


@pytest.mark.slow
def test_an_argument_in_no_encoding_is_no_mistake() -> None:
    for words in (["status"], ["models"], ["logs"], ["init"], ["retry"]):
        where = [] if words[0] in ("models", "init") else ["--api", "http://127.0.0.1:1"]
        done = ended(*where, *(["--token", "t"] if where else []), *words, b"\xff")
        assert done.returncode in (1, 2, 3)
        assert "mistake" not in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [["list"], ["status", "cat"], ["repair"], ["doctor"]])
def test_an_endpoint_that_cannot_be_one_is_no_mistake(words: list[str]) -> None:
    where = {"OSS_ENDPOINT": f"http://{'a' * 70}.example", "OSS_BUCKET": "bucket"}
    keys = {"OSS_REGION": "cn-beijing", "OSS_ACCESS_KEY_ID": "x", "OSS_ACCESS_KEY_SECRET": "y"}
    done = ended(*words, env=environ(**where, **keys))
    assert done.returncode in (1, 3)
    assert "mistake" not in done.stderr
    assert "a" * 70 in done.stderr + done.stdout


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_ctrl_c_while_it_starts_prints_no_traceback() -> None:
    for milliseconds in (5, 10, 15, 20, 25, 30, 35, 40, 50, 75, 100, 150, 200, 300):
        process = subprocess.Popen(
            [ROOT / "wanx", "models"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environ(),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert "Traceback" not in err, (milliseconds, err)
        assert process.returncode in (0, 130, -signal.SIGINT), err
