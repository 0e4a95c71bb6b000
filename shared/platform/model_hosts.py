"""The hosts of Model Studio: which region and which workspace an address belongs to.

Facts: Model Studio base URL page and regions page (October 2026). Shared hosts take every key of
their region; a workspace's host takes the keys of that workspace alone; trial hosts have low
limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

BEIJING = "cn-beijing"
SHARED = {
    "dashscope.aliyuncs.com": BEIJING,
    "dashscope-intl.aliyuncs.com": "ap-southeast-1",
    "dashscope-us.aliyuncs.com": "us-east-1",
    "cn-hongkong.dashscope.aliyuncs.com": "cn-hongkong",
}
REGIONS = (
    BEIJING,
    "ap-southeast-1",
    "ap-northeast-1",
    "eu-central-1",
    "us-east-1",
    "cn-hongkong",
)
"""Regions in which workspaces have hosts of their own."""
OF_A_REGION = re.compile(r"([a-z0-9][a-z0-9-]{0,62})\.([a-z0-9-]{1,32})\.maas\.aliyuncs\.com")
TRIAL = "trial"
PLANS = ("token-plan", "coding")
OF_A_PLAN = (
    "is a host of Token Plan or Coding Plan, which the service allows in interactive tools alone,"
    " not in functions. Use https://dashscope.aliyuncs.com or the host of your workspace,"
    f" https://WORKSPACE.{BEIJING}.maas.aliyuncs.com."
)


class HostError(Exception):
    """The address cannot be used; the message continues a sentence that begins with it."""


@dataclass(frozen=True)
class ModelHost:
    """What a host's name says. `region` None: a host of nobody known, such as a proxy or this
    computer. `workspace`: the only one whose keys the host takes."""

    region: str | None = None
    workspace: str | None = None
    trial: bool = False


def model_host(url: str) -> ModelHost:
    """What is known of the host of a base URL. Raises HostError if it is none for functions."""
    host = (urlsplit(url).hostname or "").lower()
    if host == "coding.dashscope.aliyuncs.com":
        raise HostError(OF_A_PLAN)
    if host in SHARED:
        return ModelHost(SHARED[host])
    named = OF_A_REGION.fullmatch(host)
    if named is None:
        if host.endswith(".maas.aliyuncs.com"):
            raise HostError(
                "is no host of Model Studio: expected https://WORKSPACE.REGION.maas.aliyuncs.com,"
                f" with one of the regions {', '.join(REGIONS)}."
            )
        return ModelHost()
    workspace, region = named.groups()
    if workspace in PLANS:
        raise HostError(OF_A_PLAN)
    if region not in REGIONS:
        raise HostError(
            f"names the region {region}; the regions with hosts of workspaces are"
            f" {', '.join(REGIONS)}."
        )
    if workspace == TRIAL:
        return ModelHost(region, trial=True)
    return ModelHost(region, workspace)
