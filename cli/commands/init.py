"""`wanx init`: a job file to fill in, written from the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cli.language import glue, tell
from cli.model_words import STATES, choices, in_words
from cli.output import print_or_write, say, wrapped
from shared.catalogue.conditions import default_of, holds
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue, Model
from shared.jobfile import wording

WIDTH = 78
PROMPT = "describe here what the picture should show"


def run(name: str, out: Path | None, force: bool) -> None:
    """Print the job file, or write it and say what to do next. Raises Trouble, Refused."""
    text = template(find_model(name))
    print_or_write(text, out, force)
    if out is not None:
        say(f"{out} is written. Fill it in, then: wanx check {out}")


def find_model(name: str, catalogue: Catalogue | None = None) -> Model:
    """The model of this name. Raises click's usage error that proposes those there are."""
    catalogue = catalogue or load_catalogue()
    model = catalogue.get(name)
    if model is None:
        near = catalogue.get(wording.nearest(name, catalogue.names()) or "")
        hint = _meant(near) if near else f"use {', '.join(_proposed(catalogue))}."
        raise click.UsageError(f"{name} is not a known model; {hint}")
    return model


def _proposed(catalogue: Catalogue) -> list[str]:
    """Names of models, those that nobody should begin with last."""
    return [model.name for model in catalogue.offered()]


def _meant(near: Model) -> str:
    if near.status is None or not near.is_going or near.status.successor is None:
        return f"did you mean {near.name}?"
    told = f"{near.name} ({STATES[near.status.state]})"
    return f"did you mean {near.status.successor}, which replaces {told}?"


def template(model: Model) -> str:
    """A job file that is right but for the images it names. What is optional is commented out."""
    title = in_words(model.title, model.title_zh)
    lines = [*_comment(f"{title}{glue('. ')}{tell(model.description)}", "")]
    lines += [
        line for notice in model.remarks() for line in _comment(in_words(notice.en, notice.zh), "")
    ]
    lines += ["", f"model: {model.name}", "input:", *_input(model)]
    if parameters := list(_parameters(model)):
        lines += ["", "parameters:", *parameters]
    return "\n".join([*lines, "", *tell(_JOB).split("\n")]) + "\n"


def _input(model: Model) -> Iterator[str]:
    schema = model.input_schema
    places = {rule.at.removeprefix("/input/").removesuffix("/*"): rule for rule in model.images}
    conditional = (rule for rule in model.rules if rule["kind"] == "required_if")
    needed = {rule["at"] for rule in conditional if holds(rule["when"], model, {})}
    needed |= {rule["at"][0] for rule in model.rules if rule["kind"] == "any_of"}
    for name, field in schema["properties"].items():
        required = name in schema.get("required", ()) or f"/input/{name}" in needed
        yield from _comment(_about(field), "  ")
        if name in places:
            yield from _comment(_image_facts(model, name), "  ")
        mark = "" if required else "# "
        if "properties" in field:
            yield from _object(name, field, mark)
        else:
            yield from _entry(name, _example(name, field, name in places), mark)


def _object(name: str, field: Mapping[str, Any], mark: str) -> Iterator[str]:
    """An object with all its fields, each of them explained."""
    yield f"  {mark}{name}:"
    for inner, one in field["properties"].items():
        about = _comment(_about(one), " " * 8)  # it may be commented out, and lie deeper
        is_object = "properties" in one
        entry = _object(inner, one, "") if is_object else _entry(inner, _default(one), "")
        lines = [*(line[6:] for line in about), *entry]
        yield from (f"  {mark}  {line.removeprefix('  ')}" for line in lines)


def _parameters(model: Model) -> Iterator[str]:
    schema = model.parameters_schema
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        yield from _comment(_about(field), "  ")
        is_sent = field.get("x-send-default") and default_of(field, model, {}) is not None
        is_shown = "examples" in field and "default" in field
        live = name in required or is_sent or is_shown
        value = field["minimum"] if live and "minimum" in field else _default(field)
        value = field["examples"][0] if is_shown else value
        yield from _entry(name, value, "" if live else "# ")


def _default(field: Mapping[str, Any]) -> Any:
    """The default, or else a value that would be right."""
    if "default" in field:
        return field["default"]
    for key in ("examples", "x-recommended", "enum"):
        if key in field:
            return field[key][0]
    return {"integer": field.get("minimum", 1), "boolean": False, "array": []}.get(
        str(field["type"]), "…"
    )


def _about(field: Mapping[str, Any]) -> str:
    parts = [str(field.get("description", ""))]
    if "enum" in field and len(field["enum"]) > 1:
        parts.append(f"One of {choices(field)}.")
    if "minimum" in field and "maximum" in field:
        parts.append(f"From {field['minimum']} to {field['maximum']}.")
    if "x-recommended" in field:
        parts.append(f"Such as {', '.join(field['x-recommended'])}.")
    if "x-truncated-after" in field:
        parts.append(f"At most {field['x-truncated-after']} characters are read.")
    return told(parts)


def told(sentences: Iterable[str]) -> str:
    """Sentences one after the other, in the reader's language."""
    return glue(" ").join(tell(one) for one in sentences if one)


def _image_facts(model: Model, name: str) -> str:
    rule = next(one for one in model.images if one.at.split("/")[2] == name)
    bounds = rule.side.words()
    megabytes = rule.max_bytes // (1024 * 1024)
    formats = ", ".join(rule.accept)
    return told(
        (
            f"{formats}; each side {bounds} pixels, at most {megabytes} MB.",
            "oss:/// is the bucket.",
        )
    )


def _example(name: str, field: Mapping[str, Any], image: bool) -> Any:
    if not image:
        return tell(PROMPT) if name == "prompt" else _default(field)
    stem = name.removesuffix("_url").removesuffix("_image").rstrip("s")
    key = f"oss:///inputs/{stem}.png"
    return [key] if field["type"] == "array" else key


def _entry(name: str, value: Any, mark: str) -> Iterator[str]:
    """A key and its value in flow style: JSON's scalars and lists are YAML's too. The items of a
    long list have a line each."""
    plain = isinstance(value, str) and value.replace(" ", "").isalnum()
    line = f"  {mark}{name}: {value if plain else _flow(value)}"
    if len(line) <= WIDTH or not isinstance(value, list):
        yield line
        return
    yield f"  {mark}{name}:"
    yield from (f"  {mark}  - {_flow(item)}" for item in value)


def _flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}" for line in wrapped(text, WIDTH - len(indent) - 2) if line]


_JOB = """\
# What this system itself should know; all of it is optional.
job:
  # A name of your own; left out, it follows from the file's name and content.
  # id: my-first-job
  # 0 is served first, 9 last.
  # priority: 5
  # Give up if the job could not be submitted by then: 30m, 6h, 2d.
  # expires_after: 6h
  # Free texts that come back with the result.
  # labels: {campaign: spring}
  # keep the good images if some failed, or retry-failed
  # on_partial: keep
""".rstrip()
