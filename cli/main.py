"""The command `wanx` and its options; each command's work is in a module of its own."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import click

from cli.access import Access, load_access
from cli.ends import Quiet, end
from cli.operations import COMMANDS as OPERATIONS
from cli.paths import FILE, FOLDER, OUT
from cli.profile_commands import COMMANDS as PROFILES
from cli.webhooks import webhooks

PROFILE_COMMANDS = ("login", "logout")

EPILOG = """\b
Exit codes:
  0    done as asked
  1    the answer is no: violations, a job without success, a failed check
  2    the command line is wrong
  3    bucket, API or settings cannot be used, or output cannot be written
  4    verify-cloud: no fact differs, but one could not be tried
  130  interrupted (Ctrl-C); how to go on is printed
  141  the reader of the output has gone (wanx ... | head)

\b
Where it works: the first of these that names a bucket or an API.
  1. --api URL, or --env FILE
  2. --profile NAME, or WANX_PROFILE: a place that `wanx login` has kept
  3. the environment: OSS_ENDPOINT, OSS_BUCKET, OSS_REGION, OSS_ACCESS_KEY_ID,
     OSS_ACCESS_KEY_SECRET; without them API_URL and API_TOKEN
  4. the laptop cloud, while it runs: .local/env
  5. the profile `default`

\b
To begin:
  wanx login                       a deployment to work with
  wanx up                          or the laptop cloud, in another terminal
  wanx init MODEL --out my.yaml    a job file to fill in
  wanx check my.yaml               what is wrong with it
  wanx submit my.yaml --wait       submit it and wait for the images
