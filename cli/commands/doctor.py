"""`wanx doctor`: looks at everything a working system needs, one line each.

A check that cannot be made because an earlier one failed is left out rather than failed too. Facts:
what OSS answers to a wrong key, bucket or clock (OSS error responses page); with versioning
x-oss-forbid-overwrite has no effect (PutObject page); listing tasks costs nothing (task management
page).
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import click
import requests
from rich.cells import cell_len

from cli.access import Access
from cli.backends.answers import not_the_api
from cli.backends.bucket import quiet
from cli.bucket_checks import TIMEOUT, Bad, Bucket, clock, open_settings, versioning
from cli.language import tell
from cli.limit_checks import in_region, other_limits
from cli.output import console, counted, say
from cli.trouble import NOT_SO, Trouble
from shared.catalogue.model_file import load_catalogue
from shared.ledger.ledger import Ledger
from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import ModelStudio, ServiceError
from shared.modelstudio.limits import account_limits
from shared.platform.clock import SystemClock, new_random
from shared.platform.model_hosts import model_host
from shared.platform.settings import EVERY_MINUTE, Settings, SettingsError, load_settings
from shared.poller.alarm import MOST_EARLY
from shared.storage.objects import StoreError
from wanx import Client, NotTheApi, Refused, UnknownJob, Unreachable, WanxError

LINK_SECONDS = 60
FOLDER = "state/doctor/"
CALL_LATE = 120.0
"""Seconds after which a delayed call counts as lost."""
SWEEP_SECONDS = 600.0
MOST_NAMED = 5
NOBODY = "wanx-doctor-asks-for-no-job"

WHAT_TO_DO = {
    "InvalidAccessKeyId": "OSS does not know OSS_ACCESS_KEY_ID; take the key of a RAM user who may"
    " use the bucket (for the laptop cloud: .local/env of its last start).",
    "SignatureDoesNotMatch": "OSS_ACCESS_KEY_SECRET does not belong to OSS_ACCESS_KEY_ID, or"
    " OSS_REGION is not the bucket's; copy both again.",
    "NoSuchBucket": "there is no such bucket at this endpoint; correct OSS_BUCKET or OSS_ENDPOINT,"
    " or create the bucket.",
    "AccessDenied": "the key may not do this; give its RAM user read and write access to the"
    " bucket, and use the endpoint of the bucket's region.",
    "RequestTimeTooSkewed": "this computer's clock is wrong by more than 15 minutes; set it.",
    "could not be reached": "nobody answers at OSS_ENDPOINT; check the address and the network"
    " (an -internal endpoint is reachable inside Alibaba Cloud alone).",
}


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, whether it is as it must be, and what was seen or to do.

    `ok` None: the check was left out, which is not a failure. `warns`: all works, and something
    had better be changed.
    """

    what: str
    ok: bool | None
    text: str
    warns: bool = False


def run(access: Access, sweep: bool = False) -> int:
    """Look at everything; the exit code. `sweep`: take in job files whose event never came."""
    quiet()
    failed = 0
    click.echo(tell(f"Settings from {access.origin}."))
    for check in checks(access, sweep):
        failed += check.ok is False
        _print(check)
    say("All is well." if not failed else f"{counted(failed, 'check')} failed.")
    return NOT_SO if failed else 0


def _print(check: Check) -> None:
    words = {True: ("ok", "green"), False: ("failed", "red"), None: ("-", "dim")}
    word, style = ("warn", "yellow") if check.warns else words[check.ok]
    out = console()
    word = tell(word)
    out.print(word + " " * (7 - cell_len(word)), style=style, end="")
    what, text = tell(check.what), tell(check.text)
    click.echo(f"{what}: {text}" if len(check.text) < 50 else f"{what}:")
    if len(check.text) >= 50:
        say(f"       {text}", indent="       ")


def checks(access: Access, sweep: bool = False) -> Iterator[Check]:
    """All checks, in the order in which one rests on another."""
    if not access.over_http:
        yield from _bucket_checks(access.environ)
        yield from _service_checks(access.environ)
    yield _api_check(access)
    if sweep:
        yield _checked("job files", partial(_sweep, access))


def _bucket_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    made: list[Bucket] = []

    def opened() -> str:
        made.append(open_settings(environ))
        settings = made[0].settings
        return f"bucket {settings.oss_bucket}, {settings.oss_region}"

    first = _checked("settings", opened)
    yield first
    if not first.ok:
        return
    bucket = made[0]
    for what, look in (("endpoint", _endpoint), ("key and bucket", _reachable)):
        check = _checked(what, lambda look=look: look(bucket))  # type: ignore[misc]
        yield check
        if not check.ok:
            return
    yield _checked("versioning", lambda: versioning(bucket))
    yield _checked("clock", lambda: clock(bucket))
    yield _checked("public endpoint", lambda: _public(bucket))
    yield _checked("delayed calls", lambda: _delayed_calls(bucket))


