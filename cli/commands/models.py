"""`wanx models`: what the catalogue knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from cli.commands.init import find_model
from cli.output import clean, facts, print_json, print_table, say, table
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import ImageRule, Limits, Model


def run(name: str | None, as_json: bool) -> None:
    """Print one model or all of them."""
    found = [find_model(name)] if name else load_catalogue().models()
    if as_json:
        shown = [_as_json(model) for model in found]
        print_json(shown[0] if name else shown)
    elif name:
        _print_one(found[0])
    else:
        _print_all(found)


def _print_all(models: list[Model]) -> None:
    shown = table("model", "what it does", "price an image")
    shown.columns[0].no_wrap = True
    shown.columns[1].no_wrap = False
    for model in models:
        shown.add_row(model.name, model.description, _price(model))
    print_table(shown)
    say("\nMore: wanx models NAME. A job file to fill in: wanx init NAME.")


def _price(model: Model) -> str:
    if not model.price.payable:
        return "free trial"
    return f"{model.price.currency} {model.price.per_image:.2f}"


def _print_one(model: Model) -> None:
    limits, price = model.limits, model.price
    free = f"; the first {price.free_images} images are free" if price.free_images else ""
    facts(
        [
            ("model", model.name),
            ("title", f"{model.title}, {model.title_zh}"),
            ("does", model.description),
            ("regions", ", ".join(model.regions)),
            ("price", f"{_price(model)} an image{free} (read on {price.checked})"),
            ("limits", f"{limits.submissions} submissions in {limits.per_seconds:g} s, "
                       f"{_at_once(limits)}"),
            ("takes", f"about {model.typical_seconds:g} s"),
            *(("note", notice.en) for notice in model.remarks()),
        ]
    )  # fmt: skip
    for title, schema in (("input", model.input_schema), ("parameters", model.parameters_schema)):
        click.echo(f"\n{title}")
        _print_fields(schema)
    click.echo("\nimages")
    facts([(rule.at.removeprefix("/input/"), _image(rule)) for rule in model.images])
    click.echo(f"\nA job file to fill in: wanx init {model.name}")


def _at_once(limits: Limits) -> str:
    return f"{limits.concurrent} at once" if limits.concurrent else "any number at once"


def _print_fields(schema: Mapping[str, Any]) -> None:
    shown = table("name", "meaning")
    shown.columns[0].no_wrap = True
    shown.columns[1].no_wrap = False
    shown.show_header = False
    for name, field in schema["properties"].items():
        mark = "*" if name in schema.get("required", ()) else ""
        shown.add_row(f"  {name}{mark}", Text(clean(_meaning(field))))
    print_table(shown)
    if schema.get("required"):
        click.echo("  * must be given")


def _meaning(field: Mapping[str, Any]) -> str:
    parts = [str(field.get("description", ""))]
    if "enum" in field:
        parts.append(f"One of {', '.join(map(str, field['enum']))}.")
    if "minimum" in field and "maximum" in field:
        parts.append(f"From {field['minimum']} to {field['maximum']}.")
    if "x-truncated-after" in field:
        parts.append(f"At most {field['x-truncated-after']} characters are read.")
    default = field.get("default")
    if default not in (None, []):
        parts.append(f"Default: {str(default).lower() if default in (True, False) else default}.")
    return " ".join(parts)


def _image(rule: ImageRule) -> str:
    side = rule.side
    words = ("above", "below") if side.exclusive else ("from", "to")
    bounds = f"each side {words[0]} {side.smallest} {words[1]} {side.largest} pixels"
    inline = "inline data taken" if rule.inline else "no inline data"
    same = f"; as large as {rule.same_size_as.removeprefix('/input/')}" if rule.same_size_as else ""
    size = f"at most {rule.max_bytes // (1024 * 1024)} MB"
    return f"{', '.join(rule.accept)}; {bounds}; {size}; {inline}{same}"


def _as_json(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": {"en": model.title, "zh": model.title_zh},
        "description": model.description,
        "status": None if model.status is None else model.status.state,
        "regions": list(model.regions),
        "input": model.input_schema,
        "parameters": model.parameters_schema,
        "price": {
            "currency": model.price.currency,
            "per_image": model.price.per_image,
            "free_images": model.price.free_images,
            "payable": model.price.payable,
            "checked": model.price.checked,
        },
        "typical_seconds": model.typical_seconds,
        "notices": [notice.en for notice in model.remarks()],
    }
