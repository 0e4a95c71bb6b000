"""Programs of other people's sort, each run as a process of its own on both sides."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.conformance.dashscope.images import ImageHost, saved
from tests.conformance.dashscope.sdk import normal
from tests.conformance.laptop import Laptop, Side

SECONDS = 90
AHEAD = 4
_ALICDN = "https://img.alicdn.com/imgextra"
_VALIDATION = "http://synthesis-source.oss-accelerate.aliyuncs.com/lingji/validation/mask2img/demo"
_VISION = "vision-poster.oss-cn-shanghai.aliyuncs.com/lllcho.lc/data/test_data/images"
_STYLES = "https://vigen-video.oss-cn-shanghai.aliyuncs.com/demo_image"
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
    f"https://{_VISION}/main_images/new_main_img/a.png": "cut-out.png",
    f"http://{_VISION}/ref_images/c5e50d27be534709817b2ab080b0162f_0.jpg": "source3.jpg",
    (
        f"https://{_VISION}/huaban_soft_edge/"
        "6cdd13941cef1b11d885aea1717b983ae566b8efc9094-vcsvxa_fw658webp.png"
    ): "edge.png",
    (
        f"http://{_VISION}/ref_edge/"
        "2c36cc4b7da027279e87311dac48fc2d5d784b1e72c0e-x4f1wC_fw658webp.png"
    ): "edge.png",
    (
        f"http://{_VISION}/ref_edge/"
        "0718a9741e07c52ca5506e75c4f2b99e22fff68a4c7d3-P9WGLr_fw658webp.png"
    ): "edge.png",
    f"{_STYLES}/image_demo_input.png": "image_1.png",
    f"{_STYLES}/input_example.png": "image_2.png",
    f"{_STYLES}/style_example.png": "image_1.png",
    "https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250626": "tryon",
}
SERVICE = "https://dashscope-intl.aliyuncs.com/api/v1"


@dataclass
class Run:
    """A program under way in a folder of its own."""

    folder: Path
    process: subprocess.Popen[str]


class Runs:
    """Every program, run once on each side; a few are under way ahead of the test.

    `texts`: the programs by name, with the documents' addresses in them.
    """

    def __init__(
        self, texts: Mapping[str, str], laptop: Laptop, images: ImageHost, folder: Path
    ) -> None:
        self._texts, self._laptop, self._images, self._folder = texts, laptop, images, folder
        self._started: dict[str, list[Run]] = {}

    def of(self, name: str) -> list[Run]:
        """The runs of one program, in the sides' order."""
        names = list(self._texts)
        first = names.index(name)
        for one in names[first : first + AHEAD]:
            if one not in self._started:
                self._started[one] = [self._start(one, side) for side in self._laptop.sides]
        return self._started[name]

    def _start(self, name: str, side: Side) -> Run:
        text = self._texts[name]
        for address, picture in ADDRESSES.items():
            text = text.replace(address, self._images.url(picture))
        return _start(text.replace(SERVICE, side.url), side, self._folder / name / side.name)

    def stop(self) -> None:
        """End what is still under way."""
        for run in (run for both in self._started.values() for run in both):
            run.process.kill()
            run.process.communicate()


def _start(text: str, side: Side, folder: Path) -> Run:
    for name in ("image_1.png", "image_2.png"):
        saved(name, folder / "inputs").rename(folder / name)
    program = folder / "program.py"
    program.write_text(text, encoding="utf-8")
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


def printed_by(process: subprocess.Popen[str]) -> str:
    """What the program printed, once it has ended well."""
    printed, complaint = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, complaint or printed
    return normal(printed)


def pictures_of(folder: Path) -> list[tuple[str | None, tuple[int, int]]]:
    """Format and size of every image the program wrote."""
    found = []
    for path in folder.iterdir():
        if path.suffix in (".png", ".jpg") and not path.name.startswith("image_"):
            with Image.open(path) as picture:
                picture.load()
                found.append((picture.format, picture.size))
    return sorted(found, key=str)
