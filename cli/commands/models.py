"""`wanx models`: what the catalogue knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click
from rich.text import Text

from cli import model_words as words
from cli.commands.init import find_model
from cli.output import clean, facts, print_json, print_table, say, table, wrapped
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import ImageRule, Model


def run(name: str | None, as_json: bool) -> None:
    """Print one model or all of them."""
    found = [find_model(name)] if name else load_catalogue().offered()
    if as_json:
        shown = [_as_json(model) for model in found]
        print_json(shown[0] if name else shown)
    elif name:
        _print_one(found[0])
    else:
        _print_all(found)


def _print_all(models: list[Model]) -> None:
    rows = [("model", "mode", "an image", "limits")]
    rows += [(one.name, one.mode, words.price(one), words.limits(one.limits)) for one in models]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = [[], *([one.description, words.status(one)] for one in models)]
    for row, below in zip(rows, told, strict=True):
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
        for text in filter(None, below):
            click.echo("\n".join(wrapped(f"  {text}", indent="  ")))
    say("\nMore: wanx models NAME. A job file to fill in: wanx init NAME.")


def _print_one(model: Model) -> None:
    price, region = model.price, model.regions[0]
    here = price.in_region(region)
    free = f"; the first {here.free_images} images are free" if here.free_images else ""
    cost = words.tiers(here, price.currency) if price.payable else words.price(model)
    facts(
        [
            ("model", model.name),
            ("title", f"{model.title}, {model.title_zh}"),
            ("does", model.description),
            ("status", words.status(model)),
            ("mode", words.MODES[model.mode]),
            ("regions", ", ".join(model.regions)),
            ("an image", f"{cost}{free} (read on {price.checked})"),
            ("limits", words.limits(model.limits)),
            *((f"in {name}", text) for name, text in words.of_regions(model)),
            ("takes", f"about {model.typical_seconds:g} s"),
            *(("note", notice.en) for notice in model.remarks()),
        ]
    )
    for title, schema in (("input", model.input_schema), ("parameters", model.parameters_schema)):
        click.echo(f"\n{title}")
        _print_fields(schema)
    click.echo("\nimages")
    facts([(rule.at.removeprefix("/input/"), _image(rule)) for rule in model.images])
    click.echo(f"\nA job file to fill in: wanx init {model.name}")


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
        parts.append(f"One of {words.choices(field)}.")
    if "minimum" in field and "maximum" in field:
        parts.append(f"From {field['minimum']} to {field['maximum']}.")
    if "x-truncated-after" in field:
        parts.append(f"At most {field['x-truncated-after']} characters are read.")
    default = field.get("default")
    if default not in (None, []):
        parts.append(f"Default: {str(default).lower() if default in (True, False) else default}.")
    return " ".join(parts)


def _image(rule: ImageRule) -> str:
    bounds = f"each side {rule.side.words()} pixels"
    inline = "inline data taken" if rule.inline else "no inline data"
    same = f"; as large as {rule.same_size_as.removeprefix('/input/')}" if rule.same_size_as else ""
    size = f"at most {rule.max_bytes // (1024 * 1024)} MB"
    return f"{', '.join(rule.accept)}; {bounds}; {size}; {inline}{same}"


def _as_json(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": {"en": model.title, "zh": model.title_zh},
        "description": model.description,
        "status": asdict(model.status) if model.status else None,
        "regions": list(model.regions),
        "input": model.input_schema,
        "parameters": model.parameters_schema,
        "mode": model.mode,
        "ids": model.ids,
        "limits": asdict(model.limits),
        "price": asdict(model.price),
        "typical_seconds": model.typical_seconds,
        "notices": [notice.en for notice in model.remarks()],
    }
