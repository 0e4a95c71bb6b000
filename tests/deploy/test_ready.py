"""What `s deploy` asks before it builds anything."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.ready import notices, problems

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"OSS_BUCKET": "studio-images", "DASHSCOPE_API_KEY": "sk-0"}


def test_a_bucket_and_a_key_are_enough() -> None:
    assert problems(GOOD) == []
    assert any("let nobody in" in text for text in notices(GOOD))
    assert notices({**GOOD, "API_TOKEN_SHA256": "0" * 64}) == []


def test_the_host_of_the_model_service_is_looked_at() -> None:
    def of(host: str, **more: str) -> dict[str, str]:
        return {**GOOD, "API_TOKEN_SHA256": "0" * 64, "DASHSCOPE_HTTP_BASE_URL": host, **more}

    (said,) = notices(of("https://trial.cn-beijing.maas.aliyuncs.com"))
    assert "low limits" in said
    own = of("https://llm-a.us-east-1.maas.aliyuncs.com")
    assert (problems(own), notices(own)) == ([], [])
    (said,) = problems({**own, "DASHSCOPE_REGION": "cn-beijing"})
    assert "a host of region us-east-1" in said
    (said,) = problems(of("https://token-plan.cn-beijing.maas.aliyuncs.com"))
    assert "interactive tools alone" in said


def test_the_public_endpoint_is_not_for_the_functions() -> None:
    def of(endpoint: str) -> list[str]:
        return notices({**GOOD, "API_TOKEN_SHA256": "0" * 64, "OSS_ENDPOINT": endpoint})

    assert of("https://oss-cn-beijing-internal.aliyuncs.com") == []
    (said,) = of("https://oss-cn-beijing.aliyuncs.com")
    assert "Leave it out; cloud.env is for wanx alone" in said


def test_alarms_need_who_is_notified() -> None:
    assert problems({**GOOD, "ALARMS": "true", "ALARM_POLICY": "on-call"}) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"OSS_BUCKET": ""}, "lacks OSS_BUCKET: export it in this shell"),
        ({"DASHSCOPE_API_KEY": ""}, "lacks DASHSCOPE_API_KEY"),
        ({"OSS_BUCKET": "My_Images"}, "lower-case letters"),
        ({"OSS_BUCKET": "ab"}, "3 to 63"),
        ({"OSS_BUCKET": "my-images"}, "the example of docs/deploy.md; put a name of your own"),
        ({"DASHSCOPE_API_KEY": "sk-your-key"}, "put the key of the Model Studio console into"),
        ({"OSS_ENDPOINT": "http://127.0.0.1:9480"}, ".local/env"),
        ({"DASHSCOPE_HTTP_BASE_URL": "http://localhost:9481/api/v1"}, ".local/env"),
        ({"API_TOKEN_SHA256": "secret"}, "sha256sum"),
        ({"API_TOKEN_SHA256": f"{'0' * 64},{hashlib.sha256(b'').hexdigest()}"}, "empty text"),
        ({"API_TOKENS": "[{}]"}, "Token 1 of API_TOKENS"),
        ({"OSS_REGION": "cn-hangzhou"}, "OSS_REGION is cn-hangzhou"),
        ({"UNKNOWN_POLICY": "guess"}, "UNKNOWN_POLICY"),
        ({"ALARMS": "yes"}, "ALARMS is 'yes'"),
        ({"ALARMS": "true"}, "ID of an action policy"),
    ],
)
def test_what_cannot_work_is_named_with_what_to_do(change: dict[str, str], expected: str) -> None:
    found = problems({**GOOD, **change})
    assert len(found) == 1, found
    assert expected in found[0]


def test_the_command_ends_with_1_and_says_why() -> None:
    environ = {"PATH": os.environ["PATH"], "OSS_BUCKET": "studio-images"}
    command = [sys.executable, "-m", "deploy.ready"]
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert run.returncode == 1
    assert "cannot deploy: The environment lacks DASHSCOPE_API_KEY" in run.stderr
