"""Every code block of the documents runs as it is written, against the laptop cloud.

The blocks of a document run in order, in a folder that looks like a fresh checkout beside a
`make up`; tests/kit/documents.py says how a block is marked that cannot run there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import HIDDEN, ROOT, Cloud
from tests.kit.documents import DOCUMENTS, RUN_ON_LAPTOP, Block, read_blocks

PATIENCE = 60
LEFT_OUT = {".git", ".local", "build", "results"}
PORT = re.compile(r"127\.0\.0\.1:\d+")


@dataclass
class Checkout:
    """The repository as symbolic links, with the laptop cloud's data as `.local`."""

    folder: Path
    environ: dict[str, str]

    def run(self, block: Block, *command: str) -> str:
        """What the command prints, errors included; it must end well."""
        done = self.bash(*command)
        assert done.returncode == 0, f"{block.where}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def bash(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@pytest.fixture
def checkout(cloud: Cloud, tmp_path: Path) -> Checkout:
    home, folder = tmp_path / "home", tmp_path / "checkout"
    for made in (home, folder):
        made.mkdir()
    for path in ROOT.iterdir():
        if path.name not in LEFT_OUT:
            (folder / path.name).symlink_to(path)
    (folder / ".local").symlink_to(cloud.data)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(HIDDEN)}
    return Checkout(folder, {**kept, "HOME": str(home), "TZ": "UTC", "COLUMNS": "80"})


def run_shell(block: Block, checkout: Checkout) -> None:
    checkout.run(block, "bash", "-euo", "pipefail", "-c", block.body)


def run_session(block: Block, checkout: Checkout) -> None:
    """Each command prints what is shown below it; `…` stands for anything, ports are any."""
    for command, expected in commands_of(block.body):
        printed = checkout.bash("bash", "-c", command).stdout.rstrip()
        pattern = ".*?".join(map(re.escape, PORT.sub("PORT", expected).split("…")))
        found = re.fullmatch(pattern, PORT.sub("PORT", printed), re.DOTALL)
        assert found, f"{block.where}: {command}\n--- expected\n{expected}\n--- printed\n{printed}"


def run_python(block: Block, checkout: Checkout) -> None:
    """With address, token and the client's folder exported, as the documents say."""
    program = checkout.folder / "program.py"
    program.write_text(block.body, "utf-8")
    exported = "set -a; . .local/env; PYTHONPATH=clients/python; set +a; exec"
    checkout.run(block, "bash", "-ec", f'{exported} "$0" program.py', sys.executable)


def check_job_file(block: Block, checkout: Checkout) -> None:
    name = f"block-{block.line}.{block.kind}"
    (checkout.folder / name).write_text(block.body, "utf-8")
    assert "0 violations" in checkout.run(block, "./wanx", "check", name)


RUNNERS: dict[str, Callable[[Block, Checkout], None]] = {
    "console": run_session,
    "json": check_job_file,
    "python": run_python,
    "sh": run_shell,
    "yaml": check_job_file,
}


def commands_of(session: str) -> Iterator[tuple[str, str]]:
    """The commands after `$`, each with what it printed."""
    assert session.startswith("$ "), f"a session begins with a command after `$ `: {session}"
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed.rstrip()


def to_run(document: str) -> list[Block]:
    return [block for block in read_blocks(document) if not block.is_marked]


# A Chinese page has the English one's commands: tests/unit/test_documents.py sees to it.
@pytest.mark.parametrize(
    "document", [name for name in DOCUMENTS if not name.endswith(".zh.md") and to_run(name)]
)
def test_the_blocks_of_a_document_run_as_written(document: str, checkout: Checkout) -> None:
    for block in to_run(document):
        RUNNERS[block.kind](block, checkout)


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
def test_the_first_example_of_http_waits_for_its_images(shell: str, checkout: Checkout) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    block = to_run("docs/http.md")[0]
    job = f"cottage-by-{shell}"
    for _ in range(2):  # somebody tries it once more
        checkout.run(block, shell, "-ec", block.body.replace("my-cottage", job))
    images = (checkout.folder / ".local" / job).glob("image-*.png")
    assert [path.read_bytes()[:4] for path in images] == [b"\x89PNG"] * 2


def test_there_is_a_runner_for_every_kind_that_needs_no_mark() -> None:
    assert RUNNERS.keys() == RUN_ON_LAPTOP


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("sh", "false\ntrue"),
        ("sh", "echo $NOT_SET"),
        ("console", "$ echo one\ntwo"),
        ("python", "raise SystemExit(1)"),
        ("yaml", "model: nope\ninput: {}"),
        ("json", '{"model": "wan2.5-i2i-preview", "input": {}}'),
    ],
)
def test_a_block_that_is_wrong_is_found(kind: str, body: str, checkout: Checkout) -> None:
    with pytest.raises(AssertionError, match=r"made-up\.md:7"):
        RUNNERS[kind](Block("made-up.md", 7, kind, body), checkout)
