"""`wanx login`, `logout` and `profiles`: the places that a person works with, by name."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from cli.access import API, Access, access_of
from cli.backends.protocol import Wanted
from cli.language import tell
from cli.output import complain, print_json, print_table, say, table
from cli.profiles import DEFAULT, Profiles, is_name, place_of, profiles_file
from cli.trouble import NOT_SO, Trouble
from shared.platform.settings import BASE_URL, BEIJING_BASE_URL

REGION = "cn-beijing"


def log_in(name: str, bucket: bool, api: str | None) -> None:
    """Ask for a place, try it, and keep it. Raises Trouble, and click's errors."""
    if not is_name(name):
        wrong = "a profile's name has letters, digits, `.`, `_` and `-`, at most 64."
        raise click.BadParameter(wrong, param_hint="NAME")
    profiles = Profiles(profiles_file(os.environ))
    profiles.all()  # a file that cannot be read is told before anything is asked
    settings = _bucket() if bucket else _api(api)
    place = _tried(settings)
    profiles.put(name, settings)
    if exposed := profiles.exposed():
        complain(f"warning: {exposed}")
        say(f"{place} works. It is kept as the profile {name} in {profiles.path}.")
    else:
        say(
            f"{place} works. It is kept as the profile {name} in {profiles.path}, which only you"
            " can read."
        )
    if name == DEFAULT:
        say("Commands work there now, unless another place is named.")
    else:
        say(f"To work there: wanx --profile {name} …, or WANX_PROFILE={name}.")


def log_out(name: str) -> int:
    """Forget a place; the exit code. Raises Trouble."""
    if Profiles(profiles_file(os.environ)).remove(name):
        say(
            f"The profile {name} is forgotten. The token or key itself still works: to end it, see"
            " docs/operations.md, Rotate keys."
        )
        return 0
    say(f"There is no profile {name}.")
    return NOT_SO


def show(access: Access, as_json: bool) -> None:
    """Print the profiles, and which settings a command would use now. Raises Trouble."""
    profiles = Profiles(profiles_file(os.environ)).all()
    if as_json:
        print_json([{"name": name, "place": place_of(one)} for name, one in profiles.items()])
        return
    shown = table("profile", "place")
    for name, one in profiles.items():
        shown.add_row(name, tell(place_of(one)))
    if profiles:
        print_table(shown)
    else:
        say("There is no profile; `wanx login` makes one.")
    if access.is_somewhere:
        place = f"API {access.url}" if access.over_http else place_of(access.environ)
        say(f"\nNow in use: {place}, from {access.origin}.")


def _api(url: str | None) -> dict[str, str]:
    """The settings of an API."""
    say("The address is the one of the function `api`, as deployment or laptop cloud print it.")
    address = url or _asked("Address of the API")
    return {API: address.strip().rstrip("/"), "API_TOKEN": _asked("Token", secret=True)}


def _bucket() -> dict[str, str]:
    """The settings of a bucket."""
    bucket = _asked("Bucket")
    region = _asked("Region", REGION)
    found = {
        "OSS_BUCKET": bucket,
        "OSS_REGION": region,
        "OSS_ENDPOINT": _asked("Endpoint", f"https://oss-{region}.aliyuncs.com"),
        "OSS_ACCESS_KEY_ID": _asked("AccessKey ID"),
        "OSS_ACCESS_KEY_SECRET": _asked("AccessKey secret", secret=True),
    }
    say(
        "Model Studio's API key is for cancel, adopt, redrive and doctor alone; Enter leaves it"
        " out."
    )
    key = _asked("API key of Model Studio", "", secret=True)
    if key:
        url = _asked("Address of Model Studio", BEIJING_BASE_URL)
        found |= {"DASHSCOPE_API_KEY": key, BASE_URL: url}
    results = _asked("Bucket of the results, if it is another one", "")
    return {**found, "RESULTS_BUCKET": results} if results else found


def _asked(what: str, default: str | None = None, secret: bool = False) -> str:
    """What a person types, or the next line of standard input; a secret is not shown."""
    text: str | None
    if sys.stdin.isatty():
        text = click.prompt(
            tell(f"{what} (not shown)" if secret else what),
            default=default,
            hide_input=secret,
            show_default=bool(default),
            err=True,
        )
    else:
        text = sys.stdin.readline().strip() or default
    if text is None:
        raise click.UsageError(f"standard input ended where `{what}` was expected.")
    given = text.strip()
    if not given.isprintable():
        raise Trouble(f"`{what}` has characters that cannot be right; copy it once more.")
    return given


def _tried(settings: Mapping[str, str]) -> str:
    """Where the settings lead, after one request that shows that they do. Raises Trouble."""
    backend = access_of(settings, "what was typed").backend()
    backend.listing(Wanted(limit=1))
    return backend.place
