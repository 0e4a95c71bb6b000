"""Checks of the services beside the bucket: Model Studio and the HTTP API.

Facts: listing tasks costs nothing (task management page).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import requests

from cli.access import Access
from cli.backends.answers import not_the_api
from cli.bucket_checks import Bad, Cause, Check, checked
from cli.limit_checks import in_region, other_limits
from cli.output import counted
from cli.trouble import Trouble
from shared.catalogue.model_file import load_catalogue
from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import ModelStudio, ServiceError
from shared.modelstudio.limits import account_limits
from shared.platform.model_hosts import model_host
from shared.platform.settings import Settings, SettingsError, load_settings
from wanx import Client, NotTheApi, Refused, UnknownJob, Unreachable, WanxError

NOBODY = "wanx-doctor-asks-for-no-job"


def service_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    """Whether Model Studio takes the key, and what the account may do there."""
    made: list[tuple[ModelStudio, Settings]] = []

    def opened() -> str | None:
        made.extend(_opened(environ))
        return _model_service(*made[0]) if made else None

    first = checked("model service", opened)
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
        raise Bad(str(error), Cause.WRONG) from None
    session = requests.Session()
    service = ModelStudio(settings.base_url, FixedKey(key), session, settings.workspace)
    return [(service, settings)]


def _model_service(service: ModelStudio, settings: Settings) -> str:
    """Lists tasks, which is free."""
    try:
        service.probe(load_catalogue().names()[0])
    except ServiceError as error:
        raise Bad(_service_advice(settings.base_url, error), _service_cause(error)) from None
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
        text = f"{text}; {len(models) - len(found)} are not in its list"
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


def _service_cause(error: ServiceError) -> Cause:
    if error.http == 0:
        return Cause.UNREACHABLE
    return Cause.BUSY if error.http == 429 or error.http >= 500 else Cause.OTHER


def api_check(access: Access) -> Check:
    """Whether the HTTP API answers and takes the token."""
    if not access.url:
        return Check("API", None, "API_URL is not set; left out")
    return checked("API", lambda: _api(access))


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
        raise Bad(_api_advice(url, error), _api_cause(error)) from None
    raise Bad(not_the_api(url, 200).message)


def _api_cause(error: WanxError) -> Cause:
    if isinstance(error, Unreachable):
        return Cause.UNREACHABLE
    failing = isinstance(error, Refused) and error.problem.status >= 500
    return Cause.FAILING if failing else Cause.OTHER


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