"""


@click.group(cls=Quiet, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--env", "env_file", type=FILE, help="File of NAME=value settings.")
@click.option("--api", metavar="URL", help="Work over the HTTP API at this address.")
@click.option("--token", metavar="T", help="Token of the API; better: API_TOKEN, or `wanx login`.")
@click.option("--profile", metavar="NAME", help="Work where `wanx login NAME` has been.")
@click.option("-v", "--verbose", is_flag=True, help="Show the library's log on stderr.")
@click.pass_context
def wanx(
    context: click.Context,
    env_file: Path | None,
    api: str | None,
    token: str | None,
    profile: str | None,
    verbose: bool,
) -> None:
    """Check, submit, follow and fetch image jobs."""
    if verbose:
        form = "%(levelname)s %(name)s: %(message)s"
        logging.basicConfig(stream=sys.stderr, format=form, level=logging.INFO)
    for name, given in (("--api", api), ("--token", token), ("--profile", profile)):
        if given is not None and not given.strip():
            raise click.BadParameter("it is empty", param_hint=name)
    if profile and (api or env_file):
        raise click.UsageError("--profile names a place, as --api and --env do: give one of them.")
    if context.invoked_subcommand in PROFILE_COMMANDS:
        context.obj = Access(
            {}, api, token, ""
        )  # they work without a place, or before there is one
    else:
        context.obj = load_access(env_file, api, token, profile)


@wanx.command(short_help="Report everything that is wrong with job files.")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    help="Form of the report.",
)
@click.option("--inputs", type=FOLDER, metavar="DIR", help="Folder that stands for the bucket.")
@click.pass_obj
def check(access: Access, files: tuple[Path, ...], form: str, inputs: Path | None) -> None:
    """Report everything that is wrong with job files, and submit nothing.

    Works offline. The images a job names in the bucket are looked at if the bucket can be reached,
    or in DIR: with `--inputs examples`, oss:///inputs/cat.jpg is examples/inputs/cat.jpg.

    Exit code 1 if there is any violation.
    """
    from cli.commands.check import run

    sys.exit(run(access, files, form, inputs))


@wanx.command(short_help="Rewrite a job file for another model.")
@click.argument("file", type=FILE)
@click.option("--to", metavar="MODEL", help="Default: the successor that `wanx models` names.")
@click.option("--out", "-o", type=OUT, metavar="OUT", help="Write it there instead of to stdout.")
@click.option("--inputs", type=FOLDER, metavar="DIR", help="Folder that stands for the bucket.")
@click.option("--force", is_flag=True, help="Write over an existing OUT.")
@click.pass_obj
def convert(
    access: Access, file: Path, to: str | None, out: Path | None, inputs: Path | None, force: bool
) -> None:
    """Rewrite the jobs of FILE, whose model is going, for its successor; nothing is submitted.

    What the successor does not know is left out and named. A mask becomes black and white, and
    images that are too small are enlarged: these are read from the bucket, or from DIR, and written
    into the job. The rest of the job stays. All jobs of FILE are converted, or none.

    Exit code 1 if one cannot be converted, or if what comes out has violations.
    """
    from cli.commands.convert import run

    sys.exit(run(access, file, to, out, inputs, force))


@wanx.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--wait", is_flag=True, help="Wait until the jobs are over, with progress bars.")
@click.pass_obj
def submit(access: Access, files: tuple[Path, ...], wait: bool) -> None:
    """Submit job files; prints the jobs' ids.

    The files are checked first; if anything is wrong, nothing is submitted (exit code 1). The same
    file is always the same job: submitting it again costs nothing and shows its state. Ctrl-C while
    waiting leaves the jobs going and says how to go on.
    """
    from cli.commands.submit import run

    sys.exit(run(access, files, wait))


@wanx.command(short_help="Run a few examples and show their images.")
@click.argument("names", nargs=-1, metavar="[EXAMPLE]...")
@click.option("--out", type=OUT, default=Path("results"), show_default=True, metavar="DIR")
@click.option("--yes", "sure", is_flag=True, help="Do not ask.")
@click.pass_obj
def demo(access: Access, names: tuple[str, ...], out: Path, sure: bool) -> None:
    """Run EXAMPLEs where this command works: edit, doodle and poster, unless others are named.

    Says what they cost at most, and asks; submits them, waits, downloads the images and shows them
    on one page, DIR/gallery.html. The same example is the same job: the command again costs nothing
    and shows what there is (over the API within seven days).

    There are also expand, style, set and story. Exit code 1 if a job did not succeed, or the answer
    to the question was no.
    """
    from cli.commands.demo import NAMES, USUAL, run

    for name in names:
        if name not in NAMES:
            raise click.BadParameter(f"{name!r}; use {', '.join(NAMES)}.", param_hint="EXAMPLE")
    sys.exit(run(access, dict.fromkeys(names or USUAL), out, sure))


@wanx.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@click.option("--wait", is_flag=True, help="Wait until the jobs are over, with progress bars.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def status(access: Access, jobs: tuple[str, ...], wait: bool, as_json: bool) -> None:
    """Show the state of jobs.

    Exit code 1 if a job is unknown or, with --wait, did not succeed.
    """
    from cli.commands.jobs import show_status

    sys.exit(show_status(access, jobs, wait, as_json))


@wanx.command("list")
@click.option("--state", "states", multiple=True, help="Of this state alone; may be repeated.")
@click.option("--model", help="Of this model alone.")
@click.option("--since", metavar="WHEN", help="Made since: 2h, 3d or 2026-11-20[T12:00].")
@click.option("--until", metavar="WHEN", help="Made until then, in the same forms.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="With this label.")
@click.option(
    "--search", default="", metavar="WORDS", help="With all words in prompt, labels or id."
)
@click.option("--hidden", is_flag=True, help="Those that `wanx hide` has left out of lists.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_jobs(access: Access, /, as_json: bool, **options: Any) -> None:
    """List jobs, newest first."""
    from cli.commands.jobs import ListOptions, show_list

    show_list(access, ListOptions(**options), as_json)


@wanx.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@click.pass_obj
def hide(access: Access, jobs: tuple[str, ...]) -> None:
    """Leave jobs out of lists; nothing else of them changes.

    Their images stay, and `wanx status` and `wanx get` find them by their ids. `wanx list --hidden`
    lists them. Exit code 1 if a job is unknown.
    """
    from cli.commands.jobs import hide_jobs

    sys.exit(hide_jobs(access, jobs, hidden=True))


@wanx.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@click.pass_obj
def unhide(access: Access, jobs: tuple[str, ...]) -> None:
    """List jobs again that `wanx hide` has left out. Exit code 1 if a job is unknown."""
    from cli.commands.jobs import hide_jobs

    sys.exit(hide_jobs(access, jobs, hidden=False))


@wanx.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@click.pass_obj
def cancel(access: Access, jobs: tuple[str, ...]) -> None:
    """Cancel jobs that still wait, here or at the model service.

    Exit code 1 if one of them could not be canceled.
    """
    from cli.commands.jobs import cancel_jobs

    sys.exit(cancel_jobs(access, jobs))


@wanx.command(short_help="Give a task of the service to a job.")
@click.argument("job")
@click.argument("task")
@click.pass_obj
def adopt(access: Access, job: str, task: str) -> None:
    """Let JOB go on with TASK, a task that the model service made for it.

    For a job that NEEDS_ATTENTION because the answer to its submission was lost. Look at the task
    first: only you can tell that it is the job's. Over the API this needs an admin token.
    """
    from cli.commands.jobs import adopt_task

    sys.exit(adopt_task(access, job, task))


@wanx.command(short_help="Run jobs again that did not succeed.")
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@click.pass_obj
def retry(access: Access, jobs: tuple[str, ...]) -> None:
    """Run jobs again that FAILED, EXPIRED, were CANCELED or need attention.

    Each becomes a new job, JOB-retry-1 and so on, from what was stored. While such a retry is
    under way no second one is made. The images of a retry are paid for like any others.
    """
    from cli.commands.jobs import retry_jobs

    sys.exit(retry_jobs(access, jobs))


@wanx.command()
@click.argument("job")
@click.pass_obj
def logs(access: Access, job: str) -> None:
    """Show the history of a job from its records, in local time."""
    from cli.commands.logs import show_history

    sys.exit(show_history(access, job))


@wanx.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@click.option(
    "--out",
    type=OUT,
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Folder to write to.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def get(access: Access, jobs: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Download images and manifest to DIR/JOB/.

    Each image's SHA-256 is compared with the manifest's. What is there already is kept; what was
    cut off goes on where it stopped. Exit code 1 if a job has no result yet, or an image is wrong.
    """
    from cli.commands.get import run

    sys.exit(run(access, jobs, out, as_json))


