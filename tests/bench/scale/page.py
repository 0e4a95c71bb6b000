"""The page's text and tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.catalogue.models import Limits
from tests.bench.price import sources
from tests.bench.scale import words
from tests.bench.scale.bounds import bounds
from tests.bench.scale.curve import ceiling, curve
from tests.bench.scale.facts import DAY, facts, models, payable, rate_of, timeout
from tests.bench.scale.lanes import serve
from tests.bench.scale.layout import Layout
from tests.bench.scale.profile import Account, busy, one_file
from tests.bench.scale.report import Case, Found, keys
from tests.bench.scale.settings import Effect
from tests.bench.scale.sizing import asked, documented, quota, raised
from tests.bench.scale.tables import exact, number, percent, span, table


def page(found: Found, effects: Sequence[Effect], date: str) -> str:
    """The whole page."""
    jobs, many = exact(asked().jobs), str(keys())
    parts = [
        words.HEAD.format(date=date, jobs=jobs, keys=many),
        _short(found),
        _models(),
        _limits(),
        _days(found),
        _layouts(found),
        _bursts(found),
        _prices(found),
        _moves(effects),
        _assumptions(),
        words.LEFT_OUT,
    ]
    return "\n".join(parts)


def _short(found: Found) -> str:
    first, big, top = found.documented[0], found.carrying[0], found.raised[0]
    return words.SHORT.format(
        keys=keys(),
        first=_first(first),
        started=exact(_all(first, first.day.started)),
        arrived=exact(_all(first, first.day.arrived)),
        carrying=exact(_all(big, big.day.layout.deployments)),
        slots=top.day.layout.lanes[0].slots,
        ceiling=number(ceiling()),
        pollers=number(keys() * ceiling() * DAY),
        operations=exact(max(top.day.used.operations)),
        qps=exact(facts().of("oss", "account_qps")),
        thousand=top.bill.thousand,
        images=exact(1000 * top.bill.images / top.bill.jobs),
    )


def _models() -> str:
    rows = []
    for model in models():
        rate, jobs = rate_of(model), asked().jobs / DAY
        full = facts().of("load", "utilisation")
        needed = (
            exact(-(-jobs // (rate * full))) if model.price.payable else "none: free trial only"
        )
        rows.append(
            [
                f"`{model.name}`",
                f"{model.limits.submissions} a second",
                str(model.limits.concurrent),
                f"{model.typical_seconds:g} s",
                exact(rate * DAY),
                needed,
                number(model.price.per_image),
            ]
        )
    both = sum(rate_of(model) for model in payable()) * DAY
    head = ["model", "submissions", "at once", "a task", "jobs a day and key", "keys for it"]
    note = words.MODELS.format(
        jobs=exact(asked().jobs),
        full=percent(facts().of("load", "utilisation")),
        both=exact(both),
    )
    return "## Which models can carry it\n\n" + table([*head, "CNY an image"], rows) + note


def _limits() -> str:
    parts = ["## What breaks first\n"]
    rows = (
        ("documented limits", Layout(keys(), documented(), quota())),
        ("as many tasks at once as it takes", Layout(keys(), raised(asked(), keys()), quota())),
    )
    for name, layout in rows:
        lanes = ", ".join(f"`{lane.name}` {lane.slots}" for lane in layout.lanes)
        parts.append(f"{keys()} keys, {name} (at once: {lanes}), {layout.instances} instances:\n")
        parts.append(_bounds(layout))
    parts.append(words.BOUNDS_NOTE.format(peak=facts().of("load", "peak")))
    return "\n".join(parts)


def _bounds(layout: Layout) -> str:
    ordered = sorted(bounds(layout), key=lambda bound: bound.jobs_a_day(asked()))
    rows = [
        [
            each.name,
            each.moved_by,
            number(each.rate),
            each.over,
            number(each.jobs_a_day(asked())),
        ]
        for each in ordered
    ]
    return table(["limit", "moved by", "jobs/s", "compared with", "jobs a day"], rows, 2)


def _days(found: Found) -> str:
    taken = [case.day.taken for case in (*found.documented, *found.raised, *found.keys)]
    longest = max(one.waited(1.0) for one in taken)
    given_up = sum(one.given_up for one in taken)
    return "\n".join(
        [
            "## A day, simulated\n",
            f"{keys()} keys, documented limits, {quota()} instances, load raised:\n",
            _cases(found.documented),
            f"{keys()} keys whose limits grow along with the load:\n",
            _cases(found.raised),
            "The same load over fewer and more keys with documented limits:\n",
            _cases(found.keys),
            words.DAYS.format(longest=span(longest), given_up=exact(given_up)),
        ]
    )


def _cases(cases: Sequence[Case]) -> str:
    head = ["", "slots used", "started", "left", "queue", "event", "OSS/s", "instances"]
    rows = [_row(case) for case in cases]
    return table([*head, "breaks first"], rows)


def _row(case: Case) -> list[str]:
    day, used = case.day, case.day.used
    waits = day.taken.waited(0.95)
    mean = sum(used.operations) / len(used.operations)
    busy = sum(used.instances) / len(used.instances)
    return [
        case.name,
        percent(day.utilisation),
        exact(_all(case, day.started)),
        exact(_all(case, day.left)),
        f"{span(day.waits(0.5))}, {span(day.waits(0.95))}",
        span(waits),
        f"{exact(mean)}, {exact(max(used.operations))}",
        f"{exact(busy)}, {exact(max(used.instances))}",
        _first(case),
    ]


def _first(case: Case) -> str:
    return case.first.name


def _all(case: Case, figure: float) -> float:
    """A figure of one account, for all of them."""
    return figure * case.day.layout.accounts


def _layouts(found: Found) -> str:
    head = ["", "keys", "accounts", "slots used", "left", "queue", "OSS/s", "breaks first at"]
    rows = []
    for case in found.carrying:
        day = case.day
        rows.append(
            [
                case.name,
                exact(_all(case, day.layout.deployments)),
                str(day.layout.accounts),
                percent(day.utilisation),
                exact(_all(case, day.left)),
                f"{span(day.waits(0.5))}, {span(day.waits(0.95))}",
                exact(max(day.used.operations)),
                f"{number(case.first.jobs_a_day(day.load))} a day ({_first(case)})",
            ]
        )
    share = facts().of("function_compute", "reservable")
    note = words.LAYOUTS.format(
        raised=quota(raised=True),
        quota=quota(),
        reservable=round(share * quota()),
        full=percent(facts().of("load", "utilisation")),
    )
    return "## Layouts that carry it\n\n" + table(head, rows) + note


def _bursts(found: Found) -> str:
    rows = []
    for case in found.bursts:
        taken = case.day.taken
        rows.append(
            [
                case.name,
                span(taken.waited(0.5)),
                span(taken.waited(0.95)),
                span(taken.waited(1.0)),
                exact(taken.tries),
                exact(taken.given_up),
                exact(max(case.day.used.operations)),
            ]
        )
    head = ["", "median", "95 %", "last", "tries", "given up", "OSS peak/s"]
    above = words.BURSTS.format(
        many=exact(facts().of("load", "burst")),
        length=facts().of("load", "burst_seconds"),
        others=keys() - 1,
    )
    return above + table(head, rows) + _bursts_note(found)


def _bursts_note(found: Found) -> str:
    second, last = one_file(500) / 500, found.bursts[-1].day
    by_bucket = max(last.used.operations) > 0.95 * facts().of("oss", "sequential_qps")
    return words.BURSTS_NOTE.format(
        binds=words.BY_BUCKET if by_bucket else words.BY_INSTANCES,
        milliseconds=1000 * second,
        a_file=number(0.8 * timeout() / second),
        timeout=timeout(),
        days=facts().of("load", "burst") / last.layout.capacity / DAY,
    )


def _prices(found: Found) -> str:
    cases = [*found.documented[:1], *found.raised[:1], *found.carrying]
    names = [f"{keys()} keys, documented limits", f"{keys()} keys, {found.raised[0].name[5:]}"]
    names += [case.name for case in found.carrying]
    rows = []
    for name, case in zip(names, cases, strict=True):
        one = case.bill
        amounts = (one.submit, one.poll, one.oss, one.system)
        rows.append(
            [name, *(exact(amount) for amount in amounts), f"{one.thousand:.2f}", exact(one.images)]
        )
    head = ["", "submit", "poll", "OSS", "in all", "a thousand jobs", "images"]
    return "## Price of a day, CNY\n\n" + table(head, rows) + words.PRICES


def _moves(effects: Sequence[Effect]) -> str:
    rows = [
        [one.setting, one.what, one.now, one.other, number(one.figure), number(one.becomes)]
        for one in effects
    ]
    head = ["setting", "what it changes", "now", "other", "figure now", "becomes"]
    note = words.SETTINGS.format(model=payable()[0].name)
    return "## What single settings move\n\n" + table(head, rows, 2) + note


def _assumptions() -> str:
    rows = [[name, why, number(value)] for name, value, why in facts().reasons]
    prices = [[name, source, f"{value:g}"] for name, value, source in sources()]
    return "\n".join(
        [
            "## Assumptions\n",
            table(["figure", "why", "value"], rows, 2),
            "Prices in CNY:\n",
            table(["price", "source", "value"], prices, 2),
            _measured(),
        ]
    )


def _measured() -> str:
    """The measured points the day is built from."""
    rows = []
    for lane in (*documented(), *raised(asked(), keys())):
        line = curve(lane.slots, lane.seconds)
        for share in (0.0, 0.5, 1.0):
            point = line.at(share)
            rows.append(
                [
                    f"`{lane.name}`, {lane.slots} at once",
                    percent(share),
                    number(point.poll_qps),
                    number(point.submit_operations),
                    f"{point.submit_seconds:.2f} s",
                    number(point.writes),
                    number(point.reads),
                    number(point.queries),
                    f"{point.delay_p95:.1f} s",
                ]
            )
    head = ["deployment", "slots used", "poller's ops/s", "submit's ops", "submit runs"]
    head += ["PUT class", "GET class", "queries", "delay, 95 %"]
    return words.POINTS + table(head, rows) + _checked()


def _checked() -> str:
    """The same jobs through the real handlers and through the simulation of a day."""
    lane, jobs = documented()[0], 150
    limits = Limits(lane.submissions, 1, lane.slots, 1)
    real = busy(Account(limits, lane.seconds), jobs)
    seconds = np.full(jobs, real.task_seconds)
    built = float(serve(np.zeros(jobs), lane.slots, seconds, 1 / ceiling()).end.max())
    return words.CHECKED.format(
        jobs=jobs, slots=lane.slots, real=real.elapsed / 60, built=built / 60
    )
