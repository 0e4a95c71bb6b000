"""The checks of the steps. Each returns what was seen, or raises Bad or NotHere.

A check may raise StoreError too, which means that the bucket could not be asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from cli.backends.protocol import Wanted
from cli.bucket_checks import Bad, Cause, Check, endpoint, public_link, reachable, versioning
from cli.deployment.bucket_rules import lacking, lets_a_page_in, removals, wrong_removals
from cli.deployment.openapi import Operation, Refused
from cli.deployment.site import FC_VERSION, ROS_VERSION, Site
from cli.deployment.steps import NotHere
from cli.output import counted
from cli.service_checks import api_check, service_checks
from cli.verify.checks import CHECKS as FACTS
from cli.verify.facts import Otherwise, Untried
from shared.platform.running_code import running_code
from shared.storage import layout
from shared.storage.objects import ObjectMissing, StoreError

Look = Callable[[Site], str]

COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
LAPTOP = "not on a laptop"
SILENT_FOR = 180.0
"""Seconds after which a poller that is called every minute counts as silent; more for others."""
CODE_BYTES = 4096
FORCED = ".fcapp.run"


def _settings(site: Site) -> str:
    settings = site.bucket.settings
    return f"bucket {settings.oss_bucket}, {settings.oss_region}"


def _access_key(site: Site) -> str:
    endpoint(site.bucket)
    try:
        for _ in site.bucket.store.list("state/doctor/", limit=1):
            break
    except StoreError as error:
        if "NoSuchBucket" not in str(error):
            raise
        return "OSS takes it; the bucket is not there yet"
    return "OSS takes it"


def _model_service(site: Site) -> str:
    first = next(service_checks(site.access.environ))
    if first.ok is None:
        raise NotHere("DASHSCOPE_API_KEY is not in these settings; the functions hold it")
    return _of(first)


def _of(check: Check) -> str:
    if not check.ok:
        raise Bad(check.text, check.cause)
    return check.text


def _foundation(site: Site) -> str:
    stack = _stack(site)
    status = str(stack.get("Status"))
    if status.endswith("IN_PROGRESS"):
        raise Bad(
            f"the stack {site.foundation} is {status}: wait until it is complete.", Cause.BUSY
        )
    if status not in COMPLETE:
        why = stack.get("StatusReason") or "the ROS console says why"
        raise Bad(f"the stack {site.foundation} is {status}: {why}")
    return f"stack {site.foundation}: {status}"


def _stack(site: Site) -> Mapping[str, Any]:
    """The stack of ROS as GetStack shows it, asked once. Raises Bad, NotHere."""
    if not site.ros:
        raise NotHere(LAPTOP)
    if site.stack_seen is None:
        region = {"RegionId": site.bucket.settings.oss_region}
        try:
            listed = site.api.get(
                site.ros,
                Operation("ListStacks", ROS_VERSION),
                {**region, "StackName.1": site.foundation},
            )
            rows = listed.get("Stacks") or [{}]
            named = {**region, "StackId": str(rows[0].get("StackId", ""))}
            if not named["StackId"]:
                raise Bad(f"there is no stack {site.foundation} in {region['RegionId']}.")
            site.stack_seen = site.api.get(site.ros, Operation("GetStack", ROS_VERSION), named)
        except Refused as error:
            raise Bad(
                f"ROS refused ({error}); allow ros:ListStacks and ros:GetStack.", Cause.REFUSED
            ) from None
    return site.stack_seen


def _bucket(site: Site) -> str:
    done = reachable(site.bucket)
    wanted = site.bucket.settings.oss_region
    place = site.bucket.store.bucket.get_bucket_info().location.removeprefix("oss-")
    if place != wanted:
        raise Bad(
            f"the bucket is in {place}, the settings say {wanted}: a trigger's bucket is in the"
            " region of its function. Correct OSS_REGION, or take another bucket.",
            Cause.WRONG,
        )
    return f"in {place}, versioning {versioning(site.bucket)}; {done}"


def _bucket_rules(site: Site) -> str:
    found = removals(site.bucket)
    wrong = list(wrong_removals(found, site.plan.lifecycle))
    if wrong:
        raise Bad("; ".join(wrong) + ".")
    origin = site.access.url
    if not lets_a_page_in(site.bucket, origin):
        pages = f"pages of {origin}" if origin else "a page"
        raise Bad(f"no CORS rule lets {pages} put and get objects, so none can upload.")
    kept = ("state/records/", "state/jobs/")
    missing = lacking(found, [key for key in site.plan.lifecycle if key not in kept])
    if missing and site.is_laptop:
        raise NotHere(f"CORS is right; lifecycle rules: {LAPTOP}")
    if missing:
        raise Bad(f"no lifecycle rule empties {', '.join(missing)}: old objects stay and cost.")
    return f"{counted(len(found), 'lifecycle rule')}, none of which removes too much; CORS"


def _public_endpoint(site: Site) -> str:
    return public_link(site.bucket)


def _functions(site: Site) -> str:
    missing = [name for name in site.plan.triggers if _triggers_of(site, name) is None]
    if missing:
        raise Bad(f"there is no function {', '.join(f'{site.stack}-{name}' for name in missing)}.")
    code = _code_said(site)
    built = running_code(site.build)
    text = f"all {len(site.plan.triggers)}"
    if code and built and code != built:
        raise Bad(f"{text}, with code {code[:12]}; the code in build/ is {built[:12]}.")
    return f"{text}, code {code[:12]}" if code else text


def _code_said(site: Site) -> str:
    try:
        return site.bucket.store.read(layout.DEPLOYED, CODE_BYTES).body.decode(errors="replace")
    except ObjectMissing:
        return ""


def _triggers_of(site: Site, function: str) -> list[dict[str, Any]] | None:
    """As ListTriggers shows them, asked once; None if there is no such function. Raises Bad."""
    if function not in site.triggers_seen:
        path = f"/{FC_VERSION}/functions/{quote(f'{site.stack}-{function}', safe='')}/triggers"
        try:
            seen = site.api.get(site.fc, Operation("ListTriggers", FC_VERSION, path))
        except Refused as error:
            if error.code == "FunctionNotFound":
                site.triggers_seen[function] = None
                return None
            raise Bad(
                f"Function Compute refused ({error}); activate it in its console, and allow"
                " fc:ListTriggers (docs/permissions.md, operator).",
                Cause.REFUSED,
            ) from None
        site.triggers_seen[function] = list(seen.get("triggers") or ())
    return site.triggers_seen[function]


def _triggers(site: Site) -> str:
    found = [text for name in site.plan.triggers for text in _wrong_triggers(site, name)]
    if found:
        raise Bad("; ".join(found) + ".")
    return f"{sum(map(len, site.plan.triggers.values()))}, all on this bucket"


def _wrong_triggers(site: Site, function: str) -> Iterator[str]:
    wanted, name = site.plan.triggers[function], f"{site.stack}-{function}"
    there = {str(one.get("triggerName")): one for one in _triggers_of(site, function) or ()}
    for missing in sorted(set(wanted) - set(there)):
        yield f"{name} has no trigger {missing}"
    for more in sorted(set(there) - set(wanted)):
        yield f"{name} has a trigger {more} that is not of this version: delete it in the console"
    for trigger, kind in wanted.items():
        source = str(there.get(trigger, {}).get("sourceArn") or "")
        if kind == "oss" and trigger in there and not source.endswith(f":{site.name}"):
            yield f"{name}'s trigger {trigger} is on {source.rpartition(':')[2]}, not {site.name}"


def _api(site: Site) -> str:
    check = api_check(site.access)
    if check.ok is None:
        raise Bad(f"API_URL is not set; Function Compute says that it is {_assigned(site)}.")
    return _of(check)


def _assigned(site: Site) -> str:
    """The address that Function Compute gave the http trigger."""
    urls = [
        (one.get("httpTrigger") or {}).get("urlInternet") for one in _triggers_of(site, "api") or ()
    ]
    return next((str(url) for url in urls if url), "not known")


def _page(site: Site) -> str:
    try:
        return FACTS["page"](site.trial)
    except (Otherwise, Untried) as error:
        if site.access.url.endswith(FORCED):
            raise Bad(
                f"{site.access.url} is the address that Function Compute gave: browsers download"
                " pages from there instead of showing them. Programs and wanx need no other."
            ) from None
        raise Bad(str(error)) from None


def _poller(site: Site) -> str:
    lease = site.trial.ledger.lease
    lease.poller_lives()
    seen, often = lease.seen, _timer(site)
    most = SILENT_FOR if often is None else SILENT_FOR + 60.0 * (often - 1)
    if not seen.number:
        raise Bad("poll has never run: no object lies in state/lease/.")
    if seen.age > most:
        raise Bad(
            f"poll was last there {seen.age:.0f} s ago, and is called every {often or 1} min."
        )
    return f"last there {seen.age:.0f} s ago"


def _timer(site: Site) -> int | None:
    """Every how many minutes poll is called; None if its trigger does not say."""
    for one in _triggers_of(site, "poll") or ():
        if one.get("triggerType") == "timer":
            try:
                config = json.loads(str(one.get("triggerConfig") or "{}"))
                return int(str(config["cronExpression"]).removeprefix("@every ").removesuffix("m"))
            except (ValueError, KeyError):
                return None
    return None


def _first_job(site: Site) -> str:
    jobs = site.access.backend().listing(Wanted(states=("SUCCEEDED",), limit=1)).jobs
    if not jobs:
        raise Bad("no job has succeeded yet.")
    return f"{jobs[0]['job']} succeeded"


def _alarms(site: Site) -> str:
    rows = _stack(site).get("Parameters") or ()
    found = {str(one.get("ParameterKey")): str(one.get("ParameterValue")) for one in rows}
    if found.get("Alarms") != "true":
        raise Bad("nobody is notified when something is wrong.")
    return f"on; the action policy is {found.get('AlarmPolicy')}"


CHECKS: Mapping[str, Look] = {
    "settings": _settings,
    "access-key": _access_key,
    "model-service": _model_service,
    "foundation": _foundation,
    "bucket": _bucket,
    "bucket-rules": _bucket_rules,
    "public-endpoint": _public_endpoint,
    "functions": _functions,
    "triggers": _triggers,
    "api": _api,
    "page": _page,
    "poller": _poller,
    "first-job": _first_job,
    "alarms": _alarms,
}
"""The check of each step; the names are those of steps.yaml."""
