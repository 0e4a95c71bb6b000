"""Serverless Devs itself renders s.yaml and its second stage, as the laptop does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.checks.serverless import ACCOUNT, check_rendered
from deploy.checks.tools import node_command
from deploy.stack.render import DeclarationError, render

ROOT = Path(__file__).resolve().parents[3]
NEEDED = {"OSS_BUCKET": "my-images", "DASHSCOPE_API_KEY": "example-key"}
OTHERS = {
    "OSS_REGION": "cn-hangzhou",
    "OSS_ENDPOINT": "https://oss-cn-hangzhou-internal.aliyuncs.com",
    "LOG_LEVEL": "",
    "CREATE_TIMEOUT": "20",
    "API_TOKEN_SHA256": "ab" * 32,
    "CORS_ORIGIN": "https://images.example.com",
    "WANX_CODE": "./elsewhere",
}


class Serverless:
    """The command `s` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        seen = {"current": "3.1.10", "latest": "3.1.10", "lastUpdateCheck": time.time() * 1000}
        config = home / ".s/config/update-notifier.json"  # fresh: nobody asks for a newer version
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps(seen), encoding="utf-8")

    def preview(
        self, environ: dict[str, str], file: str = "s.yaml", folder: Path = ROOT
    ) -> subprocess.CompletedProcess[str]:
        command = [str(node_command("s")), "preview", "-o", "json", "--silent", "-t", file]
        return subprocess.run(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def rendered(self, environ: dict[str, str], file: str = "s.yaml", folder: Path = ROOT) -> Any:
        done = self.preview(environ, file, folder)
        assert done.returncode == 0, done.stdout
        return json.loads(done.stdout[done.stdout.index("{\n") :])


@pytest.fixture(scope="module")
def serverless(tmp_path_factory: pytest.TempPathFactory) -> Serverless:
    return Serverless(tmp_path_factory.mktemp("home"))


def on_the_laptop(file: Path, environ: dict[str, str]) -> Any:
    return render(file, environ, {"AccountID": "${config('AccountID')}"})


@pytest.mark.parametrize("file", ["s.yaml", "s.dev.yaml"])
@pytest.mark.parametrize("environ", [NEEDED, {**NEEDED, **OTHERS}], ids=["needed", "others"])
def test_it_renders_as_on_the_laptop_and_has_no_findings(
    serverless: Serverless, file: str, environ: dict[str, str]
) -> None:
    document = serverless.rendered(environ, file)
    laptop = on_the_laptop(ROOT / file, environ)
    for each in (document, laptop):
        del each["access"]  # left as it stands in one file, rendered in one that extends another
    assert document == laptop
    known = json.loads(json.dumps(document).replace("${config('AccountID')}", ACCOUNT))
    findings = check_rendered({**known, "access": "default"}, ROOT)
    assert [str(each) for each in findings] == []


def test_without_a_bucket_it_is_not_rendered_and_says_so(serverless: Serverless) -> None:
    done = serverless.preview({"DASHSCOPE_API_KEY": "example-key"})
    assert done.returncode == 1
    assert "OSS_BUCKET" in done.stdout + done.stderr


def test_a_second_stage_shares_no_name_with_the_first(serverless: Serverless) -> None:
    first, second = (names(serverless.rendered(NEEDED, file)) for file in ("s.yaml", "s.dev.yaml"))
    assert len(first) == len(second) >= 5
    assert not first & second
    assert all(name.startswith("wanx-dev-") for name in second)


def names(document: Any) -> set[str]:
    """Everything a stage makes that has a name of its own in the account."""
    found = set()
    for resource in document["resources"].values():
        props = resource["props"]
        found |= {props.get("name"), props.get("functionName")}
        found |= {props.get("role", "").rsplit("/", 1)[-1]}
        found |= {props.get("logConfig", {}).get("project")}
    return {name for name in found if name}


def test_a_file_that_extends_another_lists_replace_and_mappings_merge(
    serverless: Serverless, tmp_path: Path
) -> None:
    (tmp_path / "base.yaml").write_text(
        "edition: 3.0.0\nname: base\naccess: default\n"
        "vars: {list: [1, 2], map: {a: 1}}\n"
        "resources:\n  one:\n    component: fc3\n"
        '    props: {region: cn-beijing, list: "${vars.list}", tags: [a, b], empty: '
        "\"${env('EMPTY','other')}\"}\n",
        encoding="utf-8",
    )
    (tmp_path / "over.yaml").write_text(
        "extend: base.yaml\nname: over\nvars: {list: [3], map: {b: 2}}\n"
        "resources:\n  one:\n    props: {tags: [c]}\n",
        encoding="utf-8",
    )
    document = serverless.rendered({"EMPTY": ""}, "over.yaml", tmp_path)
    assert document == on_the_laptop(tmp_path / "over.yaml", {"EMPTY": ""})
    assert document["resources"]["one"]["props"]["tags"] == ["c"]
    assert document["resources"]["one"]["props"]["empty"] == "other"


def test_a_file_cannot_extend_itself_by_way_of_another(tmp_path: Path) -> None:
    for one, other in (("a.yaml", "b.yaml"), ("b.yaml", "a.yaml")):
        (tmp_path / one).write_text(f"extend: {other}\nresources: {{}}\n", encoding="utf-8")
    with pytest.raises(DeclarationError, match="extend"):
        render(tmp_path / "a.yaml", {}, {})


def test_a_deployment_must_set_nothing_else() -> None:
    text = (ROOT / "s.yaml").read_text(encoding="utf-8")
    without_default = set(re.findall(r"\$\{env\('([^']+)'\)\}", text))
    assert without_default <= set(NEEDED)
