"""Entry point of the command line."""

import logging
import os
import signal
import threading
import time
from importlib import import_module
from typing import Any, Final

import click

from vouch.cli.console import Failed, describe, leaves
from vouch.protocol.errors import VouchError

PARENT_SECONDS = 0.5

_OWN = "attest check demo deploy model node operator prover relayer request status up watch zk"
MODULES: Final = {
    **{name: name for name in _OWN.split()},
    **dict.fromkeys(("challenge", "expire", "reject", "settle"), "dispute"),
}
"""Command -> module of vouch.cli that has it as `command`, or as one of `commands`."""

EPILOG = """
\b
First steps:
  vouch demo                     one question, end to end, on a private chain (seconds)
  vouch up                       the same as a devnet that stays up, with copy-paste commands
  vouch check                    is everything there that Vouch needs? what to do if not?

\b
Every option can also be set in the environment, for example:
  VOUCH_RPC=http://127.0.0.1:8545  VOUCH_KEY_FILE=~/operator.json  VOUCH_DEPLOYMENTS=./deployments
"""


class Commands(click.Group):
    """Turns the errors of all commands into one clear line; `--debug` shows the traceback instead.

    A command's module is imported when it is asked for: all of them together take a second.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*MODULES, *super().list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in MODULES:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"vouch.cli.{MODULES[cmd_name]}")
        found: list[click.Command] = getattr(module, "commands", None) or [module.command]
        return next(command for command in found if command.name == cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            inner = list(leaves(error))
            known = [e for e in inner if isinstance(e, VouchError | OSError)]
            message = "\n".join(dict.fromkeys(describe(e) for e in known or inner))
            if not known:
                message += (
                    "\nThat was not foreseen: run `vouch --debug ...` for the traceback, and report it."
                )
            raise Failed(message) from error


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "VOUCH",
        "max_content_width": 110,
    },
)
@click.option("--debug", is_flag=True, help="Show tracebacks and log everything.")
@click.option("--parent", type=int, hidden=True, help="End with this process.")
@click.version_option(package_name="vouch-inference", prog_name="vouch")
def cli(debug: bool, parent: int | None) -> None:
    """Ask an AI model a question from a smart contract, and know on chain how far the answer can be trusted.

    A consumer contract asks through the hub, an operator's node runs the model once, the relayer brings
    output and seal back, and the hub checks the seal before it pays the operator and calls the consumer.
    """
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()


def _end_with(parent: int) -> None:
    # A devnet that was killed hard cannot stop its parts: they notice that someone else has adopted them.
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """The console script `vouch`."""
    cli()


if __name__ == "__main__":
    main()
