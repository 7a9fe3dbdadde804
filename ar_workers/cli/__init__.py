"""`arctl`: what operators, TREs and publishers type. One file per noun, imported when it is asked for.

Exit status: 0 as asked; 1 the answer is no (something was refused, failed or is not as expected); 2 wrong usage;
3 Redis cannot be reached; 4 the configuration is wrong.
"""

from __future__ import annotations

import gc
import io
import sys
from importlib import import_module
from typing import NamedTuple

import click

from .. import __version__
from ..domain.errors import ARError, InvalidSettings, LedgerUnavailable

EXIT_REFUSED, EXIT_NO_LEDGER, EXIT_SETTINGS = 1, 3, 4


class Entry(NamedTuple):
    """A line of the list: the module, and the first sentence of the command's help, for which nothing is imported."""

    module: str
    help: str


#: A command is the attribute of its module that has its name, with `_` for `-`.
COMMANDS: dict[str, Entry] = {
    "actions": Entry("actions", "List actions and deliveries with their state."),
    "approve": Entry("holds", "Let held actions pass the guard that holds them, and no other."),
    "audit": Entry("audit", "Verify or export the record of all that was decided and done, which stands in files outside Redis."),
    "capabilities": Entry("capabilities", "Show what each EDR can do: natively, by its remote shell, only detecting, or not at all."),
    "customers": Entry(
        "customers", "List the customers that have a file, with their mode: `live`, or `dry_run`, in which nothing is asked of their EDRs."
    ),
    "deliveries": Entry("deliveries", "List who was told what, and what became of it."),
    "demo": Entry("demo", "Run everything against pretend vendors, ingest the example threats, and watch them being contained."),
    "deny": Entry("holds", "Call held actions off."),
    "docs": Entry(
        "docs", "Write the generated parts of the pages: what the EDRs can do and must be allowed, and every key of the settings."
    ),
    "doctor": Entry("doctor", "Look whether credentials, permissions, groups, clocks, channels, Redis and workers are as they must be."),
    "holds": Entry("holds", "List what is held for a person, the oldest first, and how it goes on."),
    "ingest": Entry("ingest", "Accept events from FILE (or - for standard input): NDJSON, a JSON array, or an API's envelope."),
    "isolated": Entry("isolated", "List the endpoints that are isolated, the longest first."),
    "keys": Entry("keys", "Show or replace the keys that seal events and orders, or make your own, which signs what you decide."),
    "lists": Entry("lists", "Show or renew the lists of the well-known: what is on one is acted on only when a person has said so."),
    "notify": Entry("notify", "Try out receivers."),
    "pause": Entry("switches", "Hold every action that has not begun, from now on."),
    "pauses": Entry("switches", "List the closed switches; `*` is everyone."),
    "people": Entry("people", "List who may decide what, and by which key each is known."),
    "poll": Entry("poll", "Read what is new at every feed that the customers' files switch on with `poll = true`."),
    "redis-acl": Entry("redis_acl", "Print the users of Redis, with what each may do there: for the users.acl of a server of your own."),
    "release": Entry("release", "Release an isolated endpoint."),
    "resume": Entry("switches", "Open the switch again, and bring back what it held."),
    "summary": Entry("summary", "Draft the remediation summary of a threat from the ledger."),
    "threats": Entry("threats", "List threats, newest first."),
    "undo": Entry("undo", "Take back what was done: release, unban and give back, as far as each action has an undo."),
    "up": Entry("up", "Run Redis, the workers, beat and Flower for the customers in AR_HOME/customers, until Ctrl-C."),
    "upload-scripts": Entry("upload_scripts", "Upload the scripts that the customer's Defender library has not, or has otherwise."),
}


class Listed(click.Group):
    """A group that knows the names and first sentences of its commands, and imports the one that is called."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{COMMANDS[cmd_name].module}", __package__)
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, which would import them all."""
        click.Group(commands=self.commands).format_commands(ctx, formatter)


@click.group(
    cls=Listed,
    commands={name: click.Command(name, help=each.help) for name, each in COMMANDS.items()},
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"Exit status: {(__doc__ or '').partition('Exit status: ')[2]}",
)
@click.version_option(__version__, prog_name="arctl")
def arctl() -> None:
    """Automated Active Remediation: published threats in, verified containments out."""


def main() -> None:
    """Run a command; an error of ours is one line that says what to do, never a traceback."""
    try:
        sys.exit(arctl.main(standalone_mode=False))
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        _say_all(said.getvalue(), nl=False)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except LedgerUnavailable as error:
        _fail(f"{error}. Start one with `arctl up`, or name yours in AR_REDIS_URL.", EXIT_NO_LEDGER)
    except InvalidSettings as error:
        _fail("the configuration is wrong:\n  " + "\n  ".join(error.problems), EXIT_SETTINGS)
    except ARError as error:
        _fail(str(error), EXIT_REFUSED)
    finally:
        gc.freeze()  # looking once more through all that was imported took a fifth of `arctl threats`


def _fail(message: str, status: int) -> None:
    _say_all(f"arctl: {message}")
    sys.exit(status)


def _say_all(text: str, *, nl: bool = True) -> None:
    from .output import say_all  # noqa: PLC0415 - with its tables, which a page of help does not need

    say_all(text, err=True, nl=nl)
