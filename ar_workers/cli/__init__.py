"""`arctl`: what operators, TREs and publishers type. One file per noun.

Exit status: 0 as asked; 1 the answer is no (something was refused, failed or is not as expected); 2 wrong usage;
3 Redis cannot be reached; 4 the configuration is wrong.
"""

from __future__ import annotations

import io
import sys

import click

from .. import __version__
from ..domain.errors import ARError, InvalidSettings, LedgerUnavailable
from .actions import actions
from .capabilities import capabilities
from .deliveries import deliveries
from .demo import demo
from .docs import docs
from .doctor import doctor
from .ingest import ingest
from .notify import notify
from .output import say_all
from .poll import poll
from .release import release
from .summary import summary
from .switches import pause, pauses, resume
from .threats import threats
from .up import up
from .upload_scripts import upload_scripts

EXIT_REFUSED, EXIT_NO_LEDGER, EXIT_SETTINGS = 1, 3, 4


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]}, epilog=f"Exit status: {(__doc__ or '').partition('Exit status: ')[2]}"
)
@click.version_option(__version__, prog_name="arctl")
def arctl() -> None:
    """Automated Active Remediation: published threats in, verified containments out."""


for command in (
    ingest,
    poll,
    threats,
    summary,
    actions,
    deliveries,
    notify,
    release,
    capabilities,
    pause,
    resume,
    pauses,
    doctor,
    upload_scripts,
    up,
    demo,
    docs,
):
    arctl.add_command(command)


def main() -> None:
    """Run a command; an error of ours is one line that says what to do, never a traceback."""
    try:
        sys.exit(arctl.main(standalone_mode=False))
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        say_all(said.getvalue(), err=True, nl=False)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except LedgerUnavailable as error:
        _fail(f"{error}. Start one with `arctl up`, or name yours in AR_REDIS_URL.", EXIT_NO_LEDGER)
    except InvalidSettings as error:
        _fail("the configuration is wrong:\n  " + "\n  ".join(error.problems), EXIT_SETTINGS)
    except ARError as error:
        _fail(str(error), EXIT_REFUSED)


def _fail(message: str, status: int) -> None:
    say_all(f"arctl: {message}", err=True)
    sys.exit(status)
