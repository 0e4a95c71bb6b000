"""The deployment that is looked at: its settings, and what its parts were seen to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from cli.access import ROOT, Access
from cli.bucket_checks import Bucket, open_settings
from cli.deployment.openapi import OpenApi
from cli.deployment.steps import Plan
from cli.verify.facts import load_facts
from cli.verify.trial import Trial
from shared.platform.clock import SystemClock, new_random

ROS = "https://ros.aliyuncs.com"
FC_VERSION, ROS_VERSION = "2023-03-30", "2019-09-10"
HERE = ("127.0.0.1", "localhost", "::1")


@dataclass
class Site:
    """A deployment by its settings. `stack`: what functions' names begin with; `build`: a package
    that was built here. What Function Compute and ROS said is kept: each is asked once."""

    access: Access
    plan: Plan
    stack: str = "wanx"
    build: Path = ROOT / "build" / "api"
    triggers_seen: dict[str, list[dict[str, Any]] | None] = field(default_factory=dict)
    stack_seen: Mapping[str, Any] | None = None

    @cached_property
    def bucket(self) -> Bucket:
        """Raises Bad where a setting is missing or wrong."""
        return open_settings(self.access.environ)

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self.bucket.settings.oss_bucket

    @property
    def foundation(self) -> str:
        """The name of the stack of ROS that s.yaml makes."""
        return f"{self.stack}-foundation"

    @property
    def is_laptop(self) -> bool:
        """Whether the bucket is on this computer."""
        return urlsplit(self.bucket.settings.oss_endpoint).hostname in HERE

    @property
    def ros(self) -> str:
        """Where ROS answers; empty on a laptop, which has none."""
        chosen = str(self.access.environ.get("ROS_ENDPOINT") or "")
        return chosen or ("" if self.is_laptop else ROS)

    @cached_property
    def fc(self) -> str:
        """Where Function Compute answers. Raises StoreError."""
        settings = self.bucket.settings
        return settings.invoke_endpoint or (
            f"https://{self.bucket.store.owner()}.{settings.oss_region}.fc.aliyuncs.com"
        )

    @cached_property
    def trial(self) -> Trial:
        """The same deployment as `verify-cloud` asks it."""
        return Trial(
            self.access, self.bucket, SystemClock(), new_random(), load_facts()[1], self.stack
        )

    @cached_property
    def api(self) -> OpenApi:
        """The platform's APIs under the AccessKey of the settings."""
        keys = self.bucket.credentials
        assert keys is not None
        return OpenApi(keys, requests.Session(), SystemClock(), new_random())
