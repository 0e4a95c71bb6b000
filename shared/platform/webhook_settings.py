"""Who may be told of jobs by HTTP: the settings WEBHOOKS, WEBHOOK_HOSTS and WEBHOOK_KEY."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.platform.addresses import Address, address_of, is_public_name

SUCCEEDED, FAILED, REJECTED = "succeeded", "failed", "rejected"
NEEDS_ATTENTION, EXPIRED, CANCELED = "needs_attention", "expired", "canceled"
SUBMITTED = "submitted"
ENDS = (SUCCEEDED, FAILED, REJECTED, NEEDS_ATTENTION, EXPIRED, CANCELED)
"""What a receiver hears of if nothing else is said."""
EVENTS = (*ENDS, SUBMITTED)
LONGEST_URL = 2048
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SHORTEST_KEY, MOST_KEYS = 32, 2
"""Characters of the master key; and how many there may be, while one follows the other."""
FIELDS = ("url", "events", "prompts", "urls")
EXPECTED = "https://host/path, or the name of a webhook of this deployment"


class WrongWebhook(Exception):
    """What is wrong with a webhook; `expected` says what would be right."""

    def __init__(self, expected: str, message: str) -> None:
        super().__init__(message)
        self.expected = expected


@dataclass(frozen=True)
class Receiver:
    """Where events go, and which. `prompts`: with the prompt; `urls`: with links to the images."""

    url: str
    events: tuple[str, ...] = ENDS
    prompts: bool = False
    urls: bool = False


@dataclass(frozen=True)
class WebhookSettings:
    """`keys`: the master key, and the one before it while receivers still verify with that one's
    secrets; without one nothing is sent. `named`: receivers by name. `hosts`: the only ones that
    may be told, any public one if there are none; `*.example.com` are all below a name. `origins`:
    addresses with their scheme, which may be told whatever they are, such as http://127.0.0.1.
    """

    keys: tuple[str, ...] = field(default=(), repr=False)
    named: Mapping[str, Receiver] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def find(self, webhook: str) -> Receiver | None:
        """The receiver that a job names, by its address or its name."""
        return Receiver(webhook) if "://" in webhook else self.named.get(webhook)

    def check(self, webhook: str) -> None:
        """Raises WrongWebhook if a job may not name this webhook here."""
        check_form(webhook)
        if not self.keys:
            message = "this deployment sends no webhooks: set WEBHOOK_KEY, or leave `webhook` out"
            raise WrongWebhook("no webhook", message)
        if "://" in webhook:
            self.check_host(webhook)
        elif webhook not in self.named:
            known = ", ".join(sorted(self.named)) or "none"
            message = f"no webhook of this name is configured; there are: {known}"
            raise WrongWebhook(EXPECTED, message)

    def check_host(self, url: str) -> None:
        """Raises WrongWebhook unless the host of a well-formed address may be told."""
        address = address_of(url)
        assert address is not None
        if self.trusts(address):
            return
        if address.scheme != "https":
            message = "events are sent over https alone; write https://"
            raise WrongWebhook(EXPECTED, message)
        if not is_public_name(address.host):
            message = (
                f"`{address.host[:80]}` is an address inside a network; events are sent to public"
                " addresses, and to those that the setting WEBHOOK_HOSTS names with their scheme"
            )
            raise WrongWebhook("a host that can be reached from the internet", message)
        if self.hosts and not any(_covers(one, address.host) for one in self.hosts):
            allowed = ", ".join(self.hosts)[:400]
            message = f"`{address.host[:80]}` is not among the hosts of the setting WEBHOOK_HOSTS"
            raise WrongWebhook(f"a host among {allowed}", message)

    def trusts(self, address: Address) -> bool:
        """Whether the address may be told whatever it is."""
        own = (f"{address.scheme}://{address.host}", address.origin)
        return any(one in own for one in self.origins)


NO_WEBHOOKS = WebhookSettings()


def check_form(webhook: str) -> None:
    """Raises WrongWebhook for what is neither an address nor a name."""
    if "://" not in webhook:
        if NAME.fullmatch(webhook):
            return
        raise WrongWebhook(EXPECTED, "write an address with https://, or a configured name")
    if len(webhook) > LONGEST_URL:
        message = f"the address has {len(webhook)} characters; at most {LONGEST_URL} are taken"
        raise WrongWebhook(f"at most {LONGEST_URL} characters", message)
    address = address_of(webhook)
    if address is None or address.scheme not in ("http", "https"):
        message = (
            "the address cannot be used; write https://host/path in ASCII, without spaces and"
            " without a user name"
        )
        raise WrongWebhook(EXPECTED, message)
    if "#" in webhook:
        raise WrongWebhook(EXPECTED, "the address holds a fragment, which is never sent; drop `#…`")


def read_webhooks(environ: Mapping[str, str]) -> WebhookSettings:
    """The settings. Raises ValueError with what is wrong; it never quotes a key."""
    words = _words(environ.get("WEBHOOK_HOSTS", ""))
    origins = tuple(one.lower().rstrip("/") for one in words if "://" in one)
    hosts = tuple(one.lower() for one in words if "://" not in one)
    for one in origins:
        found = address_of(one)
        if found is None or one not in (f"{found.scheme}://{found.host}", found.origin):
            raise ValueError(f"WEBHOOK_HOSTS: {one[:80]!r} must be scheme://host or with a port.")
    settings = WebhookSettings(_keys(environ.get("WEBHOOK_KEY", "")), {}, hosts, origins)
    named = _named(environ.get("WEBHOOKS", ""), settings)
    return WebhookSettings(settings.keys, named, hosts, origins)


def _keys(text: str) -> tuple[str, ...]:
    keys = _words(text)
    if len(keys) > MOST_KEYS or any(len(one) < SHORTEST_KEY for one in keys):
        raise ValueError(
            f"WEBHOOK_KEY must be one key of at least {SHORTEST_KEY} characters, or the new and the"
            " old one with a comma between them; make one with: openssl rand -hex 32"
        )
    return keys


def _named(text: str, settings: WebhookSettings) -> dict[str, Receiver]:
    if not text.strip():
        return {}
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, dict):
        raise ValueError('WEBHOOKS must be a JSON object: {"shop": {"url": "https://…"}}.')
    return {name: _receiver(name, item, settings) for name, item in items.items()}


def _receiver(name: str, item: Any, settings: WebhookSettings) -> Receiver:
    where = f"WEBHOOKS: {name[:80]!r}"
    if not NAME.fullmatch(name):
        raise ValueError(f"{where} must be a name of letters, digits, dots, _ and -.")
    if not isinstance(item, dict) or not set(item) <= set(FIELDS) or "url" not in item:
        raise ValueError(f"{where} must be an object of {', '.join(FIELDS)}; url is needed.")
    events, url = item.get("events", list(ENDS)), item["url"]
    if not isinstance(events, list) or not events or not set(map(str, events)) <= set(EVENTS):
        raise ValueError(f"{where}: events must be a list of some of {', '.join(EVENTS)}.")
    flags = [item.get(one, False) for one in ("prompts", "urls")]
    if not all(isinstance(one, bool) for one in flags):
        raise ValueError(f"{where}: prompts and urls must be true or false.")
    try:
        if not isinstance(url, str) or "://" not in url:
            raise WrongWebhook(EXPECTED, "write an address with https://")
        check_form(url)
        settings.check_host(url)
    except WrongWebhook as error:
        raise ValueError(f"{where}: url: {error}.") from None
    return Receiver(url, tuple(events), *flags)


def _covers(allowed: str, host: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
