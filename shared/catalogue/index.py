"""What is known of all models before any is read, so that a cold start reads only those it needs.

A function's package holds the index of its catalogue as a file; elsewhere it is made of the models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.catalogue.files import CatalogueError, read_schema
from shared.catalogue.node import Node
from shared.catalogue.plain import Plain, copy

INDEX = "index.json"
"""The file of a package's catalogue, beside the model files."""


@dataclass(frozen=True)
class Entry:
    """What an index knows of one model: `path` of its endpoint, without a slash at its end."""

    name: str
    file: str
    mode: str
    path: str
    pool: str | None


@dataclass(frozen=True)
class Index:
    """The names in their order with the file of each, by mode, by path, and which share a pool."""

    files: Mapping[str, str]
    modes: Mapping[str, Sequence[str]]
    paths: Mapping[str, Sequence[str]]
    pools: Mapping[str, Sequence[str]]


def index_of(entries: Iterable[Entry]) -> Index:
    """The index of these models. Raises CatalogueError if one is described twice."""
    files: dict[str, str] = {}
    modes, paths, pools = (defaultdict[str, list[str]](list) for _ in range(3))
    for one in sorted(entries, key=lambda entry: entry.name):
        if one.name in files:
            both = f"{files[one.name]} and {one.file}"
            raise CatalogueError(f"{one.name} is described twice, in {both}; remove one")
        files[one.name] = one.file
        modes[one.mode].append(one.name)
        paths[one.path].append(one.name)
        if one.pool is not None:
            pools[one.pool].append(one.name)
    return Index(files, modes, paths, pools)


def files_of(folder: Path) -> list[Path]:
    """The model files of a schemas folder. Raises CatalogueError if there is none."""
    files = sorted((folder / "models").glob("*.yaml"))
    if not files:
        raise CatalogueError(f"no model file (*.yaml) lies in {folder}/models")
    return files


def entries_of(folder: Path) -> Iterator[Entry]:
    """What an index says of each model of a schemas folder. Raises CatalogueError."""
    for file in files_of(folder):
        for name, content in described(content_of(file)):
            root = Node(content, file.name)
            limits = root["limits"]
            for one in (limits, *(regional for _, regional in limits.in_regions())):
                numbers_of(one)  # a package with worse ones would be deployed
            pool = limits.maybe("pool")
            yield Entry(
                name,
                file.name,
                root["endpoint"]["mode"].text(),
                root["endpoint"]["path"].text().rstrip("/"),
                None if pool is None else pool.text(),
            )


def numbers_of(limits: Node) -> dict[str, Any]:
    """The numbers of a model's limits. Raises CatalogueError, also for those with which no poller
    can work: it divides by them."""
    at_once = limits.maybe("concurrent")
    return {
        "submissions": limits["submissions"].whole(1),
        "per_seconds": limits["per_seconds"].positive(),
        "concurrent": None if at_once is None else at_once.whole(1),
        "queue_ahead": limits["queue_ahead"].whole(0),
    }


def content_of(path: Path) -> Plain:
    """What a model file says. Raises CatalogueError, also if it is named after another model."""
    content = read_schema(path)
    if Node(content, path.name)["name"].text() != path.stem:
        raise CatalogueError(f"{path.name} at /name: the name must equal the file's name")
    return content


def described(content: Plain) -> Iterator[tuple[str, Plain]]:
    """The models that a file describes, each with its description. `content` is left as it is."""
    variants = content.get("variants") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(variants, dict):
        yield (str(content.get("name")) if isinstance(content, dict) else ""), content
        return
    common = {key: value for key, value in content.items() if key != "variants"}
    for name, patch in variants.items():
        yield str(name), {**_patched(common, patch), "name": name}


def _patched(target: Plain, patch: Plain) -> Plain:
    """A JSON Merge Patch applied (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return copy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _patched(result.get(key), value)
    return result
