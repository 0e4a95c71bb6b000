"""`wanx models`: what the catalogue knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click
from rich.text import Text

from cli import model_words as words
from cli.commands.init import find_model
from cli.output import clean, facts, print_json, print_table, say, table, wrapped
from shared.catalogue.groups import GROUPS, group_of
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue, ImageRule, Model


def run(name: str | None, as_json: bool) -> None:
    """Print one model or all of them."""
    catalogue = load_catalogue()
    found = [find_model(name, catalogue)] if name else catalogue.offered()
    if as_json:
        shown = [about(model) for model in found]
        print_json(shown[0] if name else shown)
    elif name:
        _print_one(found[0], words.versions(found[0], catalogue))
    else:
        _print_all(catalogue)


def _print_all(catalogue: Catalogue) -> None:
    """By group; fixed versions are a line of the model that they are versions of."""
    mains = [one for one in catalogue.offered() if catalogue.main(one) is one]
    rows = [("model", "mode", "an image", "limits"), *map(_row, mains)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    _print_row(rows[0], widths)
    for group in GROUPS:
        members = [one for one in mains if group_of(one) is group]
        if members:
            click.secho(f"\n{group.en}", bold=True)
        for one in members:
            _print_row(_row(one), widths)
            for text in filter(None, [one.guidance, *_more(one, catalogue)]):
                click.echo("\n".join(wrapped(f"  {text}", indent="  ")))
    say("\nMore: wanx models NAME. A job file to fill in: wanx init NAME.")


def _row(model: Model) -> tuple[str, ...]:
    return (model.name, model.mode, words.price(model), words.limits(model.limits))


def _print_row(row: tuple[str, ...], widths: list[int]) -> None:
    cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
    click.echo("\n".join(wrapped("  ".join(cells).rstrip(), indent="    ")))


def _more(model: Model, catalogue: Catalogue) -> list[str | None]:
    versions = words.versions(model, catalogue)
    return [versions and f"versions: {versions}", words.status(model)]


def _print_one(model: Model, versions: str | None) -> None:
    price, region = model.price, model.regions[0]
    here = price.in_region(region)
    free = f"; the first {here.free_images} images are free" if here.free_images else ""
    cost = words.tiers(here, price.currency) if price.payable else words.price(model)
    facts(
        [
            ("model", model.name),
            ("title", f"{model.title}, {model.title_zh}"),
            ("does", model.description),
            ("take it", model.guidance),
            ("version of", model.snapshot_of),
            ("versions", versions),
            (
                "lifecycle",
                f"{words.status(model) or 'no end known'} {words.read(model, 'lifecycle')}",
            ),
            ("mode", words.MODES[model.mode]),
            ("regions", ", ".join(model.regions)),
            ("an image", f"{cost}{free} {words.read(model, 'price')}"),
            ("limits", f"{words.limits(model.limits)} {words.read(model, 'limits')}"),
            *((f"in {name}", text) for name, text in words.of_regions(model)),
            ("takes", f"about {model.typical_seconds:g} s"),
            *(("note", notice.en) for notice in model.remarks()),
        ]
    )
    for title, schema in (("input", model.input_schema), ("parameters", model.parameters_schema)):
        if schema["properties"]:
            click.echo(f"\n{title}")
            _print_fields(schema)
    if model.images:
        click.echo("\nimages")
        facts([(rule.at.removeprefix("/input/"), _image(rule)) for rule in model.images])
    click.echo("\nsources")
    facts([(short, title) for short, title in model.sources.items()])
    click.echo(f"\nA job file to fill in: wanx init {model.name}")


def _print_fields(schema: Mapping[str, Any]) -> None:
    shown = table("name", "meaning")
    shown.columns[0].no_wrap = True
    shown.columns[1].no_wrap = False
    shown.show_header = False
    for name, field in _fields(schema):
        mark = "*" if name in schema.get("required", ()) else ""
        shown.add_row(f"  {name}{mark}", Text(clean(_meaning(field))))
    print_table(shown)
    if schema.get("required"):
        click.echo("  * must be given")


def _fields(schema: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field, and after an object those in it."""
    for name, field in schema["properties"].items():
        yield before + name, field
        if "properties" in field:
            yield from _fields(field, f"{before}{name}.")


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


def about(model: Model) -> dict[str, Any]:
    """All about a model, for programs."""
    return {
        "name": model.name,
        "title": {"en": model.title, "zh": model.title_zh},
        "description": model.description,
        "guidance": {"en": model.guidance, "zh": model.guidance_zh},
        "group": group_of(model).name,
        "snapshot_of": model.snapshot_of,
        "lifecycle": asdict(model.readings["lifecycle"]),
        "status": asdict(model.status) if model.status else None,
        "regions": list(model.regions),
        "input": model.input_schema,
        "parameters": model.parameters_schema,
        "mode": model.mode,
        "ids": model.ids,
        "limits": {**asdict(model.limits), "checked": model.readings["limits"].checked},
        "price": asdict(model.price),
        "typical_seconds": model.typical_seconds,
        "notices": [notice.en for notice in model.remarks()],
        "sources": model.sources,
    }
