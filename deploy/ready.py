"""`python -m deploy.ready`: whether the environment can be deployed, before anything is built.

`s deploy` runs it first. It costs no request; what needs the account is looked at by `wanx doctor`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from shared.platform.model_hosts import HostError, model_host
from shared.platform.settings import MissingSettings, Settings, SettingsError, load_settings

BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")
"""3 to 63 lower-case letters, digits and hyphens (OSS "Bucket naming" page)."""
BUCKET_FORM = (
    "3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends: my-images"
)
HERE = ("127.0.0.1", "localhost", "::1")
ENDPOINTS = ("OSS_ENDPOINT", "OSS_PUBLIC_ENDPOINT", "DASHSCOPE_HTTP_BASE_URL", "API_URL")
EXAMPLE_KEY, EXAMPLE_BUCKET = "sk-your-key", "my-images"
"""What docs/deploy.md has in place of an API key, and of a bucket's name, which somebody owns."""
DEFAULT_ENDPOINT = "https://oss-cn-beijing-internal.aliyuncs.com"


def problems(environ: Mapping[str, str]) -> list[str]:
    """What keeps this environment from being deployed; empty when nothing does."""
    found = [*_bucket(environ), *_key(environ), *_laptop(environ), *_tokens(environ)]
    found += _alarms(environ)
    try:
        settings = load_settings({"OSS_ENDPOINT": DEFAULT_ENDPOINT, **environ})
    except MissingSettings as error:
        return [*found, f"{error.lacks}: export it in this shell, from which s deploys"]
    except SettingsError as error:
        return [*found, str(error)]
    return [*found, *_region(settings)]


def _bucket(environ: Mapping[str, str]) -> Iterator[str]:
    name = environ.get("OSS_BUCKET", "")
    if name and not BUCKET.fullmatch(name):
        yield f"OSS_BUCKET is {name!r}; expected {BUCKET_FORM}"
    if name == EXAMPLE_BUCKET:
        yield (
            f"OSS_BUCKET is {EXAMPLE_BUCKET}, the example of docs/deploy.md; put a name of your own"
            " into deploy.env, since names of buckets are unique in all of OSS"
        )


def _key(environ: Mapping[str, str]) -> Iterator[str]:
    if environ.get("DASHSCOPE_API_KEY") == EXAMPLE_KEY:
        yield (
            f"DASHSCOPE_API_KEY is {EXAMPLE_KEY}, the example of docs/deploy.md; put the key of the"
            " Model Studio console into deploy.env"
        )


def _laptop(environ: Mapping[str, str]) -> Iterator[str]:
    for name in ENDPOINTS:
        value = environ.get(name, "")
        if value and urlsplit(value if "://" in value else f"//{value}").hostname in HERE:
            yield (
                f"{name} is {value}, which is this computer: the cloud cannot reach it."
                " Has this shell read the laptop's .local/env? Deploy from a new one."
            )


def _tokens(environ: Mapping[str, str]) -> Iterator[str]:
    for digest in environ.get("API_TOKEN_SHA256", "").split(","):
        if digest.strip() and not re.fullmatch(r"[0-9a-fA-F]{64}", digest.strip()):
            yield (
                "API_TOKEN_SHA256 must be the SHA-256 of the token as 64 hex digits, not the token:"
                ' : "${TOKEN:?}" && printf %s "$TOKEN" | sha256sum'
            )


def _alarms(environ: Mapping[str, str]) -> Iterator[str]:
    switch = environ.get("ALARMS", "false")
    if switch not in ("true", "false"):
        yield f"ALARMS is {switch!r}; expected true, which makes dashboard and alarms, or false"
    elif switch == "true" and not environ.get("ALARM_POLICY"):
        yield (
            "ALARMS is true but ALARM_POLICY is not set, so nobody would be notified; expected the"
            " ID of an action policy, which you create in the console of Log Service: docs/logs.md"
        )


def _region(settings: Settings) -> Iterator[str]:
    host = urlsplit(settings.oss_endpoint).hostname or ""
    named = re.fullmatch(r"oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com", host)
    if named and named[1] != settings.oss_region:
        yield (
            f"OSS_ENDPOINT is of region {named[1]} but OSS_REGION is {settings.oss_region};"
            " a trigger's bucket lies in the function's region: set both to the bucket's."
        )


def notices(environ: Mapping[str, str]) -> list[str]:
    """What is allowed and may still surprise."""
    found = []
    if not environ.get("API_TOKEN_SHA256") and not environ.get("API_TOKENS"):
        found.append(
            "Neither API_TOKEN_SHA256 nor API_TOKENS is set: the HTTP endpoints will let nobody in."
        )
    if environ.get("OSS_ENDPOINT") and "-internal." not in environ["OSS_ENDPOINT"]:
        found.append(
            f"OSS_ENDPOINT is {environ['OSS_ENDPOINT']}, not the region's internal endpoint: the"
            " functions would pay for traffic. Leave it out; cloud.env is for wanx alone."
        )
    if _is_trial(environ.get("DASHSCOPE_HTTP_BASE_URL", "")):
        found.append(
            "DASHSCOPE_HTTP_BASE_URL is a trial host, which has low limits: for production take the"
            " host of your workspace, https://WORKSPACE.REGION.maas.aliyuncs.com."
        )
    return found


def _is_trial(url: str) -> bool:
    try:
        return model_host(url if "://" in url else f"https://{url}").trial
    except HostError:
        return False  # which is a problem, not a notice


def main() -> int:
    """Print what is wrong or worth knowing. 1 when the environment cannot be deployed."""
    found = problems(os.environ)
    for text in found:
        print(f"cannot deploy: {text}", file=sys.stderr)
    for text in notices(os.environ):
        print(f"notice: {text}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
