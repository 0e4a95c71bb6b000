"""The API documents' own Python programs run unchanged against the service and against `api`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.conformance.dashscope.images import ImageHost, saved
from tests.conformance.dashscope.sdk import normal
from tests.conformance.laptop import Laptop, Side

PROGRAMS = Path(__file__).with_name("programs")
SECONDS = 90
AHEAD = 4
_ALICDN = "https://img.alicdn.com/imgextra"
_VALIDATION = "http://synthesis-source.oss-accelerate.aliyuncs.com/lingji/validation/mask2img/demo"
_SKETCHES = "https://help-static-aliyun-doc.aliyuncs.com/assets/img/zh-CN/6609471071"
# The documents' addresses, and the pictures of the same sort that stand in for them here.
ADDRESSES = {
    f"{_VALIDATION}/source3.jpg": "source3.jpg",
    f"{_VALIDATION}/glasses.png": "glasses.png",
    f"{_SKETCHES}/p743851.jpg": "p743851.jpg",
    f"{_ALICDN}/i3/O1CN0157XGE51l6iL9441yX_!!6000000004770-49-tps-1104-1472.webp": (
        "alarm-clock.webp"
    ),
    f"{_ALICDN}/i3/O1CN01SfG4J41UYn9WNt4X1_!!6000000002530-49-tps-1696-960.webp": (
        "dining-table.webp"
    ),
}
SERVICE = "https://dashscope-intl.aliyuncs.com/api/v1"
# What the program's own comments say to change for the other two ways of giving an image.
VARIANTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    **{path.stem: (path.stem, {}) for path in sorted(PROGRAMS.glob("*.py"))},
    "editing_reference_sync, local files": (
        "editing_reference_sync",
        {
            '# image_url_1 = "file://" + "./image_1.png"': 'image_url_1 = "file://./image_1.png"',
            '# image_url_2 = "file://" + "./image_2.png"': 'image_url_2 = "file://./image_2.png"',
        },
    ),
    "editing_reference_sync, base64": (
        "editing_reference_sync",
        {
            '# image_url_1 = encode_file("./image_1.png")': (
                'image_url_1 = encode_file("./image_1.png")'
            ),
            '# image_url_2 = encode_file("./image_2.png")': (
                'image_url_2 = encode_file("./image_2.png")'
            ),
        },
    ),
}


@dataclass
class Run:
    """A program under way in a folder of its own."""

    folder: Path
    process: subprocess.Popen[str]


class Runs:
    """Every program, run once on each side; a few are under way ahead of the test."""

    def __init__(self, laptop: Laptop, images: ImageHost, folder: Path) -> None:
        self._laptop, self._images, self._folder = laptop, images, folder
        self._started: dict[str, list[Run]] = {}

    def of(self, variant: str) -> list[Run]:
        """The runs of one program, in the sides' order."""
        names = list(VARIANTS)
        first = names.index(variant)
        for name in names[first : first + AHEAD]:
            if name not in self._started:
                self._started[name] = [self._start(name, side) for side in self._laptop.sides]
        return self._started[variant]

    def _start(self, variant: str, side: Side) -> Run:
        return _start(variant, side, self._images, self._folder / variant / side.name)

    def stop(self) -> None:
        """End what is still under way."""
        for run in (run for both in self._started.values() for run in both):
            run.process.kill()
            run.process.communicate()


@pytest.fixture(scope="module")
def runs(
    laptop: Laptop, images: ImageHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    all_runs = Runs(laptop, images, tmp_path_factory.mktemp("programs"))
    yield all_runs
    all_runs.stop()


@pytest.mark.parametrize("variant", VARIANTS)
def test_program_behaves_alike_on_both(variant: str, runs: Runs) -> None:
    printed = [_printed(run.process) for run in runs.of(variant)]

    made = [_pictures(run.folder) for run in runs.of(variant)]
    assert made[0] == made[1], "the images differ in number, format or size"
    assert len(made[0]) == 1
    assert "SUCCEEDED" in printed[0]
    assert printed[1] == printed[0]


def _start(variant: str, side: Side, images: ImageHost, folder: Path) -> Run:
    for name in ("image_1.png", "image_2.png"):
        saved(name, folder / "inputs").rename(folder / name)
    program = folder / "program.py"
    program.write_text(_text(variant, side, images), encoding="utf-8")
    environ = {
        **os.environ,
        "DASHSCOPE_HTTP_BASE_URL": side.url,
        "DASHSCOPE_API_KEY": side.key,
        "PYTHONIOENCODING": "utf-8",
    }
    process = subprocess.Popen(
        [sys.executable, program.name],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    return Run(folder, process)


def _text(variant: str, side: Side, images: ImageHost) -> str:
    """The program with this side's address, our pictures and the variant's changes."""
    name, changes = VARIANTS[variant]
    text = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, f"{name}.py holds {old!r} not exactly once"
        text = text.replace(old, new)
    for address, picture in ADDRESSES.items():
        text = text.replace(address, images.url(picture))
    return text.replace(SERVICE, side.url)


def _printed(process: subprocess.Popen[str]) -> str:
    """What the program printed, once it has ended well."""
    printed, complaint = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, complaint or printed
    return normal(printed)


def _pictures(folder: Path) -> list[tuple[str | None, tuple[int, int]]]:
    """Format and size of every image the program wrote."""
    found = []
    for path in folder.iterdir():
        if path.suffix == ".png" and not path.name.startswith("image_"):
            with Image.open(path) as picture:
                picture.load()
                found.append((picture.format, picture.size))
    return sorted(found, key=str)
