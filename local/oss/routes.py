"""Which operation a request means: by method and sub-resource."""

from __future__ import annotations

from local.oss import (
    buckets,
    configurations,
    descriptions,
    lists,
    objects,
    offered,
    post,
    upload_lists,
    uploads,
)
from local.oss.errors import OssError
from local.oss.service import Call, Handler

_Table = dict[tuple[str, str], Handler]

# Checked in this order; a request has at most one of them.
_OBJECT_SUBRESOURCES = ("uploads", "uploadId", "append", "symlink", "tagging", "acl", "objectMeta")
_BUCKET_SUBRESOURCES = (
    *("delete", "uploads", "acl", "location", "bucketInfo", "lifecycle", "cors", "versioning"),
    "tagging",
)

_SERVICE: _Table = {("GET", ""): buckets.list_buckets}
_BUCKET: _Table = {
    ("PUT", ""): buckets.create_bucket,
    ("DELETE", ""): buckets.delete_bucket,
    ("GET", ""): lists.list_objects,
    ("POST", ""): post.post_object,
    ("POST", "delete"): buckets.delete_objects,
    ("GET", "uploads"): upload_lists.list_uploads,
    ("PUT", "acl"): buckets.put_acl,
    ("GET", "acl"): buckets.get_acl,
    ("GET", "location"): buckets.get_location,
    ("GET", "bucketInfo"): buckets.bucket_info,
    ("PUT", "versioning"): buckets.put_versioning,
    ("GET", "versioning"): buckets.get_versioning,
    ("PUT", "lifecycle"): configurations.put_lifecycle,
    ("GET", "lifecycle"): configurations.get("lifecycle", "NoSuchLifecycle"),
    ("DELETE", "lifecycle"): configurations.delete("lifecycle"),
    ("PUT", "cors"): configurations.put_cors,
    ("GET", "cors"): configurations.get("cors", "NoSuchCORSConfiguration"),
    ("DELETE", "cors"): configurations.delete("cors"),
    ("PUT", "tagging"): configurations.put_tagging,
    ("GET", "tagging"): configurations.get("tagging", "NoSuchTagSet"),
    ("DELETE", "tagging"): configurations.delete_tagging,
}
_OBJECT: _Table = {
    ("PUT", ""): objects.put_object,
    ("GET", ""): objects.get_object,
    ("HEAD", ""): objects.head_object,
    ("DELETE", ""): objects.delete_object,
    ("HEAD", "objectMeta"): objects.head_object,
    ("POST", "append"): objects.append_object,
    ("PUT", "symlink"): objects.put_symlink,
    ("GET", "symlink"): objects.get_symlink,
    ("PUT", "tagging"): descriptions.put_tagging,
    ("GET", "tagging"): descriptions.get_tagging,
    ("DELETE", "tagging"): descriptions.delete_tagging,
    ("PUT", "acl"): descriptions.put_object_acl,
    ("GET", "acl"): descriptions.get_object_acl,
    ("POST", "uploads"): uploads.initiate,
    ("PUT", "uploadId"): uploads.upload_part,
    ("POST", "uploadId"): uploads.complete,
    ("DELETE", "uploadId"): uploads.abort,
    ("GET", "uploadId"): upload_lists.list_parts,
}


def subresource(call: Call) -> str:
    """Return the sub-resource a request is about, empty for bucket or object itself."""
    known = _OBJECT_SUBRESOURCES if call.key else _BUCKET_SUBRESOURCES
    return next((name for name in known if name in call.query), "")


def find(call: Call) -> Handler:
    """Return the operation; raises OssError 405 or 501 where there is none."""
    offered.check_request(call)
    table = _OBJECT if call.key else _BUCKET if call.bucket else _SERVICE
    handler = table.get((call.method, subresource(call)))
    if handler is None:
        text = f"{call.method} is not allowed on this resource."
        raise OssError(405, "MethodNotAllowed", text)
    return handler
