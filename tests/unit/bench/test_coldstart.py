"""What a cold start imports, counted; and how starts become figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.coldstart import Way, line, slower
from tests.bench.starting import Start, StartFailed, imported

ROOT = Path(__file__).resolve().parents[3]
MOST_MODULES = 400
"""What functions/submit/index.py may import, Python's own modules included."""
NEVER_USED = {"Crypto", "cryptography", "aliyunsdkcore", "aliyunsdkkms", "charset_normalizer"}


def modules_of(function: str) -> set[str]:
    folders = [ROOT, ROOT / "functions" / function]
    return set(imported(Path(sys.executable), [*folders, *sites()], ["index"]).modules)


def sites() -> list[Path]:
    return [Path(path) for path in sys.path if path.endswith("site-packages")]


def run(code: str) -> Any:
    """What the code printed as JSON; it must have printed nothing to standard error."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert not done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("function", ["submit", "poll", "rescue"])
def test_a_cold_start_imports_what_it_needs_and_no_more(function: str) -> None:
    modules = modules_of(function)
    roots = {name.partition(".")[0] for name in modules}
    assert not roots & (NEVER_USED | {"falcon", "jsonschema", "PIL"})
    assert {"oss2", "requests", "yaml"} <= roots
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


def test_a_start_that_fails_says_why() -> None:
    with pytest.raises(StartFailed, match="no_such_module"):
        imported(Path(sys.executable), [], ["no_such_module"])


def a_start(done: float) -> Start:
    return Start(0.01, done / 2, done, ("a", "b"))


def a_way(name: str, goal: float | None) -> Way:
    return Way(name, lambda: a_start(1.0), ours=True, goal=goal)


def test_a_line_holds_the_median_and_the_part_that_is_imports() -> None:
    made = line(a_way("submit", 0.2), [a_start(0.1), a_start(0.3), a_start(0.2)])
    assert (made.value, made.low, made.high, made.n) == (0.2, 0.1, 0.3, 3)
    assert made.note == "imports done after 0.10 s, 2 modules"


def test_only_medians_above_their_goals_are_told() -> None:
    found = [
        (a_way("submit", 0.2), [a_start(0.1), a_start(0.25), a_start(0.3)]),
        (a_way("poll", 0.5), [a_start(0.4), a_start(0.5), a_start(9.0)]),
        (a_way("api, without bytecode", None), [a_start(2.0)]),
    ]
    assert slower(iter(found)) == ["`submit` takes 0.25 s instead of 0.2 s"]
