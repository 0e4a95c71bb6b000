"""`wanx models`: what the catalogue knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click
from rich.cells import cell_len

from cli import model_words as words
from cli.commands.init import find_model, told
from cli.language import glue, tell
from cli.output import clean, facts, folded, print_json, print_table, say, table, wrapped
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
    head = tuple(map(tell, ("model", "mode", "an image", "limits")))
    rows = [head, *map(_row, mains)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    _print_row(head, widths)
    for group in GROUPS:
        members = [one for one in mains if group_of(one) is group]
        if members:
            click.secho(f"\n{words.in_words(group.en, group.zh)}", bold=True)
        for one in members:
            _print_row(_row(one), widths)
            guidance = words.in_words(one.guidance, one.guidance_zh)
            for text in filter(None, [guidance, *_more(one, catalogue)]):
                click.echo("\n".join(wrapped(f"  {text}", indent="  ")))
    say("\nMore: wanx models NAME. A job file to fill in: wanx init NAME.")


def _row(model: Model) -> tuple[str, ...]:
    return (model.name, model.mode, words.price(model), words.limits(model.limits))


def _print_row(row: tuple[str, ...], widths: list[int]) -> None:
    cells = (f"{t}{' ' * (width - cell_len(t))}" for t, width in zip(row, widths, strict=True))
    click.echo("\n".join(wrapped("  ".join(cells).rstrip(), indent="    ")))


def _more(model: Model, catalogue: Catalogue) -> list[str | None]:
    versions = words.versions(model, catalogue)
    return [versions and tell(f"versions: {versions}"), words.status(model)]


def _print_one(model: Model, versions: str | None) -> None:
    price, region = model.price, model.regions[0]
    here = price.in_region(region)
    free = tell(f"the first {here.free_images} images are free") if here.free_images else ""
    free = f"{glue('; ')}{free}" if free else ""
    future = words.status(model) or tell("no end known")
    cost = words.tiers(here, price.currency) if price.payable else words.price(model)
    facts(
        [
            ("model", model.name),
            ("title", f"{model.title}, {model.title_zh}"),
            ("does", tell(model.description)),
            ("take it", words.in_words(model.guidance, model.guidance_zh)),
            ("version of", model.snapshot_of),
            ("versions", versions),
            (
                "lifecycle",
                f"{future}{glue(' ')}{words.read(model, 'lifecycle')}",
            ),
            ("mode", tell(words.MODES[model.mode])),
            ("regions", ", ".join(model.regions)),
            ("an image", f"{cost}{free}{glue(' ')}{words.read(model, 'price')}"),
            ("limits", f"{words.limits(model.limits)}{glue(' ')}{words.read(model, 'limits')}"),
            *((tell(f"in {name}"), text) for name, text in words.of_regions(model)),
            ("takes", tell(f"about {model.typical_seconds:g} s")),
            *(("note", words.in_words(notice.en, notice.zh)) for notice in model.remarks()),
        ]
    )
    for title, schema in (("input", model.input_schema), ("parameters", model.parameters_schema)):
        if schema["properties"]:
            say(f"\n{title}")
            _print_fields(schema)
    if model.images:
        say("\nimages")
        facts([(rule.at.removeprefix("/input/"), _image(rule)) for rule in model.images], True)
    say("\nsources")
    facts([(short, title) for short, title in model.sources.items()], True)
    say(f"\nA job file to fill in: wanx init {model.name}")


def _print_fields(schema: Mapping[str, Any]) -> None:
    shown = table("name", "meaning", wrap="meaning")
    shown.show_header = False
    required = schema.get("required", ())
    rows = [(f"  {n}{'*' if n in required else ''}", field) for n, field in _fields(schema)]
    left = max(len(name) for name, _ in rows) + 2
    for name, field in rows:
        shown.add_row(name, folded(clean(_meaning(field)), left))
    print_table(shown)
    if schema.get("required"):
        say("  * must be given")


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
    return told(parts)


def _image(rule: ImageRule) -> str:
    parts = [", ".join(rule.accept), f"each side {rule.side.words()} pixels"]
    parts.append(f"at most {rule.max_bytes // (1024 * 1024)} MB")
    parts.append("inline data taken" if rule.inline else "no inline data")
    if rule.same_size_as:
        parts.append(f"as large as {rule.same_size_as.removeprefix('/input/')}")
    return glue("; ").join(map(tell, parts))


def described(model: Model) -> Iterator[str]:
    """What a model's file says in English alone: what it and its fields are for."""
    yield model.description
    for schema in (model.input_schema, model.parameters_schema):
        for _, field in _fields(schema):
            if "description" in field:
                yield str(field["description"])


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
