"""The laptop refuses what the checks refuse, in the same words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.checks.serverless import ACCOUNT, check_serverless
from deploy.stack.render import DeclarationError
from local.runtime.load import load_functions

ROOT = Path(__file__).resolve().parents[3]
ENVIRON = {
    "OSS_BUCKET": "my-images",
    "DASHSCOPE_API_KEY": "example-key",
    "WANX_CODE": str(ROOT / "functions"),
}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("memorySize: 512", "memorySize: 65536", "found 65536; expected 128 to 32768"),
        ("memorySize: 512", "memorySize: 500", "found 500; expected a multiple of 64"),
        ("'python3.10'", "'python3.9'", 'found "python3.9"; expected python3.10 or python3.12'),
        ("reservedConcurrency: 1", "reservedConcurrency: 0", "found 0; expected 1 to 300"),
        ("memorySize: 512", 'memorySize: "512"', 'found "512"; expected a whole number'),
        ("','@every 1m'", "','@every 90s'", "a whole number of minutes"),
        ("suffix: .yml", "suffix: .yaml", "OSS refuses the second one"),
        ("rescue\n      triggers", "resque\n      triggers", "expected a function of this stack"),
    ],
)
def test_both_refuse_it_with_the_same_message(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    shutil.copy(ROOT / "template.yml", tmp_path)
    text = (ROOT / "s.yaml").read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "s.yaml"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    found = [str(one) for one in check_serverless(path, ENVIRON) if said in str(one)]
    assert found
    with pytest.raises(DeclarationError) as refused:
        load_functions(path, ENVIRON, ACCOUNT)
    assert {f"{path}: {one}" for one in found} <= set(str(refused.value).splitlines())
