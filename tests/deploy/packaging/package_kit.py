"""A small source tree with two packages of its own: what is built from it needs no network."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""That of the Python which runs the tests: its bytecode can always be made."""
NOBODY_HAS = "python3.99"

PYPROJECT = f"""
[tool.wanx.package]
own = ["shared", "schemas"]
prune = ["*/tests/*", "*.c", "*.dist-info/RECORD"]
sources = {{ classic = "python3/classic" }}
runtimes = {{ "{RUNTIME}" = 28, "{NOBODY_HAS}" = 28 }}
[tool.wanx.package.functions.small]
without = ["modern"]
leave_out = ["shared/api/jobs_api/*"]
zip = 1
unpacked = 1
[tool.wanx.package.functions.large]
add = ["web"]
zip = 1
unpacked = 1
"""
TREE = {
    "pyproject.toml": PYPROJECT,
    "functions/small/index.py": "import classic, shared.core\nNAMES = {'a', 'b', 'c', 'd'}\n"
    "def handler(event, context):\n    raise ValueError(classic.NAME)\n",
    "functions/large/index.py": "import modern, shared.api.jobs_api.app\n",
    "shared/__init__.py": "",
    "shared/core.py": "KINDS = frozenset({'one', 'two', 'three'})\n",
    "shared/api/jobs_api/__init__.py": "",
    "shared/api/jobs_api/app.py": "",
    "shared/__pycache__/core.cpython-399.pyc": "left by somebody",
    "schemas/job.yaml": "a: 1\n",
    "web/index.html": "<p>",
    "local/secret.py": "not for the cloud",
    "tests/test_it.py": "",
}
WHEEL = {
    "modern/__init__.py": "NAME = 'modern'\n",
    "modern/tests/test_modern.py": "",
    "modern/part.c": "int main;",
    "modern-2.0.data/platlib/modern/fast.py": "",
    "modern-2.0.data/scripts/modern": "#!",
    "modern-2.0.dist-info/METADATA": "Name: modern\n",
    "modern-2.0.dist-info/licenses/LICENSE": "do as you like",
    "modern-2.0.dist-info/RECORD": "",
}
SOURCE = {
    "classic-1.0/setup.py": "raise SystemExit('nobody runs me')",
    "classic-1.0/LICENSE": "do as you like",
    "classic-1.0/python2/classic/__init__.py": "print 'two'",
    "classic-1.0/python3/classic/__init__.py": "NAME = 'classic'\n",
    "classic-1.0/python3/src/part.c": "",
}


def make_tree(root: Path) -> Path:
    """The tree, its lock, and the two packages as if they had been downloaded; returns `root`."""
    for name, text in TREE.items():
        write(root / name, text)
    files = {"modern": _wheel(WHEEL), "classic": _archive(SOURCE)}
    names = {"modern": "modern-2.0-py3-none-any.whl", "classic": "classic-1.0.tar.gz"}
    pins = {"modern": "2.0", "classic": "1.0"}
    lock = ""
    for name, body in files.items():
        path = root / "out" / ".cache" / "files" / names[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        lock += f"{name}=={pins[name]} --hash=sha256:{hashlib.sha256(body).hexdigest()}\n"
    for runtime in (RUNTIME, NOBODY_HAS):
        write(root / "functions" / f"lock-{runtime}.txt", lock)
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _wheel(files: dict[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return body.getvalue()


def _archive(files: dict[str, str]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return body.getvalue()
