"""The packages as `make package` builds them, run by the laptop cloud as Function Compute would."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import oss2
import pytest
import requests

from deploy.packaging.__main__ import main as build
from deploy.packaging.interpreters import Interpreter, find_interpreter, how_to_get
from deploy.packaging.settings import ROOT, load_package_settings
from local.up import LaptopCloud, UpError

pytestmark = pytest.mark.timeout(900)  # a first build downloads the packages

RUNTIME = "python3.10"
WEB_PYTHON = "python3.11"
"""Of the web function, whose runtime is custom.debian12."""
DOWNLOADS = ROOT / "build/.cache"
"""Shared by all builds; what is built is not, as each process that runs tests builds its own."""
PATIENCE = 60.0
EXAMPLES = ROOT / "examples"
JOB = "cat-glasses"
"""The id of the job in inpainting.yaml; its images are a JPEG and a PNG, both looked into."""


@dataclass(frozen=True)
class Packaged:
    """A laptop cloud that runs packages, and what these looked like before."""

    cloud: LaptopCloud
    python: Interpreter
    web_python: Interpreter
    folder: Path
    before: dict[str, tuple[int, int, int]]

    def python_of(self, function: str) -> str:
        """The Python that a function runs on."""
        return str((self.web_python if function == "api" else self.python).path)

    def instances(self) -> list[int]:
        """The processes of all functions' instances."""
        url = f"{self.cloud.env['API_URL']}/_runtime/state"
        functions = requests.get(url, timeout=10).json()["functions"].values()
        return [instance["pid"] for f in functions for instance in f["instances"]]


@pytest.fixture(scope="module")
def pythons() -> list[Interpreter]:
    found = {name: find_interpreter(name, os.environ) for name in (RUNTIME, WEB_PYTHON)}
    for name, python in found.items():
        if python is None:
            pytest.skip(f"needs {name}: {how_to_get(name)}")
    return [python for python in found.values() if python]


@pytest.fixture(scope="module")
def packaged(
    pythons: list[Interpreter], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Packaged]:
    folder, data = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("packaged")
    to = ["--out", str(folder), "--cache", str(DOWNLOADS)]
    assert build([*to, "--runtime", RUNTIME]) == 0
    before = fingerprint(folder)
    with LaptopCloud(data, 0, task_seconds=0.3, timer_minute=5.0, packages=folder) as cloud:
        yield Packaged(cloud, pythons[0], pythons[1], folder, before)


def fingerprint(packages: Path) -> dict[str, tuple[int, int, int]]:
    """Name, size, time and mode of every file and folder of the packages."""
    found = {}
    for name in load_package_settings().functions:
        for path in [packages / name, *(packages / name).rglob("*")]:
            status = path.stat()
            found[str(path)] = (status.st_size, status.st_mtime_ns, status.st_mode)
    return found


def test_a_job_runs_from_the_packages_alone(packaged: Packaged) -> None:
    env = packaged.cloud.env
    auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
    bucket = oss2.Bucket(auth, env["OSS_ENDPOINT"], env["OSS_BUCKET"], region=env["OSS_REGION"])
    for name in ("cat.jpg", "cat-mask.png"):
        bucket.put_object_from_file(f"inputs/{name}", str(EXAMPLES / "inputs" / name))
    bucket.put_object_from_file("jobs/cat.yaml", str(EXAMPLES / "inpainting.yaml"))
    headers = {"Authorization": f"Bearer {env['API_TOKEN']}"}
    end = time.monotonic() + PATIENCE
    while not bucket.object_exists(f"results/{JOB}/result.json"):
        assert time.monotonic() < end, "no result"
        time.sleep(0.05)
    manifest = json.loads(bucket.get_object(f"results/{JOB}/result.json").read())
    assert manifest["state"] == "SUCCEEDED"
    answer = requests.get(f"{env['API_URL']}/jobs/{JOB}", headers=headers, timeout=30)
    assert answer.status_code == 200
    instances = packaged.instances()
    assert len(instances) >= 3  # submit, poll, api
    for pid in instances:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert command[0].decode() in (packaged.python_of("poll"), packaged.python_of("api"))
        assert command[1] == b"-S"
        assert str(ROOT / ".venv").encode() not in Path(f"/proc/{pid}/maps").read_bytes()
    assert fingerprint(packaged.folder) == packaged.before


def test_the_page_is_packaged_as_browsers_get_it(packaged: Packaged) -> None:
    url = packaged.cloud.env["API_URL"]
    named = re.findall(r'(?:href|src)="(web/[^"]+)"', requests.get(f"{url}/", timeout=30).text)
    found = {requests.get(f"{url}/{one}", timeout=30).headers["Content-Type"] for one in named}
    assert found == {"image/svg+xml", "text/css; charset=utf-8", "text/javascript; charset=utf-8"}
    assert not (packaged.folder / "api" / "web" / "js").exists()


