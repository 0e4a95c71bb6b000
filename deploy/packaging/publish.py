"""`python -m deploy.packaging.publish`: the zips into OSS, from where template.yml takes them."""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import oss2
import requests

from deploy.packaging.build import hash_of_all
from deploy.packaging.settings import ROOT, PackageError, load_package_settings
from deploy.packaging.wheelhouse import digest
from deploy.ready import BUCKET, BUCKET_FORM
from shared.platform.settings import NoCredentials, load_credentials

NO_OVERWRITE = "x-oss-forbid-overwrite"
"""OSS PutObject page: 409 FileAlreadyExists instead of a second version."""


def main(arguments: list[str] | None = None) -> int:
    """0 when every zip is there; 1 with a message otherwise."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.only_look:
            look(asked.bucket, asked.prefix, os.environ)
            return 0
        settings = load_package_settings()
        archives = {name: asked.build / f"{name}.zip" for name in settings.functions}
        publish(archives, asked.bucket, asked.prefix, os.environ)
    except PackageError as error:
        print(f"publish: {error}", file=sys.stderr)
        return 1
    return 0


def publish(
    archives: Mapping[str, Path], bucket: str, prefix: str, environ: Mapping[str, str]
) -> str:
    """Upload what is not there yet, below PREFIX and the hash of all; returns that folder.

    The folder's name is what it holds, so a zip that is there is right, and a stack that is rolled
    back finds its old code. Raises PackageError.
    """
    look(bucket, prefix, environ)
    missing = [str(path) for path in archives.values() if not path.is_file()]
    if missing:
        raise PackageError(f"{', '.join(missing)}: not built yet; run: make package")
    folder = f"{prefix}{hash_of_all({n: digest(path) for n, path in archives.items()})}/"
    client = _client(bucket, environ)
    for name, path in sorted(archives.items()):
        print(
            f"{_upload(client, bucket, f'{folder}{name}.zip', path)} oss://{bucket}/{folder}{name}.zip"
        )
    print(f"\nParameters for template.yml:\n  CodeBucket={bucket}\n  CodePrefix={folder}")
    return folder


def look(bucket: str, prefix: str, environ: Mapping[str, str]) -> None:
    """Whether bucket and keys are there, before anything is built for them: one request, for an
    object that does not exist. Raises PackageError.
    """
    if not bucket:
        raise PackageError("no bucket is named; expected: make publish BUCKET=my-bucket")
    if not BUCKET.fullmatch(bucket):
        raise PackageError(f"BUCKET is {bucket!r}; expected {BUCKET_FORM}")
    client, key = _client(bucket, environ), f"{prefix}-"
    try:
        client.get_object(key)
    except oss2.exceptions.NoSuchKey:
        return
    except (oss2.exceptions.OssError, requests.RequestException) as error:
        raise _refused(client, bucket, key, error) from None


def _refused(client: Any, bucket: str, key: str, error: Exception) -> PackageError:
    if not isinstance(error, oss2.exceptions.ServerError):
        return PackageError(
            f"OSS could not be reached at {client.endpoint} ({type(error).__name__}); check"
            " OSS_ENDPOINT and the network, then run this again"
        )
    if error.code == "NoSuchBucket":
        return PackageError(
            f"there is no bucket {bucket} at {client.endpoint}; create it in the region of the"
            " functions, or correct BUCKET or OSS_REGION"
        )
    return PackageError(
        f"OSS refused {key} in the bucket {bucket} ({error.status} {error.code}, request"
        f" {error.request_id}); the keys need oss:GetObject and oss:PutObject there"
    )


def _upload(client: Any, bucket: str, key: str, path: Path) -> str:
    body = path.read_bytes()
    checksum = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    try:
        if _size(client, key) == len(body):
            return "was there "
        client.put_object(key, body, {"Content-MD5": checksum, NO_OVERWRITE: "true"})
    except (oss2.exceptions.OssError, requests.RequestException) as error:
        raise _refused(client, bucket, key, error) from None
    return "uploaded  "


def _size(client: Any, key: str) -> int | None:
    try:
        return int(client.head_object(key).content_length)
    except oss2.exceptions.NotFound:
        return None


def _client(bucket: str, environ: Mapping[str, str]) -> Any:
    try:
        held = load_credentials(environ)
    except NoCredentials:
        raise PackageError(
            "no keys for OSS in this shell; export OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET of a"
            f" RAM user who may read and write the bucket {bucket}"
        ) from None
    region = environ.get("OSS_REGION") or "cn-beijing"
    endpoint = environ.get("OSS_ENDPOINT") or f"https://oss-{region}.aliyuncs.com"
    provider = oss2.StaticCredentialsProvider(held.key_id, held.key_secret, held.token)
    return oss2.Bucket(
        oss2.ProviderAuthV4(provider), endpoint, bucket, region=region, enable_crc=False
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.packaging.publish", description=__doc__)
    add = parser.add_argument
    add("--bucket", default="", help="where to; in the region of the functions")
    add("--prefix", default="code/", help="before the folder's name (%(default)s)")
    add("--only-look", action="store_true", help="whether bucket and keys are there; no upload")
    add("--build", type=Path, default=ROOT / "build", help="folder of the zips (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
