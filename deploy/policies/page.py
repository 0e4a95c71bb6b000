"""docs/permissions.md, for people: the tables of permissions and how to use them."""

from __future__ import annotations

from deploy.policies.people import PERSONS, Right
from deploy.policies.table import Permission, roles

_HEAD = """\
# Permissions

<!-- Made from deploy/permissions.yaml and deploy/people.yaml: make template -->

Each function acts under a role of its own, named after the function, and each role may do what
its function does and nothing else. These roles on this page and in `template.yml`, and what the
laptop's OSS server and runtime enforce, all come from one table, `deploy/permissions.yaml`. A test
runs the whole system under these policies and accepts no denied call; another takes away each line
of these roles in turn and expects that the system then fails.

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
_PEOPLE = (
    """
## deployer

The policy of the RAM user whose AccessKey `s` uses ([deploy.md](deploy.md) says how to make both).
ROS makes bucket, roles and log project with this user's rights. A user who may make roles and give
them to functions can get any right that way: keep this AccessKey as safe as the account itself.

```sh
.venv/bin/python -m deploy.policies --bucket my-images --account 1234567890123456 wanx-deployer
```

The last column names the document or program that each row rests on. No row has been tried in an
account. The error of a denied call names the action: add it to `deploy/people.yaml`. The API
`GenerateTemplatePolicy` of ROS lists what ROS needs for `template.yml`.
""",
    """
## operator

The policy of the RAM user whose AccessKey is in `cloud.env`: for job files, images and `wanx`.

```sh
.venv/bin/python -m deploy.policies --bucket my-images --account 1234567890123456 wanx-operator
```
""",
)


def page(table: list[Permission], rights: list[Right]) -> str:
    """The page's text."""
    parts = [_HEAD]
    for role in roles(table):
        parts.append(f"\n## {role}\n")
        if role in _WHO:
            parts.append(f"\n{_WHO[role]}\n")
        parts.append("\n| Action | On | Why |\n|---|---|---|\n")
        parts += [_line(row) for row in table if row.role == role]
    for person, text in zip(PERSONS, _PEOPLE, strict=True):
        parts.append(f"{text}\n| Action | On | For | Why | Document |\n|---|---|---|---|---|\n")
        parts += [_right(row) for row in rights if row.person == person]
    return "".join(parts)


def _right(row: Right) -> str:
    actions = "<br>".join(f"`{one}`" for one in row.actions)
    return f"| {actions} | {', '.join(row.resources)} | {row.need} | {row.why} | {row.source} |\n"


def _line(row: Permission) -> str:
    return f"| `{row.action}` | {_on(row)} | {row.why} |\n"


def _on(row: Permission) -> str:
    if row.resources:
        return "<br>".join(f"`{one}`" for one in row.resources)
    return {"log": "the log store", "kms": "the secret of the API key"}.get(
        row.service, "the bucket"
    )
