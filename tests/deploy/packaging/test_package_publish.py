"""`make publish`: the zips lie in OSS under the hash of what they hold, uploaded once."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.packaging.publish import main, publish
from deploy.packaging.settings import ROOT, PackageError
from tests.kit.oss_server import BUCKET, KEY_ID, REGION, SECRET, OssServer, oss_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssServer]:
    with oss_server(tmp_path_factory.mktemp("oss")) as running:
        yield running


@pytest.fixture
def archives(tmp_path: Path) -> dict[str, Path]:
    made = {name: tmp_path / f"{name}.zip" for name in ("submit", "poll")}
    for name, path in made.items():
        path.write_bytes(f"zip of {name} in {tmp_path}".encode())
    return made


def environ(server: OssServer, **changes: str) -> dict[str, str]:
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    return {**keys, "OSS_ENDPOINT": server.url, "OSS_REGION": REGION, **changes}


def test_the_folder_is_named_after_what_it_holds(
    server: OssServer, archives: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = publish(archives, BUCKET, "code/", environ(server))
    lines = [
        f"{hashlib.sha256(archives[name].read_bytes()).hexdigest()}  {name}.zip\n"
        for name in ("poll", "submit")
    ]
    assert folder == f"code/{hashlib.sha256(''.join(lines).encode()).hexdigest()}/"
    for name, path in archives.items():
        stored = server.bucket().get_object(f"{folder}{name}.zip").read()
        assert stored == path.read_bytes()
    assert f"CodeBucket={BUCKET}\n  CodePrefix={folder}\n" in capsys.readouterr().out


def test_what_is_there_is_not_uploaded_again(
    server: OssServer, archives: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(archives, BUCKET, "code/", environ(server))
    assert capsys.readouterr().out.count("uploaded") == 2
    publish(archives, BUCKET, "code/", environ(server))
    assert capsys.readouterr().out.count("was there") == 2


def test_another_zip_makes_another_folder(server: OssServer, archives: dict[str, Path]) -> None:
    first = publish(archives, BUCKET, "code/", environ(server))
    archives["poll"].write_bytes(b"changed")
    assert publish(archives, BUCKET, "code/", environ(server)) != first


def test_a_refusal_is_explained_without_the_secret(
    server: OssServer, archives: dict[str, Path]
) -> None:
    wrong = environ(server, ALIBABA_CLOUD_ACCESS_KEY_SECRET="not-the-secret")
    with pytest.raises(PackageError, match=r"OSS refused .*403.*oss:PutObject") as caught:
        publish(archives, BUCKET, "code/", wrong)
    assert "not-the-secret" not in str(caught.value)


def test_a_missing_bucket_is_told(server: OssServer, archives: dict[str, Path]) -> None:
    with pytest.raises(PackageError, match="no bucket not-there at"):
        publish(archives, "not-there", "code/", environ(server))
    with pytest.raises(PackageError, match="make publish BUCKET="):
        publish(archives, "", "code/", environ(server))


def test_nothing_is_uploaded_before_everything_is_built(
    server: OssServer, archives: dict[str, Path]
) -> None:
    archives["poll"].unlink()
    with pytest.raises(PackageError, match="run: make package"):
        publish(archives, BUCKET, "early/", environ(server))
    assert not server.bucket().list_objects(prefix="early/").object_list


def test_without_keys_it_speaks_to_a_person(server: OssServer, archives: dict[str, Path]) -> None:
    with pytest.raises(PackageError, match="export OSS_ACCESS_KEY_ID") as caught:
        publish(archives, BUCKET, "code/", {"OSS_ENDPOINT": server.url})
    assert "role" not in str(caught.value)


def test_a_bucket_that_cannot_be_is_named(archives: dict[str, Path]) -> None:
    with pytest.raises(PackageError, match="BUCKET is 'My_Images'; expected 3 to 63 lower-case"):
        publish(archives, "My_Images", "code/", {})


@pytest.mark.parametrize(
    ("bucket", "changes", "code", "said"),
    [
        (BUCKET, {}, 0, ""),
        ("", {}, 1, "make publish BUCKET=my-bucket"),
        ("not-there", {}, 1, "correct BUCKET or OSS_REGION"),
        (BUCKET, {"OSS_ACCESS_KEY_ID": ""}, 1, "export OSS_ACCESS_KEY_ID"),
        (BUCKET, {"OSS_ACCESS_KEY_SECRET": "wrong"}, 1, "403 SignatureDoesNotMatch"),
        (BUCKET, {"OSS_ENDPOINT": "http://127.0.0.1:1"}, 1, "could not be reached"),
    ],
)
def test_bucket_and_keys_are_looked_at_before_anything_is_built(
    server: OssServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    bucket: str,
    changes: dict[str, str],
    code: int,
    said: str,
) -> None:
    held = {"OSS_ACCESS_KEY_ID": KEY_ID, "OSS_ACCESS_KEY_SECRET": SECRET, "OSS_REGION": REGION}
    for name, value in {**held, "OSS_ENDPOINT": server.url, **changes}.items():
        monkeypatch.setenv(name, value)
    assert main(["--bucket", bucket, "--only-look", "--build", "/nowhere"]) == code
    assert said in capsys.readouterr().err


def test_make_looks_before_it_builds() -> None:
    """The packages take minutes."""
    make = ["make", "-n", "-o", ".venv/.laptop", "publish", "BUCKET=my-packages"]
    planned = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert planned.index("--only-look") < planned.index("deploy.packaging --runtime")
