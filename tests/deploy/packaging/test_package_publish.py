"""`make publish`: the zips lie in OSS under the hash of what they hold, uploaded once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.packaging.publish import publish
from deploy.packaging.settings import PackageError
from shared.platform.settings import SettingsError
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
    with pytest.raises(PackageError, match="in the bucket not-there"):
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


def test_without_keys_it_says_what_is_missing(server: OssServer, archives: dict[str, Path]) -> None:
    with pytest.raises(SettingsError, match="credentials"):
        publish(archives, BUCKET, "code/", {"OSS_ENDPOINT": server.url})
