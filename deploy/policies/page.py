"""docs/permissions.md, for people: the table of permissions and how to use it."""

from __future__ import annotations

from deploy.policies.table import Permission, roles

_HEAD = """\
# Permissions

<!-- Made from deploy/permissions.yaml: make template -->

Each function acts under a role of its own, named after the function, and each role may do what
its function does and nothing else. This page, the roles in `template.yml` and what the laptop's
OSS server and runtime enforce all come from one table, `deploy/permissions.yaml`. A test runs the
whole system under these policies and accepts no denied call; another takes away each line below
in turn and expects that the system then fails.

This prints a role's policy in RAM's format, for people who create the roles by hand:

```sh
.venv/bin/python -m deploy.policies --bucket my-images --account 1234567890123456 wanx-submit
```

- No function may delete a record, a job file, an image or a result.
- Presigned URLs hold what the role that signed them may do: `submit` and `poll` sign the images
  that the service fetches, `api` signs uploads and the links to results.
- Jobs may name images below `inputs/`, `uploads/` and `results/`. If yours lie elsewhere in the
  bucket, add the prefix to the `oss:GetObject` rows of `submit`, `poll` and `api`.
- `kms:GetSecretValue` is there only where a secret holds the API key. A secret that is encrypted
  with a key of your own needs `kms:Decrypt` on that key as well; grant it by hand.
- On the laptop a denied call is answered as OSS does, is logged in `.local/logs/oss.log`, and is
  listed by `GET /_admin/access` of the OSS server (HTTP Basic with the account's key pair).
"""
_WHO = {
    "oss-trigger": "OSS acts under it (`oss.aliyuncs.com`) when an object event calls a function.",
}


def page(table: list[Permission]) -> str:
    """The page's text."""
    parts = [_HEAD]
    for role in roles(table):
        parts.append(f"\n## {role}\n")
        if role in _WHO:
            parts.append(f"\n{_WHO[role]}\n")
        parts.append("\n| Action | On | Why |\n|---|---|---|\n")
        parts += [_line(row) for row in table if row.role == role]
    return "".join(parts)


def _line(row: Permission) -> str:
    return f"| `{row.action}` | {_on(row)} | {row.why} |\n"


def _on(row: Permission) -> str:
    if row.resources:
        return "<br>".join(f"`{one}`" for one in row.resources)
    return {"log": "the log store", "kms": "the secret of the API key"}.get(
        row.service, "the bucket"
    )
