"""Settings, read once from the environment: all that differs between laptop and cloud."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from shared.platform.model_hosts import BEIJING, HostError, ModelHost, model_host
from shared.platform.webhook_settings import (
    NO_WEBHOOKS,
    WebhookSettings,
    WrongWebhook,
    read_webhooks,
)

API_PATH = "/api/v1"
BEIJING_BASE_URL = "https://dashscope.aliyuncs.com/api/v1"
"""Default of Model Studio's base URL (wan2.5 API reference): region China (Beijing)."""

BASE_URL, MODEL_REGION = "DASHSCOPE_HTTP_BASE_URL", "DASHSCOPE_REGION"
WORKSPACE = "DASHSCOPE_WORKSPACE"
REQUIRED = ("OSS_ENDPOINT", "OSS_BUCKET")
BUCKET = ("OSS_PUBLIC_ENDPOINT", "OSS_REGION", "FC_REGION", "RESULTS_BUCKET")
KEY, KEY_SECRET = "DASHSCOPE_API_KEY", "DASHSCOPE_API_KEY_SECRET"
"""Model Studio's API key itself, or the name of the KMS secret that holds it."""
PLAN_KEY = "sk-sp-"
"""How the keys of Token Plan and Coding Plan begin."""
OF_A_PLAN = (
    f"holds a key of a Token Plan or Coding Plan ({PLAN_KEY}…), which the service allows in"
    " interactive tools alone, not in functions (Model Studio base URL page). Make an ordinary API"
    " key in the Model Studio console, in the same region, and set that."
)
SCOPES = ("read", "submit", "admin")
"""What a token may do; each scope includes those before it."""
PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,22}[._-]")
NOBODY = hashlib.sha256(b"").hexdigest()
"""The SHA-256 of no token at all: what a shell makes of `printf %s "$TOKEN"` without a TOKEN."""
ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""What OSS allows (bucket naming page)."""
LOG_LEVELS = ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")


EVERY_MINUTE, SAFETY_NET = "@every 1m", "@every 360m"
"""How often the timer starts poll. With the safety net poll calls itself when something is due."""


class SettingsError(Exception):
    """The environment lacks a setting or holds one that cannot be used. The text speaks to whoever
    deploys a function; a front for people at a terminal has words of its own for what is missing.
    """


class MissingSettings(SettingsError):
    """The environment lacks the settings `names`; what to do differs between function and shell."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.lacks = f"The environment lacks {' and '.join(names)}"
        super().__init__(
            f"{self.lacks}: set them in s.yaml under environmentVariables (on a laptop, start the"
            " functions with `make up`)."
        )


class NoCredentials(SettingsError):
    """There are no keys for OSS: neither of a function's role nor of a person."""

    def __init__(self) -> None:
        super().__init__(
            "No credentials for OSS: give the function a role (s.yaml: props.role) whose policy"
            " allows it to read and write the bucket."
        )


@dataclass(frozen=True)
class Credentials:
    """Keys for OSS. `token` is set for temporary ones (a function's role). Never printed."""

    key_id: str = field(repr=False)
    key_secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Token:
    """A caller's token by its SHA-256; its jobs are those whose ids begin with `prefix`.

    `webhook`: who is told of them if they do not say it themselves.
    """

    sha256: str = field(repr=False)
    scope: str = "admin"
    prefix: str = ""
    webhook: str = ""


