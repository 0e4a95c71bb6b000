"""`wanx models`: what the catalogue knows."""

from __future__ import annotations

import json

from shared.catalogue.model_file import load_catalogue
from tests.kit.wanx import run

MODELS = load_catalogue().names()


def test_models_are_shown() -> None:
    every = run("models")
    assert all(name in every for name in MODELS)
    assert max(map(len, every.splitlines())) <= 80
    for name in MODELS:
        one = run("models", name)
        model = load_catalogue().get(name)
        assert model is not None
        assert all(key in one for key in model.input_schema["properties"])
        assert all(key in one for key in model.parameters_schema["properties"])
        assert max(map(len, one.splitlines())) <= 80
        assert json.loads(run("models", name, "--json"))["name"] == name
