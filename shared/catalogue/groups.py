"""The models by what goes in: pictures, pictures or words, words alone; the ended ones last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalogue.models import Model


@dataclass(frozen=True)
class Group:
    """Models that are listed together, the place among the groups, and what they are for."""

    name: str
    order: int
    en: str
    zh: str


EDIT = Group("edit", 1, "Change pictures", "修改图片")
BOTH = Group("both", 2, "From words, with or without pictures", "用文字生成，可附图片")
WORDS = Group("words", 3, "From words", "用文字生成")
DEAD = Group("dead", 4, "Trial only or retired", "仅限试用或已下线")
GROUPS = (EDIT, BOTH, WORDS, DEAD)
"""In the order in which they are listed."""


def group_of(model: Model) -> Group:
    """Where a model is listed."""
    if model.status is not None and model.status.is_over:
        return DEAD
    pictures = {rule.at.removesuffix("/*") for rule in model.images}
    if not pictures:
        return WORDS
    return EDIT if pictures & set(_needed(model, pictures)) else BOTH


def _needed(model: Model, pictures: set[str]) -> Iterator[str]:
    """Fields that must be given, be it under a condition, or instead of another picture."""
    yield from (f"/input/{name}" for name in model.input_schema.get("required", ()))
    for rule in model.rules:
        named = _named(rule)
        if rule["kind"] == "required_if" or (rule["kind"] == "any_of" and named <= pictures):
            yield from named


def _named(rule: Mapping[str, Any]) -> set[str]:
    at = rule["at"]
    return set(at) if isinstance(at, list) else {str(at)}
