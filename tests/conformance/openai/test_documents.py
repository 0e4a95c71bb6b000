"""The program of docs/openai.md runs as it is written, against `api`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conformance.laptop import REPOSITORY, Laptop
from tests.kit.documents import Block, read_blocks

SECONDS = 90
BLOCKS = [one for one in read_blocks("docs/openai.md") if one.run_by.endswith("test_documents.py")]


def test_there_is_such_a_program() -> None:
    assert BLOCKS


@pytest.mark.parametrize("block", BLOCKS, ids=[block.where for block in BLOCKS])
def test_the_program_ends_with_an_image(block: Block, laptop: Laptop) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block.body],
        cwd=REPOSITORY,
        env=os.environ | laptop.env,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http")
