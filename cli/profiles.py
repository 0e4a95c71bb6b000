"""Profiles: the places that a person has logged in to, in a file that only they can read.

The file is in the form of an INI file, one section a profile, with the names that the environment
uses: API_URL and API_TOKEN, or OSS_… and DASHSCOPE_API_KEY.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.trouble import Trouble

DEFAULT = "default"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PLACES = ("OSS_", "RESULTS_", "API_", "DASHSCOPE_", "ALIBABA_CLOUD_")
"""What settings of a place begin with: those of a profile never mix with the environment's."""
SETTINGS = (
    *("WEBHOOK_KEY", "WEBHOOK_HOSTS", "WEBHOOKS", "RESULT_BASE_URL", "RESULT_HOSTS"),
    *("INVOKE_ENDPOINT", "KMS_ENDPOINT", "CORS_ORIGIN", "FC_REGION", "INPUT_DELIVERY"),
    *("CREATE_TIMEOUT", "CALL_TIMEOUT", "MAX_OPEN_CALLS", "UNKNOWN_POLICY", "UNKNOWN_GRACE"),
    *("LEASE_SECONDS", "LOG_LEVEL", "LOG_PROMPTS", "POLL_TIMER"),
)
"""Settings that a profile may hold beside those of a place. Any other variable, such as a proxy or
what a program is started with, is the environment's alone."""
OTHERS_MAY_READ, OTHERS_MAY_WRITE = 0o044, 0o022


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

    def exposed(self) -> str:
        """What others on this computer can do with the file, and the cure; empty if nothing."""
        try:
            file, folder = self.path.stat().st_mode, self.path.parent.stat().st_mode
        except OSError:
            return ""
        if folder & OTHERS_MAY_WRITE and not folder & stat.S_ISVTX:
            cure = f"chmod go-w {shlex.quote(str(self.path.parent))}"
            return f"others may replace {self.path}, as its folder is theirs to write: {cure}"
        if file & (OTHERS_MAY_READ | OTHERS_MAY_WRITE):
            mode = stat.S_IMODE(file)
            cure = f"chmod 600 {shlex.quote(str(self.path))}"
            return f"{self.path} holds keys, and others may open it (mode {mode:o}): {cure}"
        return ""

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
        """The file has these rights from its first moment, and is never half written.

        Where a link leads to it, the link stays.
        """
        try:
            path = self.path.resolve()
            aside = path.with_name(f"{path.name}.new")
            _make_folder(path.parent)
            aside.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(aside, flags, 0o600), "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)  # the umask may have taken the owner's rights too
                what.write(file)
            aside.replace(path)
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            said = getattr(error, "strerror", None) or error
            raise Trouble(f"{self.path} cannot be written: {said}.") from None


def _make_folder(folder: Path) -> None:
    """With those above it that are missing, for the owner alone, whatever the umask."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)


def known_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Those of a profile that are settings of the system."""
    return {
        name: text for name, text in settings.items() if name.startswith(PLACES) or name in SETTINGS
    }


def without_places(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the settings of any place."""
    return {name: text for name, text in environ.items() if not name.startswith(PLACES)}


def place_of(settings: Mapping[str, str]) -> str:
    """Where a profile leads, for people; no secret."""
    if url := settings.get("API_URL"):
        return f"API {url.partition('?')[0].partition('#')[0]}"
    return f"bucket {settings.get('OSS_BUCKET', '?')} at {settings.get('OSS_ENDPOINT', '?')}"
