"""What a cold start imports, and that the slim imports break nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
MOST_MODULES = 400
"""What functions/submit/index.py may import, Python's own modules included."""
NEVER_USED = {"Crypto", "cryptography", "aliyunsdkcore", "aliyunsdkkms", "charset_normalizer"}


def modules_of(function: str) -> set[str]:
    place = str(ROOT / "functions" / function)
    code = f"import json, sys; sys.path.insert(0, {place!r}); import index; "
    return set(run(code + "print(json.dumps(sorted(sys.modules)))"))


def run(code: str) -> Any:
    """What the code prints as JSON, if it prints nothing to standard error."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert not done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("function", ["submit", "poll", "rescue"])
def test_a_cold_start_imports_what_it_needs_and_no_more(function: str) -> None:
    modules = modules_of(function)
    roots = {name.partition(".")[0] for name in modules}
    assert not roots & (NEVER_USED | {"falcon", "jsonschema", "PIL", "yaml"})
    assert {"oss2", "requests"} <= roots
    assert len(modules) <= MOST_MODULES, f"{len(modules)} modules are imported"


def test_afterwards_the_real_packages_can_be_imported() -> None:
    code = """
import json, shared.app
from aliyunsdkcore.client import AcsClient
from aliyunsdkkms.request.v20160120.GetSecretValueRequest import GetSecretValueRequest
from Crypto.Cipher import AES
import charset_normalizer
found = [AcsClient.__name__, GetSecretValueRequest().get_action_name(), AES.MODE_CTR]
print(json.dumps([*found, charset_normalizer.from_bytes.__name__]))
"""
    assert run(code) == ["AcsClient", "GetSecretValue", 6, "from_bytes"]


@pytest.mark.parametrize("before", ["oss2", "Crypto", "aliyunsdkcore"])
def test_what_was_imported_before_stays_whole(before: str) -> None:
    code = f"""
import json, sys, {before}
from shared.platform.slim_imports import oss2
import oss2.crypto
whole = oss2.crypto.RSA is not None and oss2.crypto.client is not None
print(json.dumps([whole, oss2 is sys.modules["oss2"]]))
"""
    assert run(code) == [True, True]


@pytest.mark.parametrize("before", ["requests", "charset_normalizer"])
def test_requests_that_was_whole_stays_whole(before: str) -> None:
    code = f"""
import json, {before}
from shared.platform.slim_imports import requests
print(json.dumps(requests.compat.chardet.__name__))
"""
    assert run(code) == "charset_normalizer"


def test_a_text_without_an_encoding_is_utf_8() -> None:
    code = """
import json
from shared.platform.slim_imports import requests
answer = requests.Response()
answer._content = "照片".encode()
print(json.dumps(answer.text))
"""
    assert run(code) == "照片"


def test_client_side_encryption_is_what_is_missing() -> None:
    code = """
import json
from shared.platform.slim_imports import oss2
try:
    oss2.RsaProvider({"private_key": "", "public_key": ""})
except Exception as error:
    print(json.dumps(type(error).__name__))
"""
    assert run(code) == "AttributeError"


def test_api_imports_no_event_loop_and_no_parser() -> None:
    roots = {name.partition(".")[0] for name in modules_of("api")}
    assert not roots & (NEVER_USED | {"asyncio", "jsonschema", "PIL", "yaml"})
    assert {"falcon", "oss2", "requests"} <= roots


def test_afterwards_asyncio_is_the_real_one() -> None:
    code = """
import json, shared.api, falcon, asyncio
async def answer(): return 42
print(json.dumps([asyncio.run(answer()), falcon.HTTP_200]))
"""
    assert run(code) == [42, "200 OK"]


@pytest.mark.parametrize("before", ["falcon", "asyncio"])
def test_falcon_that_was_whole_stays_whole(before: str) -> None:
    code = f"""
import json, {before}
import shared.api, asyncio, falcon.util.sync
async def answer(): return 42
same = falcon.util.sync.asyncio is asyncio
print(json.dumps([same, falcon.async_to_sync(answer)]))
"""
    assert run(code) == [True, 42]