def _checked(what: str, look: Callable[[], str | None]) -> Check:
    """A check that returns what it saw, None if it was left out, and raises otherwise."""
    try:
        seen = look()
    except Bad as error:
        return Check(what, False, str(error))
    except StoreError as error:
        return Check(what, False, _advice(str(error)))
    return Check(what, None if seen is None else True, seen or "not set; left out")


def _advice(text: str) -> str:
    """What OSS said, and what to do about it."""
    for sign, advice in WHAT_TO_DO.items():
        if sign in text:
            return f"{text} What to do: {advice}"
    return f"{text} Try again in a minute."


def _endpoint(bucket: Bucket) -> str:
    """Connect first: the store's own retries would take half a minute to say the same."""
    endpoint = bucket.settings.oss_endpoint
    parts = urlsplit(endpoint)
    try:
        port = parts.port or (80 if parts.scheme == "http" else 443)
        with socket.create_connection((parts.hostname or "", port), TIMEOUT[0]):
            return endpoint
    except (OSError, ValueError) as error:
        advice = WHAT_TO_DO["could not be reached"]
        raise Bad(f"{endpoint} cannot be reached ({error}). What to do: {advice}") from None


def _reachable(bucket: Bucket) -> str:
    """Read, create if absent, and delete: all that the functions do."""
    for _ in bucket.store.list(FOLDER, limit=1):
        pass
    key = f"{FOLDER}{secrets.token_hex(8)}"
    try:
        if not bucket.store.create(key, b"first").created:
            raise Bad(f"{key} could not be created though it is new; look at the bucket's rules.")
        if bucket.store.create(key, b"second").created:
            raise Bad(
                "the store creates an object that exists already: it ignores"
                " x-oss-forbid-overwrite, and jobs could be paid twice. Use OSS itself, and a"
                " bucket that never had versioning."
            )
    finally:
        bucket.store.delete(key)
    return "lists, creates, deletes"


def _public(bucket: Bucket) -> str:
    """A presigned GET as the model service makes it: without our keys, at the public endpoint."""
    key, body = f"{FOLDER}{secrets.token_hex(8)}", secrets.token_bytes(16)
    endpoint = bucket.settings.oss_public_endpoint
    bucket.store.put(key, body, "application/octet-stream")
    try:
        answer = requests.get(bucket.store.presign(key, LINK_SECONDS), timeout=TIMEOUT)
        if answer.status_code == 200 and answer.content == body:
            return f"{endpoint} serves presigned links"
        seen = f"HTTP {answer.status_code}"
    except requests.RequestException as error:
        seen = type(error).__name__
    finally:
        bucket.store.delete(key)
    raise Bad(
        f"a presigned link to {endpoint} does not work from here ({seen}), so the model service"
        " could not fetch images of the bucket. Bind a domain of your own to the bucket and set"
        " OSS_PUBLIC_ENDPOINT, or set INPUT_DELIVERY=inline for models that take inline data."
    )


def _delayed_calls(bucket: Bucket) -> str:
    """Whether the calls by which poll wakes itself came in time (with the safety net)."""
    lease = Ledger(bucket.store, SystemClock(), new_random()).lease
    lease.poller_lives()
    armed, late = lease.seen.armed, time.time() - lease.seen.armed.at
    if armed.early >= MOST_EARLY:
        raise Bad(
            f"{armed.early} delayed calls in a row came too early, so poll stays awake while"
            f" something waits, which costs more: set POLL_TIMER to {EVERY_MINUTE} and deploy."
        )
    if armed.at and late > CALL_LATE:
        raise Bad(
            f"the call of poll that was due {late:.0f} s ago has not come; resume a model to"
            f" wake poll. If that happens again, set POLL_TIMER to {EVERY_MINUTE} and deploy."
        )
    return f"the next one is due in {-late:.0f} s" if armed.at else "none is under way"


def _sweep(access: Access) -> str:
    try:
        with access.app("doctor --sweep") as app:
            swept = app.sweep.run(SWEEP_SECONDS)
    except Trouble as error:
        raise Bad(error.message) from None
    seen = [f"{counted(len(swept.taken), 'file')} taken in whose event never came"]
    seen[0] += f": {', '.join(swept.taken[:MOST_NAMED])}" if swept.taken else ""
    if swept.unread:
        seen.append(f"no job files by their suffix: {', '.join(swept.unread[:MOST_NAMED])}")
    if not swept.whole:
        seen.append("there are more, so run it again")
    if swept.failed:
        named = ", ".join(swept.failed[:MOST_NAMED])
        raise Bad(f"{'; '.join(seen)}; could not be taken in (wanx -v says why): {named}")
    return "; ".join(seen)


