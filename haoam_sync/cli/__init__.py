"""The command line: parse, call the pipeline, print, exit.

Exit codes are those of `haoam_sync.errors`; click's own 2 for wrong usage becomes 64, since 2 means "differences".
"""

from __future__ import annotations

import os
import sys

import click

from haoam_sync import __version__
from haoam_sync.cli import collecting, printing
from haoam_sync.cli.apply import apply
from haoam_sync.cli.audit import audit
from haoam_sync.cli.codec import codec
from haoam_sync.cli.doctor import doctor
from haoam_sync.cli.import_ import adopt, import_
from haoam_sync.cli.lab import lab
from haoam_sync.cli.plan import drift, plan
from haoam_sync.cli.review import review
from haoam_sync.cli.schema import schema
from haoam_sync.cli.trust import trust
from haoam_sync.cli.validate import render, validate
from haoam_sync.cli.verbs import Verbs
from haoam_sync.errors import HaoamError, UsageError


class InterruptedRunError(HaoamError):
    """Ctrl-C, or "no" to a question: 128 and the number of SIGINT, as a shell has it."""

    exit = 130
    default_code = "E_INTERRUPTED"


_EXIT_CODES = """\b
Exit codes:
  0 in sync, applied, valid      7 an instance cannot be reached or answers nonsense
  1 unexpected error             8 apply failed, the earlier state is restored
  2 differences (plan, drift)    9 apply failed, the earlier state is NOT restored
  3 desired state is invalid    10 the digest given is not the plan's
  4 not trusted                 11 the audit log cannot be written or does not verify
  5 not authorized              12 somebody else holds the lock
  6 over a limit                64 wrong usage
"""


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=_EXIT_CODES
)
@click.version_option(__version__, prog_name="haoam-sync")
def haoam_sync() -> None:
    """GitOps for HAProxy.

    Signed and reviewed YAML in git is applied through the Data Plane API, proven on the running HAProxy, and audited.
    """


for _command in (
    validate,
    render,
    plan,
    apply,
    drift,
    review,
    import_,
    adopt,
    trust,
    audit,
    doctor,
    lab,
    codec,
    schema,
):
    haoam_sync.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of the outcome."""
    given = sys.argv[1:] if arguments is None else arguments
    output = _output_asked_for(given)
    try:
        # not click's own main: it would make exit 1, "unexpected error", of a pipe that is closed
        with collecting.seldom(), haoam_sync.make_context("haoam-sync", list(given)) as context:
            code = haoam_sync.invoke(context)
    except click.exceptions.Exit as asked:  # --help, --version
        sys.exit(asked.exit_code)
    except HaoamError as error:
        printing.failure(error, output)
        sys.exit(error.exit)
    except (click.exceptions.Abort, KeyboardInterrupt):
        printing.failure(InterruptedRunError("interrupted", hint="nothing more was done"), output)
        sys.exit(InterruptedRunError.exit)
    except click.exceptions.NoArgsIsHelpError as error:  # a group without a command
        click.echo(error.format_message(), err=True)
        sys.exit(UsageError.exit)
    except click.ClickException as error:
        hint = f"see haoam-sync {' '.join(given[:1])} --help"
        printing.failure(UsageError(error.format_message(), hint=hint), output)
        sys.exit(UsageError.exit)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the flush at exit has somewhere to go
        sys.exit(InterruptedRunError.exit)
    except Exception as error:  # the last resort: a defect is told like any other failure
        if os.environ.get("HAOAM_DEBUG"):
            raise
        unexpected = HaoamError(
            f"unexpected {type(error).__name__}: {error}",
            hint="this is a defect of haoam-sync; run again with HAOAM_DEBUG=1 and report what it prints",
        )
        printing.failure(unexpected, output)
        sys.exit(HaoamError.exit)
    sys.exit(code if isinstance(code, int) else 0)


def _output_asked_for(arguments: list[str]) -> str:
    """The format asked for, read before click does, so that wrong usage too is told in it."""
    for index, argument in enumerate(arguments):
        if argument == "--output=json" or (argument == "--output" and arguments[index + 1 : index + 2] == ["json"]):
            return "json"
    return "text"
