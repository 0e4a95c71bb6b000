"""The YAML files of the repository, which a function's package holds as JSON.

JSON is YAML, so the files keep their names and their meaning, and a cold start does without PyYAML:
its import alone would be an eighth of all of them.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from shared.catalogue.plain import Plain, Problem, TextUnreadable

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


class CatalogueError(Exception):
    """A file of the catalogue is broken; the message names the file and the JSON Pointer."""


def load_file(path: Path) -> Plain:
    """The only document of a YAML file. Raises TextUnreadable, OSError, UnicodeDecodeError."""
    text = path.read_text(encoding="utf-8")
    if text.startswith("{"):
        with suppress(ValueError):
            return json.loads(text)
    from shared.catalogue.yaml_reader import read_documents

    documents = read_documents(text)
    if len(documents) != 1:
        message = f"{path.name} holds {len(documents)} documents instead of one"
        raise TextUnreadable([Problem(None, None, "one YAML document", message)])
    return documents[0]


def read_schema(path: Path) -> Plain:
    """The content of a YAML file of the repository. Raises CatalogueError."""
    try:
        return load_file(path)
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name} cannot be read: {error}") from None
    except TextUnreadable as error:
        first = error.problems[0]
        raise CatalogueError(f"{path.name}, line {first.line}: {first.message}") from None
