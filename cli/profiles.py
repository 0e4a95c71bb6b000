"""Profiles: the places that a person has logged in to, in a file that only they can read.

The file is in the form of an INI file, one section a profile, with the names that the environment
uses: API_URL and API_TOKEN, or OSS_… and DASHSCOPE_API_KEY.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.trouble import Trouble

DEFAULT = "default"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PLACES = ("OSS_", "API_", "DASHSCOPE_", "ALIBABA_CLOUD_")
"""What settings of a place begin with: those of a profile never mix with the environment's."""


def profiles_file(environ: Mapping[str, str]) -> Path:
    """Where profiles are kept (XDG Base Directory Specification)."""
    named = environ.get("XDG_CONFIG_HOME", "")
    base = Path(named) if named.startswith("/") else Path.home() / ".config"
    return base / "wanx" / "config"


def is_name(text: str) -> bool:
    """Whether a profile can have this name."""
    return NAME.fullmatch(text) is not None


@dataclass(frozen=True)
class Profiles:
    """The profiles of one file. Every method may raise Trouble."""

    path: Path

    def all(self) -> dict[str, dict[str, str]]:
        """The settings of each profile by its name, in the order of the file."""
        read = self._read()
        return {name: dict(read.items(name)) for name in read.sections()}

    def get(self, name: str) -> dict[str, str] | None:
        """The settings of a profile; None if there is none of this name."""
        return self.all().get(name)

    def put(self, name: str, settings: Mapping[str, str]) -> None:
        """Add a profile, or replace the one of this name."""
        read = self._read()
        read[name] = dict(settings)
        self._write(read)

    def remove(self, name: str) -> bool:
        """Forget a profile; whether there was one."""
        read = self._read()
        known = read.remove_section(name)
        if known:
            self._write(read)
        return known

    def _read(self) -> configparser.ConfigParser:
        made = configparser.ConfigParser(
            interpolation=None, default_section="", delimiters=("=",), comment_prefixes=("#",)
        )
        made.optionxform = str  # type: ignore[assignment,method-assign]
        try:
            made.read_string(self.path.read_text("utf-8"), str(self.path))
        except FileNotFoundError:
            return made
        except (OSError, UnicodeDecodeError) as error:
            raise Trouble(f"{self.path} cannot be read: {error}.") from None
        except configparser.Error as error:
            line = getattr(error, "lineno", None)
            where = f"{self.path}, line {line}" if line else f"{self.path}"
            raise Trouble(
                f"{where}: expected [NAME] and then NAME = value lines; correct it, or"
                " remove the file and log in again."
            ) from None
        return made

    def _write(self, what: configparser.ConfigParser) -> None:
        """The file has these rights from its first moment, and is never half written."""
        aside = self.path.with_name(f"{self.path.name}.new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(aside, flags, 0o600), "w", encoding="utf-8") as file:
                what.write(file)
            aside.replace(self.path)
        except OSError as error:
            raise Trouble(f"{self.path} cannot be written: {error.strerror or error}.") from None


def without_places(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the settings of any place."""
    return {name: text for name, text in environ.items() if not name.startswith(PLACES)}


def place_of(settings: Mapping[str, str]) -> str:
    """Where a profile leads, for people; no secret."""
    if settings.get("API_URL"):
        return f"API {settings['API_URL']}"
    return f"bucket {settings.get('OSS_BUCKET', '?')} at {settings.get('OSS_ENDPOINT', '?')}"