@wanx.command(short_help="Show the known models, or all about one.")
@click.argument("name", required=False)
@click.option("--stale", metavar="AGE", help="What was read longer ago than AGE, such as 90d.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def models(name: str | None, stale: str | None, as_json: bool) -> None:
    """Show the known models by what goes in, or all about one.

    With --stale, the prices, limits and lifecycles that were read at the service's pages longer ago
    than that (90d, 36h), oldest first, each with the document to read again. Exit code 1 if there
    are any, 0 if there are none.
    """
    from cli.commands import models as shown
    from cli.commands import stale_readings

    if stale is None:
        shown.run(name, as_json)
    else:
        sys.exit(stale_readings.run(name, stale, as_json, time.time()))


@wanx.command(short_help="Write the JSON Schema of a job file, for editors.")
@click.option("--out", type=OUT, metavar="FILE", help="Write it there instead of to stdout.")
def schema(out: Path | None) -> None:
    """Write the JSON Schema of a job file, so that editors complete and check job files.

    Then put this line at the top of a YAML job file:

    \b
        # yaml-language-server: $schema=job.schema.json

    (VS Code with the YAML extension, Neovim, Emacs and others read it.)
    """
    from cli.commands.schema import run

    run(out)


@wanx.command()
@click.argument("model")
@click.option("--out", type=OUT, metavar="FILE", help="Write it there instead of to stdout.")
@click.option("--force", is_flag=True, help="Write over an existing FILE.")
def init(model: str, out: Path | None, force: bool) -> None:
    """Write a commented job file for MODEL, to fill in."""
    from cli.commands.init import run

    run(model, out, force)


@wanx.command(short_help="Offer tools to an assistant (MCP).")
@click.pass_obj
def mcp(access: Access) -> None:
    """Offer tools to an assistant over standard input and output (Model Context Protocol).

    It lists models with prices, checks, submits, waits, gets images and cancels, where this command
    would. The assistant starts it; docs/mcp.md says what to register. A submission costs money.
    """
    from cli.commands.mcp import run

    run(access)


@wanx.command(
    short_help="Run the laptop cloud until Ctrl-C.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS]")
def up(options: tuple[str, ...]) -> None:
    """Run the laptop cloud until Ctrl-C; `wanx up --help` lists its options."""
    from cli.commands.up import run

    run(options)


for command in (*OPERATIONS, *PROFILES, webhooks):
    wanx.add_command(command)


def main() -> NoReturn:
    """The entry point: every end in words and with its exit code, never a traceback."""
    end(wanx)
