"""The form with which a client of the service uploads a file under a policy it was given."""

from __future__ import annotations

from collections.abc import Mapping


def form_fields(policy: Mapping[str, str], name: str) -> dict[str, str]:
    """The fields the official SDK sends (dashscope, `oss_utils.py`), without the file."""
    return {
        "OSSAccessKeyId": policy["oss_access_key_id"],
        "Signature": policy["signature"],
        "policy": policy["policy"],
        "key": f"{policy['upload_dir']}/{name}",
        "x-oss-object-acl": policy["x_oss_object_acl"],
        "x-oss-forbid-overwrite": policy["x_oss_forbid_overwrite"],
        "success_action_status": "200",
    }