def _service_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    made: list[tuple[ModelStudio, Settings]] = []

    def opened() -> str | None:
        made.extend(_opened(environ))
        return _model_service(*made[0]) if made else None

    first = _checked("model service", opened)
    yield first
    if first.ok and made:
        yield _region_check(made[0][1])
        yield from _limit_checks(*made[0])


def _opened(environ: Mapping[str, str]) -> list[tuple[ModelStudio, Settings]]:
    """The service; nothing without a key, which the functions hold anyway."""
    key = environ.get("DASHSCOPE_API_KEY")
    if not key:
        return []
    names = {"OSS_ENDPOINT": "-", "OSS_BUCKET": "-", **environ, "DASHSCOPE_API_KEY": key}
    try:
        settings = load_settings(names)
    except SettingsError as error:
        raise Bad(str(error)) from None
    session = requests.Session()
    service = ModelStudio(settings.base_url, FixedKey(key), session, settings.workspace)
    return [(service, settings)]


def _model_service(service: ModelStudio, settings: Settings) -> str:
    """Lists tasks, which is free."""
    try:
        service.probe(load_catalogue().names()[0])
    except ServiceError as error:
        raise Bad(_service_advice(settings.base_url, error)) from None
    return f"{settings.base_url} takes the key"


def _region_check(settings: Settings) -> Check:
    """The region that host or setting name, and how much of the catalogue is offered there."""
    region, catalogue = settings.model_region, load_catalogue()
    offered, known = len(in_region(catalogue, region)), len(catalogue.names())
    trial = model_host(settings.base_url).trial
    text = f"{region}, {offered} of {known} models"
    text = f"{text}; a trial host, which has low limits" if trial else text
    return Check("region", True, text, warns=trial)


def _limit_checks(service: ModelStudio, settings: Settings) -> Iterator[Check]:
    """Whether the catalogue's limits are those of the account. What the account does not say is
    no failure: not every host offers this."""
    region = settings.model_region
    models = {model.id_in(region): model for model in in_region(load_catalogue(), region)}
    try:
        found = account_limits(service, models)
    except ServiceError as error:
        text = f"skipped: {settings.base_url} does not tell the account's limits ({error.code})"
        yield Check("limits", None, text)
        return
    said = {name: other_limits(models[name], region, seen) for name, seen in found.items()}
    for name, other in sorted(said.items()):
        if other:
            yield Check(f"limits of {models[name].name}", True, other, warns=True)
    same = sum(other is None for other in said.values())
    text = f"{same} of {counted(len(models), 'model')} are as the account has them"
    if len(found) < len(models):
        text += f"; {len(models) - len(found)} are not in its list"
    yield Check("limits", True if found else None, text)


def _service_advice(url: str, error: ServiceError) -> str:
    if error.http == 0:
        return f"{url} cannot be reached; check DASHSCOPE_HTTP_BASE_URL and the network."
    if error.http == 401 or error.code in ("InvalidApiKey", "invalid_api_key"):
        host = model_host(url)
        own = f"workspace {host.workspace}" if host.workspace else "same region as the base URL"
        return (
            f"{url} refuses DASHSCOPE_API_KEY; take a key of the Model Studio console of the {own}."
        )
    return f"{url} answered {error.code}: {error.message} (HTTP {error.http}); try again later."


def _api_check(access: Access) -> Check:
    if not access.url:
        return Check("API", None, "API_URL is not set; left out")
    return _checked("API", lambda: _api(access))


def _api(access: Access) -> str:
    """Asks for a job that cannot exist: "no such job" says that token and API are right."""
    try:
        url, token = access.url, access.checked_token()
    except Trouble as error:
        raise Bad(error.message) from None
    if not token:
        raise Bad("there is no token; set API_TOKEN, or give --token T.")
    try:
        Client(url, token, attempts=1).get(NOBODY)
    except UnknownJob:
        return f"{url} takes the token"
    except WanxError as error:
        raise Bad(_api_advice(url, error)) from None
    raise Bad(not_the_api(url, 200).message)


def _api_advice(url: str, error: WanxError) -> str:
    if isinstance(error, Unreachable):
        return (
            f"{url} cannot be reached ({error.reason}); check API_URL, and that the functions are"
            " deployed, or the laptop cloud up."
        )
    if isinstance(error, NotTheApi):
        return not_the_api(url, error.status).message
    if not isinstance(error, Refused):
        return str(error)
    status = error.problem.status
    if status in (401, 403):
        return f"{url} refuses the token; its SHA-256 must stand in API_TOKEN_SHA256."
    if status < 500:
        return not_the_api(url, status).message
    return f"{url} answered HTTP {status}; look at the log of the function api."