@dataclass(frozen=True)
class Settings:
    """A function's settings. Times in seconds, sizes in bytes.

    The outcome of a submission that is not answered within `create_timeout` is unknown. Its task is
    looked for in the task list; if there is none after `unknown_grace`, the job is submitted again
    (`unknown_policy` resolve). With `ask` a person decides. A synchronous model is given
    `call_timeout` for its answer, and at most `most_open_calls` wait for one at once.

    `model_region` is Model Studio's region: the one the base URL and the API key belong to.
    `input_delivery` says how images that lie in the bucket reach the service: `presigned` (a URL
    of the public endpoint) or `inline` (base64, only where the model takes it). `result_hosts`
    are hosts results may be fetched from besides those the catalogue documents. `api_url` is the
    base of the URLs in answers; empty means https and the request's host. `results_bucket` has
    what is below results/; empty: `oss_bucket` has that too. `result_base_url`: the
    address at which a CDN serves the bucket's results; empty: links to them are signed ones of OSS.
    `token_hashes`: SHA-256
    of tokens that may do everything. `cors_origin`: pages of this origin may call from a browser.

    Exactly one of `api_key` and `api_key_secret` is set; the latter names a KMS secret, which is
    read at `kms_endpoint`. `log_prompts`: the log may hold prompt texts. `poll_timer`: how often
    the timer starts poll; `invoke_endpoint`: where poll calls itself (empty: the account's own).
    `webhooks`: who may be told of jobs.
    """

    oss_endpoint: str
    oss_public_endpoint: str
    oss_bucket: str
    oss_region: str
    base_url: str
    api_key: str = field(repr=False)
    model_region: str = "cn-beijing"
    workspace: str | None = None
    input_delivery: str = "presigned"
    result_hosts: tuple[str, ...] = ()
    token_hashes: tuple[str, ...] = field(default=(), repr=False)
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    cors_origin: str = ""
    api_url: str = ""
    results_bucket: str = ""
    result_base_url: str = ""
    create_timeout: float = 30.0
    call_timeout: float = 600.0
    most_open_calls: int = 16
    unknown_grace: float = 120.0
    lease_seconds: float = 40.0
    unknown_policy: str = "resolve"
    job_file_bytes: int = 16 * 1024 * 1024
    result_image_bytes: int = 64 * 1024 * 1024
    log_level: str = "INFO"
    log_prompts: bool = False
    api_key_secret: str = ""
    kms_endpoint: str = ""
    poll_timer: str = EVERY_MINUTE
    invoke_endpoint: str = ""
    webhooks: WebhookSettings = NO_WEBHOOKS


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError naming every missing variable at once."""
    missing = [name for name in REQUIRED if not environ.get(name)]
    if not environ.get(KEY) and not environ.get(KEY_SECRET):
        missing.append(f"{KEY} (or {KEY_SECRET})")
    if missing:
        raise MissingSettings(missing)
    if environ.get(KEY) and environ.get(KEY_SECRET):
        raise SettingsError(
            f"The environment has both {KEY} and {KEY_SECRET}: set the key itself or the name of"
            " the KMS secret that holds it, and leave the other one empty."
        )
    if environ.get(KEY, "").startswith(PLAN_KEY):
        raise SettingsError(f"{KEY} {OF_A_PLAN}")
    endpoint = _with_scheme(environ["OSS_ENDPOINT"])
    base_url = _base_url(environ.get(BASE_URL) or BEIJING_BASE_URL)
    region = environ.get("OSS_REGION") or environ.get("FC_REGION") or "cn-beijing"
    webhooks = _webhooks(environ)
    return Settings(
        oss_endpoint=endpoint,
        oss_public_endpoint=_with_scheme(
            environ.get("OSS_PUBLIC_ENDPOINT") or endpoint.replace("-internal.", ".")
        ),
        oss_bucket=environ["OSS_BUCKET"],
        oss_region=region,
        base_url=base_url,
        api_key=environ.get(KEY, ""),
        api_key_secret=environ.get(KEY_SECRET, ""),
        kms_endpoint=_with_scheme(environ.get("KMS_ENDPOINT") or f"kms.{region}.aliyuncs.com"),
        model_region=model_region(environ),
        workspace=_workspace(environ, base_url),
        input_delivery=_one_of(environ, "INPUT_DELIVERY", ("presigned", "inline")),
        result_hosts=_words(environ.get("RESULT_HOSTS", "")),
        token_hashes=_token_hashes(environ.get("API_TOKEN_SHA256", "").lower()),
        tokens=_tokens(environ.get("API_TOKENS", ""), webhooks),
        cors_origin=environ.get("CORS_ORIGIN", "").rstrip("/"),
        results_bucket=_results_bucket(environ),
        result_base_url=_base_of_results(environ.get("RESULT_BASE_URL", "")),
        api_url=environ.get("API_URL", "").rstrip("/"),
        create_timeout=_seconds(environ, "CREATE_TIMEOUT", 30.0),
        call_timeout=_seconds(environ, "CALL_TIMEOUT", 600.0),
        most_open_calls=_count(environ, "MAX_OPEN_CALLS", 16, most=64),
        unknown_policy=_one_of(environ, "UNKNOWN_POLICY", ("resolve", "ask")),
        unknown_grace=_seconds(environ, "UNKNOWN_GRACE", 120.0),
        lease_seconds=_seconds(environ, "LEASE_SECONDS", 40.0),
        log_level=_one_of(environ, "LOG_LEVEL", LOG_LEVELS),
        poll_timer=_one_of(environ, "POLL_TIMER", (EVERY_MINUTE, SAFETY_NET)),
        invoke_endpoint=environ.get("INVOKE_ENDPOINT", "").rstrip("/"),
        log_prompts=_one_of(environ, "LOG_PROMPTS", ("no", "yes")) == "yes",
        webhooks=webhooks,
    )


def load_store_settings(environ: Mapping[str, str]) -> Settings:
    """Only what the bucket needs, for code that must work although another setting is wrong.

    Raises SettingsError.
    """
    missing = [name for name in REQUIRED if not environ.get(name)]
    if missing:
        raise MissingSettings(missing)
    kept = {name: environ[name] for name in (*REQUIRED, *BUCKET) if name in environ}
    return load_settings({**kept, KEY: "not used"})


def load_credentials(environ: Mapping[str, str], context: object = None) -> Credentials:
    """The function's own keys, as Function Compute hands them over.

    `context.credentials` first: they are those of this invocation, while those of the environment
    are as old as the instance. The Python 3.12 runtime has no `context.credentials` (Function
    Compute help page "Context"). Last, for people at a terminal, the names that oss2 and
    .local/env use.
    Raises NoCredentials.
    """
    held = getattr(context, "credentials", None)
    if held is not None and getattr(held, "access_key_id", None):
        return Credentials(
            held.access_key_id, held.access_key_secret, getattr(held, "security_token", None)
        )
    key_id = environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    secret = environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    if key_id and secret:
        return Credentials(key_id, secret, environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") or None)
    key_id, secret = environ.get("OSS_ACCESS_KEY_ID"), environ.get("OSS_ACCESS_KEY_SECRET")
    if key_id and secret:
        return Credentials(key_id, secret, environ.get("OSS_SESSION_TOKEN") or None)
    raise NoCredentials


def _with_scheme(endpoint: str) -> str:
    return endpoint if "://" in endpoint else f"https://{endpoint}"


def _base_url(url: str) -> str:
    trimmed = _with_scheme(url).rstrip("/")
    try:
        return trimmed if urlsplit(trimmed).path else f"{trimmed}{API_PATH}"
    except ValueError:
        what = f"is no address; expected one such as {BEIJING_BASE_URL}"
        raise SettingsError(f"{BASE_URL} is {url}, which {what}.") from None


def _model_host(url: str) -> ModelHost:
    try:
        host = model_host(url)
    except HostError as error:
        raise SettingsError(f"{BASE_URL} is {url}, which {error}") from None
    path = urlsplit(url).path
    if host.region and path != API_PATH:
        raise SettingsError(
            f"{BASE_URL} is {url}: the API that is spoken here is at {API_PATH}, not at {path}."
        )
    return host


def model_region(environ: Mapping[str, str]) -> str:
    """The region that the host names, or else the setting: a region decides on ids and prices.

    Raises SettingsError.
    """
    base_url = _base_url(environ.get(BASE_URL) or BEIJING_BASE_URL)
    named, chosen = _model_host(base_url).region, environ.get(MODEL_REGION)
    if named and chosen and chosen != named:
        raise SettingsError(
            f"{MODEL_REGION} is {chosen}, but {BASE_URL} ({base_url}) is a host of region {named}:"
            f" take the host of the key's region, and leave {MODEL_REGION} out."
        )
    return named or chosen or BEIJING


def _workspace(environ: Mapping[str, str], base_url: str) -> str | None:
    named, chosen = _model_host(base_url).workspace, environ.get(WORKSPACE) or None
    if named and chosen and chosen.lower() != named:
        raise SettingsError(
            f"{WORKSPACE} is {chosen}, but {BASE_URL} ({base_url}) is the host of the workspace"
            f" {named}, which takes no other's key: leave {WORKSPACE} out, or correct the host."
        )
    return chosen


def _results_bucket(environ: Mapping[str, str]) -> str:
    """Empty where it is the bucket of everything else."""
    name = environ.get("RESULTS_BUCKET", "")
    if name and not BUCKET_NAME.fullmatch(name):
        raise SettingsError(
            f"RESULTS_BUCKET is {name!r}; expected the name of a bucket, 3 to 63 lower-case"
            " letters, digits and hyphens, or nothing for the bucket of OSS_BUCKET."
        )
    return "" if name == environ["OSS_BUCKET"] else name


def _base_of_results(text: str) -> str:
    url = text.strip().rstrip("/")
    if url and not ADDRESS.fullmatch(url):
        raise SettingsError(
            f"RESULT_BASE_URL is {text!r}; it must be an address of http or https, without query:"
            " https://images.example.com"
        )
    return url


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _token_hashes(text: str) -> tuple[str, ...]:
    hashes = _words(text)
    if NOBODY in hashes:
        raise SettingsError(f"API_TOKEN_SHA256 {_EMPTY_TOKEN}")
    return hashes


_EMPTY_TOKEN = (
    "holds the SHA-256 of an empty text, which would let everybody in: the shell that made it had"
    ' no TOKEN. Choose a token, TOKEN=$(openssl rand -hex 24), and hash that: printf %s "$TOKEN" |'
    " sha256sum"
)


def _webhooks(environ: Mapping[str, str]) -> WebhookSettings:
    try:
        return read_webhooks(environ)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _tokens(text: str, webhooks: WebhookSettings) -> tuple[Token, ...]:
    """API_TOKENS: a JSON list of objects. An error never quotes the value."""
    if not text.strip():
        return ()
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list):
        raise SettingsError(
            'API_TOKENS must be a JSON list: [{"sha256": "…", "scope": "submit", "prefix": "a-"}].'
        )
    return tuple(_token(number, item, webhooks) for number, item in enumerate(items, 1))


def _token(number: int, item: Any, webhooks: WebhookSettings) -> Token:
    where = f"Token {number} of API_TOKENS"
    if not isinstance(item, dict) or not set(item) <= {"sha256", "scope", "prefix", "webhook"}:
        raise SettingsError(f"{where} must be an object of sha256, scope, prefix and webhook.")
    digest, scope, prefix = item.get("sha256"), item.get("scope"), item.get("prefix", "")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
        raise SettingsError(f"{where}: sha256 must be the token's SHA-256 as 64 hex digits.")
    if digest.lower() == NOBODY:
        raise SettingsError(f"{where}: sha256 {_EMPTY_TOKEN}")
    if scope not in SCOPES:
        raise SettingsError(f"{where}: scope must be {', '.join(SCOPES[:-1])} or {SCOPES[-1]}.")
    if not isinstance(prefix, str) or (prefix and not PREFIX.fullmatch(prefix)):
        raise SettingsError(
            f"{where}: prefix must have at most 24 letters, digits, dots, underscores and hyphens,"
            " begin with a letter or digit and end with a dot, underscore or hyphen: team-a-"
        )
    webhook = item.get("webhook", "")
    try:
        if not isinstance(webhook, str):
            raise WrongWebhook("", "it must be a text")
        if webhook:
            webhooks.check(webhook)
    except WrongWebhook as error:
        raise SettingsError(f"{where}: webhook: {error}.") from None
    return Token(digest.lower(), scope, prefix, webhook)


def _one_of(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The setting's value; the first choice is the default."""
    value = environ.get(name) or choices[0]
    if value.upper() in choices:
        return value.upper()
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; it must be {' or '.join(map(repr, choices))}.")
    return value


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; it must be a number of seconds.") from None
    if not 0 < value < float("inf"):
        raise SettingsError(f"{name} is {text!r}; it must be a finite number above 0.")
    return value


def _count(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        raise SettingsError(f"{name} is {text!r}; it must be a whole number from 1 to {most}.")
    return int(text)
