"""Which bucket a setting and a key belong to."""

from __future__ import annotations

import pytest

from shared.platform.clock import SystemClock, new_random
from shared.platform.settings import Credentials, SettingsError, load_settings
from shared.storage.two_buckets import open_two

REQUIRED = {
    "OSS_ENDPOINT": "https://oss-cn-beijing-internal.aliyuncs.com",
    "OSS_BUCKET": "studio",
    "DASHSCOPE_API_KEY": "sk-not-a-real-key",
}


@pytest.mark.parametrize("name", ["", "studio"])
def test_without_another_bucket_there_is_one(name: str) -> None:
    assert load_settings({**REQUIRED, "RESULTS_BUCKET": name}).results_bucket == ""


@pytest.mark.parametrize("name", ["Paintings", "a", "oss://paintings", "paintings/results"])
def test_what_no_bucket_is_called_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="RESULTS_BUCKET is"):
        load_settings({**REQUIRED, "RESULTS_BUCKET": name})


@pytest.mark.parametrize(
    ("key", "bucket"),
    [
        ("results/cat/image-1.png", "paintings"),
        ("inputs/results/cat.png", "studio"),
        ("state/records/cat/000001.json", "studio"),
    ],
)
def test_links_lead_to_the_bucket_of_the_key(key: str, bucket: str) -> None:
    settings = load_settings({**REQUIRED, "RESULTS_BUCKET": "paintings"})
    store = open_two(settings, Credentials("id", "secret"), SystemClock(), new_random())
    assert store.presign(key, 60).startswith(f"https://{bucket}.oss-cn-beijing.aliyuncs.com/{key}?")
    assert store.presign_put(key, 60, {}).startswith(f"https://{bucket}.")
