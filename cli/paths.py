"""Files and folders as arguments of a command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class Named(click.Path):
    """A path whose name is UTF-8: names of files become parts of keys and requests."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            os.fspath(value).encode("utf-8")
        except UnicodeEncodeError:
            self.fail(f"the name {os.fspath(value)!r} is not UTF-8; rename it.", param, ctx)
        return super().convert(value, param, ctx)


FILE = Named(exists=True, dir_okay=False, path_type=Path)
FOLDER = Named(exists=True, file_okay=False, path_type=Path)
OUT = Named(path_type=Path)
