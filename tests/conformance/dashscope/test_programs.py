"""The API documents' own Python programs run unchanged against the service and against `api`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conformance.dashscope.images import ImageHost
from tests.conformance.dashscope.runs import Runs, pictures_of, printed_by
from tests.conformance.laptop import Laptop

PROGRAMS = Path(__file__).with_name("programs")
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


@pytest.fixture(scope="module")
def runs(
    laptop: Laptop, images: ImageHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    texts = {variant: _text(variant) for variant in VARIANTS}
    all_runs = Runs(texts, laptop, images, tmp_path_factory.mktemp("programs"))
    yield all_runs
    all_runs.stop()


@pytest.mark.parametrize("variant", VARIANTS)
def test_program_behaves_alike_on_both(variant: str, runs: Runs) -> None:
    printed = [printed_by(run.process) for run in runs.of(variant)]

    made = [pictures_of(run.folder) for run in runs.of(variant)]
    assert made[0] == made[1], "the images differ in number, format or size"
    assert len(made[0]) == 1
    assert "SUCCEEDED" in printed[0]
    assert printed[1] == printed[0]


def _text(variant: str) -> str:
    """The program with the variant's changes."""
    name, changes = VARIANTS[variant]
    text = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, f"{name}.py holds {old!r} not exactly once"
        text = text.replace(old, new)
    return text
