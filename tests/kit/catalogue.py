"""Model files with something changed in them."""

from __future__ import annotations

from pathlib import Path

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Limits
from tests.kit.jobfile import SKETCH


def change(folder: Path, old: str, new: str, model: str = SKETCH) -> Path:
    path = folder / "models" / f"{model}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def limits_of(model: str) -> Limits:
    """The limits of a model of the repository."""
    known = load_catalogue().get(model)
    assert known is not None, f"{model} is not in the catalogue"
    return known.limits
