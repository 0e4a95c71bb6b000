"""Exit codes, help, and what a wrong command line is answered with."""

from __future__ import annotations

import pytest

from cli.help import OTHER_NAMES
from cli.main import wanx
from shared.catalogue.files import load_file
from tests.kit.wanx import run


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["list"], 3, "no bucket and no API is known"),
        (["--api", "http://127.0.0.1:1", "--token", "t", "list"], 3, "could not be reached"),
        (["--api", "http://127.0.0.1:1", "list"], 3, "needs a token"),
        (["--api", "ftp://x", "--token", "t", "list"], 3, "write http:// or https://"),
        (["list", "--state", "SUCEEDED"], 2, "did you mean SUCCEEDED"),
        (["list", "--model", "nope"], 2, "the models are"),
        (["list", "--since", "yesterday"], 2, "write 30m, 2h, 3d"),
        (["nonsense"], 2, "No such command"),
        (["events"], 2, "No such command 'events'. Did you mean 'logs'?"),
        (["statsu"], 2, "No such command 'statsu'. Did you mean 'status'?"),
        (["repair"], 3, "no bucket and no API is known"),
        (["redrive"], 3, "no bucket and no API is known"),
        (["resume", "--key"], 3, "no bucket and no API is known"),
        (["--api", "http://127.0.0.1:1", "repair"], 3, "works on the bucket, not over the HTTP"),
        (["doctor"], 1, "start the laptop cloud: wanx up"),
    ],
)
def test_what_is_wrong_is_said_in_words(words: list[str], code: int, said: str) -> None:
    assert said in " ".join(run(*words, code=code).split())


def test_other_names_are_of_commands_that_there_are_and_none_is_ours() -> None:
    table = load_file(OTHER_NAMES)
    others = [other for row in table.values() for other in row]
    assert set(table) <= set(wanx.commands)
    assert len(set(others)) == len(others)
    assert not set(others) & set(wanx.commands)


def test_exit_codes_are_documented() -> None:
    said = run("--help")
    assert all(f"\n    {code:<5}" in said for code in (0, 1, 2, 3, 130))


@pytest.mark.parametrize("name", [name for name in wanx.commands if name != "up"])
def test_help_fits_a_terminal(name: str) -> None:
    for words in (["--help"], [name, "--help"]):
        assert max(map(len, run(*words).splitlines())) <= 80