IMPORT_ALL = """
import importlib, json, pkgutil, sys
sys.path[:0] = [sys.argv[1]]
import index, shared
names = [m.name for m in pkgutil.walk_packages(shared.__path__, "shared.")]
for name in (*names, *sys.argv[2:]):
    importlib.import_module(name)
files = [getattr(module, "__file__", None) for module in sys.modules.values()]
print(json.dumps(sorted({file for file in files if file})))
"""
IMAGES = ("Image", "JpegImagePlugin", "PngImagePlugin", "BmpImagePlugin", "TiffImagePlugin")
SECRETS = ("aliyunsdkcore.client", "aliyunsdkkms.request.v20160120.GetSecretValueRequest")
LATER = ("jsonschema", *SECRETS, *(f"PIL.{name}" for name in IMAGES))
"""Libraries that are imported when first needed."""


@pytest.mark.parametrize("function", sorted(load_package_settings().functions))
def test_every_module_of_a_package_finds_what_it_imports(packaged: Packaged, function: str) -> None:
    folder = packaged.folder / function
    done = subprocess.run(
        [packaged.python_of(function), "-S", "-B", "-c", IMPORT_ALL, str(folder), *LATER],
        cwd=ROOT / "docs",
        env={},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    files = json.loads(done.stdout)
    foreign = [f for f in files if "site-packages" in f or f.startswith(str(ROOT / "shared"))]
    assert not foreign
    assert (folder / "falcon").exists() == (function == "api")
    assert (folder / "waitress").exists() == (function == "api")
    assert not [p for p in folder.rglob("*") if p.name in ("local", "tests", "SelfTest")]


COLD = """
import json, sys
sys.path[:0] = [sys.argv[1]]
import index
from shared.instance import Instance
Instance().yaml[1].classify("Throttling", "", 429)
made = {
    f"{name}.{kind.__name__}"
    for name, module in list(sys.modules.items()) if name.startswith("shared.")
    for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == name
    for method in vars(kind).values()
    if getattr(getattr(method, "__code__", None), "co_filename", "") == "<string>"
}
print(json.dumps([sorted(made), sorted({"yaml", "jsonschema", "PIL"} & sys.modules.keys())]))
"""


@pytest.mark.parametrize("function", ["submit", "poll"])
def test_a_cold_start_generates_no_code_and_imports_no_parser(
    packaged: Packaged, function: str
) -> None:
    done = subprocess.run(
        [packaged.python_of(function), "-S", "-B", "-c", COLD, str(packaged.folder / function)],
        env={},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == [[], []]


def test_a_package_of_another_runtime_is_refused(packaged: Packaged, tmp_path: Path) -> None:
    """s.yaml says python3.10; a package for python3.12 would fail at its first import."""
    names = load_package_settings().functions
    for name in names:
        (tmp_path / "build" / name).mkdir(parents=True)
        stamp = {"runtime": RUNTIME if name == "submit" else "python3.12"}
        (tmp_path / "build" / name / "BUILD.json").write_text(json.dumps(stamp))
    cloud = LaptopCloud(tmp_path / "data", 0, packages=tmp_path / "build")
    with pytest.raises(UpError, match=r"is built for python3\.12, and s\.yaml runs"):
        cloud.__enter__()


def test_without_packages_it_says_how_to_make_them(tmp_path: Path) -> None:
    # Twice: a server left over from the first start would hold the folder's lock.
    for _ in range(2):
        cloud = LaptopCloud(tmp_path / "data", 0, packages=tmp_path)
        with pytest.raises(UpError, match="no built package; make it with: make package"):
            cloud.__enter__()


WRITES = {
    "open": "open('new', 'w')",
    "append": "open('old', 'a')",
    "path": "pathlib.Path('old').write_text('x')",
    "descriptor": "os.open('new', os.O_CREAT | os.O_WRONLY)",
    "mkdir": "os.makedirs('a/b')",
    "remove": "os.remove('old')",
    "rename in": "os.rename(outside, 'new')",
    "rename out": "os.rename('old', outside)",
    "link": "os.symlink(outside, 'new')",
    "roundabout": "open(outside + '/../code/new', 'w')",
    "chmod": "os.chmod('old', 0o777)",
    "copy": "shutil.copyfile('old', 'new')",
    "rmtree": "shutil.rmtree('.')",
}


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES.keys())
def test_the_code_folder_cannot_be_written_even_by_root(tmp_path: Path, statement: str) -> None:
    code, outside = tmp_path / "code", tmp_path / "scratch"
    code.mkdir()
    outside.mkdir()
    (code / "old").write_text("old")
    script = f"""
import os, pathlib, shutil
from local.runtime.packaged import refuse_writes
outside = {str(outside)!r}
os.chdir({str(code)!r})
refuse_writes(os.getcwd())
open("old").read()
open(outside + "/file", "w").close()
try:
    {statement}
except OSError as error:
    raise SystemExit(error.errno)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (errno.EROFS, "")
    assert [path.name for path in code.iterdir()] == ["old"]
    assert (code / "old").read_text() == "old"
