"""The page may upload to the laptop's bucket and fetch from it, as a deployed one must allow it."""

from __future__ import annotations

from collections.abc import Mapping

import oss2
from oss2.models import BucketCors, CorsRule

HEADERS = ["Content-Type", "x-oss-forbid-overwrite"]
"""What an upload sends; the same as in template.yml."""


def allow_page(env: Mapping[str, str]) -> None:
    """Set each bucket's CORS rule for the page's address (PutBucketCors page).

    Raises oss2's errors if the server does not take it.
    """
    auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
    origins = [env["API_URL"], env["API_URL"].replace("127.0.0.1", "localhost")]
    for name in filter(None, (env["OSS_BUCKET"], env.get("RESULTS_BUCKET"))):
        bucket = oss2.Bucket(auth, env["OSS_ENDPOINT"], name, region=env["OSS_REGION"])
        bucket.put_bucket_cors(BucketCors([CorsRule(origins, ["PUT", "GET"], HEADERS)]))
