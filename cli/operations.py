"""The commands that look after a system: doctor, verify-cloud, repair, redrive, resume, resolve,
erase."""

from __future__ import annotations

import sys

import click

from cli.access import Access


@click.command(short_help="Decide about jobs whose call was lost.")
@click.option("--lost-calls", is_flag=True, required=True, help="All jobs with the error CallLost.")
@click.option(
    "--as",
    "decision",
    type=click.Choice(["retry", "failed"]),
    default="retry",
    show_default=True,
    help="Run each again as a new job, or not.",
)
@click.option("--model", help="Of this model alone.")
@click.option("--since", metavar="WHEN", help="Made since: 2h, 3d or 2026-11-20[T12:00].")
@click.option("--yes", "sure", is_flag=True, help="Do not ask.")
@click.pass_obj
def resolve(
    access: Access,
    lost_calls: bool,
    decision: str,
    model: str | None,
    since: str | None,
    sure: bool,
) -> None:
    """Decide about the jobs that NEED_ATTENTION because the answer to their call was lost.

    A call (of a model of mode sync) cannot be looked up: what it made may be billed and is gone.
    Says what will be done and what it costs at most, and asks. Each job ends then; interrupted, the
    same command goes on, and no job is run again twice. At most 500 jobs a run, newest first.

    Exit code 1 if a job could not be decided about, or the answer to the question was no.
    """
    from cli.commands.resolve import Options, run

    sys.exit(run(access, Options(decision, model, since, sure)))


@click.command(short_help="Delete the pictures and texts of jobs.")
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="K=V",
    help="All jobs with this label; may be repeated.",
)
@click.option("--prefix", default="", metavar="P", help="All jobs whose ids begin with P.")
@click.option("--all-inputs", is_flag=True, help="Also input pictures that others may use.")
@click.option("--yes", "sure", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For programs; needs --yes.")
@click.pass_obj
def erase(
    access: Access,
    jobs: tuple[str, ...],
    labels: tuple[str, ...],
    prefix: str,
    all_inputs: bool,
    sure: bool,
    as_json: bool,
) -> None:
    """Delete the pictures and texts of jobs that are over, for good.

    Images, prompts, job files and uploaded pictures go; ids, times, prices and labels stay. It
    prints what is kept, and what erasing does not reach. Shows the jobs and asks. Interrupted, the
    same command goes on. Over the API it needs an admin token. All jobs of a token: --prefix, with
    the prefix that the token has.

    Exit code 1 if a job could not be erased, or the answer to the question was no.
    """
    from cli.commands.erase import Options, run
    from cli.commands.jobs import labels_of

    if bool(jobs) == bool(labels or prefix):
        raise click.UsageError("name jobs, or choose them by --label or --prefix.")
    if as_json and not sure:
        raise click.UsageError("--json asks nothing: add --yes.")
    chosen = Options(jobs, labels_of(labels), prefix, all_inputs, sure, as_json)
    sys.exit(run(access, chosen))


@click.command(short_help="Look at everything a working system needs.")
@click.option("--sweep", is_flag=True, help="Take in job files whose event never came.")
@click.option("--deployment", is_flag=True, help="How far a deployment is, step by step.")
@click.option(
    "--stack", default="wanx", show_default=True, help="What functions' names begin with."
)
@click.pass_obj
def doctor(access: Access, sweep: bool, deployment: bool, stack: str) -> None:
    """Look at everything a working system needs; each failed line says what to do.

    Endpoint, keys, bucket, versioning off, clock, presigned links, the model service's key, the
    API's token. Costs nothing; writes and removes small objects below state/doctor/.
    With --sweep, job files of the last 7 days without a job are taken in, as their events would
    have done. Exit code 1 if any check failed.

    With --deployment the steps of docs/deploy.md in their order: which are done, which is next,
    and the command for it. Exit code 0 when all are done.
    """
    if deployment:
        from cli.commands.deployment import run as look

        sys.exit(look(access, stack))
    from cli.commands.doctor import run

    sys.exit(run(access, sweep))


@click.command("verify-cloud", short_help="Try what only a real account shows.")
@click.option("--only", multiple=True, metavar="FACT", help="This fact alone; may be repeated.")
@click.option("--skip-paid", is_flag=True, help="Nothing that needs an image to be paid for.")
@click.option("--yes", "sure", is_flag=True, help="Do not ask before an image is paid for.")
@click.option(
    "--stack", default="wanx", show_default=True, help="What functions' names begin with."
)
@click.option(
    "--delay",
    type=click.IntRange(10, 600),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="Delay of the delayed call.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def verify_cloud(
    access: Access,
    only: tuple[str, ...],
    skip_paid: bool,
    sure: bool,
    stack: str,
    delay: int,
    as_json: bool,
) -> None:
    """Try each fact that the product rests on and that only a real account shows.

    For the first account, after the deployment. For each fact it prints what was tried, what was
    seen, and whether the fact holds, differs (and what to change) or could not be tried. Costs
    less than 1 CNY; says how much at most, and asks, before it begins. Removes what it wrote, also
    after Ctrl-C, and what an earlier run left. Run one at a time.

    Exit code 0 if all hold (facts left out on purpose aside), 1 if a fact differs, 4 if none
    differs but one could not be tried.
    """
    from cli.commands.verify_cloud import Options, run
    from cli.verify.facts import load_facts

    known = [fact.id for fact in load_facts()[0]]
    for name in only:
        if name not in known:
            raise click.BadParameter(f"{name!r}; use {', '.join(known)}.", param_hint="--only")
    sys.exit(run(access, Options(only, stack, delay, skip_paid, sure, as_json)))


@click.command(short_help="Rebuild the indexes from the jobs' records.")
@click.option("--from-start", is_flag=True, help="Do not go on where it was interrupted.")
@click.pass_obj
def repair(access: Access, from_start: bool) -> None:
    """Rebuild the indexes from the jobs' records, and say what was missing.

    Queue, slots, task claims, job list and result.json follow from state/records/. Safe while the
    functions run. A job that lacks nothing costs one request; with very many jobs, run it in the
    bucket's region. Interrupted, the same command goes on where it stopped, for a day.
    Exit code 1 if records of a job cannot be read; they are named, and the others repaired.
    """
    from cli.commands.repair import run

    sys.exit(run(access, from_start))


@click.command(short_help="Put back events that failed for good.")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.pass_obj
def redrive(access: Access, keys: tuple[str, ...]) -> None:
    """Put back events that failed for good: those of dead/, or those named by KEY.

    First read `error` in the file, and remove the cause. Safe to repeat: a job file that was taken
    in stays the job it is. Exit code 1 if one of them could not be put back.
    """
    from cli.commands.redrive import run

    sys.exit(run(access, keys))


@click.command(short_help="Submit again to a model that pauses.")
@click.argument("model", required=False)
@click.option("--key", "api_key", is_flag=True, help="For all models: the API key itself pauses.")
@click.pass_obj
def resume(access: Access, model: str | None, api_key: bool) -> None:
    """Submit again to MODEL now, and not only when its pause is over.

    A model pauses after an exhausted quota, the API key after a refusal or an unpaid bill.
    """
    from cli.commands.resume import run

    run(access, model, api_key)


COMMANDS = (doctor, verify_cloud, repair, redrive, resume, resolve, erase)
