"""Where the command line works: which settings, and whether bucket or HTTP API."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import complain
from cli.profiles import DEFAULT, Profiles, known_settings, profiles_file, without_places
from cli.trouble import Trouble, of_store
from shared.storage.objects import StoreError

if TYPE_CHECKING:
    from cli.backends.bucket import BucketBackend
    from cli.backends.protocol import Backend
    from shared.app import App

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_ENV = Path(".local/env")
BUCKET = "OSS_ENDPOINT"
API = "API_URL"
TOKEN = "API_TOKEN"
PROFILE = "WANX_PROFILE"


@dataclass(frozen=True)
class Access:
    """The settings of one call. `again` are the options that lead to the same place again."""

    environ: Mapping[str, str] = field(repr=False)
    api: str | None
    token: str | None = field(repr=False)
    origin: str
    again: tuple[str, ...] = ()

    @property
    def has_bucket(self) -> bool:
        return bool(self.environ.get(BUCKET))

    @property
    def over_http(self) -> bool:
        """Whether the API is used: asked for with --api, or the only way there is."""
        return self.api is not None or (not self.has_bucket and bool(self.environ.get(API)))

    @property
    def is_somewhere(self) -> bool:
        """Whether any place is known."""
        return self.over_http or self.has_bucket

    @property
    def url(self) -> str:
        """The address of the API; empty if none is known."""
        return (self.api or self.environ.get(API, "")).strip().rstrip("/")

    def checked_token(self) -> str:
        """The token of the API; empty if there is none. Raises Trouble."""
        token = (self.token or self.environ.get(TOKEN, "")).strip(" ")
        if token.isascii() and token.isprintable():
            return token
        where = "--token" if self.token else TOKEN
        raise Trouble(
            f"the token has characters that no token has (a line break, or none of ASCII); copy it"
            f" into {where} once more."
        )

    def command(self, *words: str) -> str:
        """A command that goes on from here, ready to be pasted into a shell; without the token,
        for which the shell's own variable stands."""
        token = f' --token "${TOKEN}"' if self.token else ""
        return f"{shlex.join(['wanx', *self.again])}{token} {shlex.join(words)}"

    def backend(self) -> Backend:
        """The way to the jobs. Raises Trouble."""
        if self.over_http:
            from cli.backends.http import HttpBackend

            return HttpBackend(self.url, self.checked_token())
        return self._bucket()

    def require_bucket(self, command: str) -> None:
        """Raises Trouble over the HTTP API, as only the bucket can answer the command."""
        if self.over_http:
            raise Trouble(
                f"`wanx {command}` works on the bucket, not over the HTTP API. Name the bucket's"
                " profile (`wanx login --bucket NAME` makes one, --profile NAME uses it), or a file"
                " of its settings with --env FILE."
            )

    @contextmanager
    def app(self, command: str) -> Iterator[App]:
        """The system itself, for a command that only the bucket can answer. Raises Trouble."""
        self.require_bucket(command)
        try:
            yield self._bucket().app
        except StoreError as error:
            raise of_store(error) from None

    def _bucket(self) -> BucketBackend:
        if not self.has_bucket:
            raise Trouble(_nowhere())
        from cli.backends.bucket import open_bucket

        return open_bucket(self.environ)


def load_access(
    env_file: Path | None, api: str | None, token: str | None, profile: str | None = None
) -> Access:
    """Read the settings.

    What is named goes before the environment; the laptop cloud's own file and the profile `default`
    are taken only where the environment names neither bucket nor API, so that keys of two places
    never mix. Raises Trouble if a file cannot be read, or there is no such profile.
    """
    again = ("--api", api) if api else ()
    if env_file is not None:
        found = dict(os.environ) | read_env(env_file)
        return Access(found, api, token, str(env_file), ("--env", str(env_file), *again))
    if api:
        return Access(dict(os.environ), api, token, "the environment", again)
    named = profile or os.environ.get(PROFILE)
    if named:
        return _of_profile(named, token)
    if os.environ.get(BUCKET) or os.environ.get(API):
        return Access(dict(os.environ), None, token, "the environment")
    for path in (DEFAULT_ENV, ROOT / DEFAULT_ENV):
        if path.is_file():
            return Access(dict(os.environ) | read_env(path), None, token, str(path))
    profiles = Profiles(profiles_file(os.environ))
    default = profiles.get(DEFAULT)
    if default is not None:
        return access_of(_usable(profiles, DEFAULT, default), f"the profile {DEFAULT}", token)
    return Access(dict(os.environ), None, token, "the environment")


def access_of(
    settings: Mapping[str, str], origin: str, token: str | None = None, *again: str
) -> Access:
    """The place that settings name, and nothing of the environment's places."""
    return Access(without_places(os.environ) | dict(settings), None, token, origin, again)


def _of_profile(name: str, token: str | None) -> Access:
    profiles = Profiles(profiles_file(os.environ))
    known = profiles.all()
    if name not in known:
        there = f"there are {', '.join(known)}" if known else "there is none"
        raise Trouble(f"there is no profile {name!r}; {there}. `wanx login {name}` makes it.")
    settings = _usable(profiles, name, known[name])
    return access_of(settings, f"the profile {name}", token, "--profile", name)


def _usable(profiles: Profiles, name: str, written: Mapping[str, str]) -> dict[str, str]:
    """The settings of a profile; what is wrong with it is told. Raises Trouble."""
    settings = known_settings(written)
    if exposed := profiles.exposed():
        complain(f"warning: {exposed}")
    if unknown := sorted(set(written) - set(settings)):
        complain(
            f"warning: the profile {name} in {profiles.path} has {', '.join(unknown)}, which is no"
            " setting of a place and is not used."
        )
    if not settings.get(API) and not settings.get(BUCKET):
        raise Trouble(
            f"the profile {name} in {profiles.path} names no place: expected {API}, or {BUCKET} and"
            f" OSS_BUCKET. `wanx login {name}` makes it once more."
        )
    return settings


def read_env(path: Path) -> dict[str, str]:
    """`NAME=value` lines; empty lines, comments, `export` and quotes as in a shell file."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{path} cannot be read: {error}.") from None
    found = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise Trouble(f"{path}, line {number}: expected NAME=value; correct the line.")
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found[name] = value[1:-1] if quoted else value
    return found


def _nowhere() -> str:
    return (
        "no bucket and no API is known. `wanx login` asks for one and remembers it; `wanx up`"
        " starts the laptop cloud (its keys are found in .local/env). Or name a file of settings"
        " with --env FILE, set OSS_ENDPOINT, OSS_BUCKET and OSS_ACCESS_KEY_ID/_SECRET, or give"
        " --api URL."
    )
