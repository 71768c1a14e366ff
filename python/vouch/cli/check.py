"""vouch check: is everything there?"""

from pathlib import Path

import click
from rich.table import Table

from vouch.cli.console import Failed, out
from vouch.cli.options import RELAYER_DB, asynchronous, deployments_option, key_option, rpc_option


@click.command(
    "check",
    epilog="""
\b
Examples:
  vouch check                                             what a dApp needs: chain and deployment
  vouch check --node http://127.0.0.1:8700                what an operator needs
  vouch check --key-file relayer.key --db .vouch/relayer.sqlite --ws ws://127.0.0.1:8545
                                                          what a relayer needs
""",
)
@rpc_option
@click.option("--ws", metavar="URL", envvar="VOUCH_WS", show_envvar=True, help="Websocket of the chain.")
@deployments_option
@key_option
@click.option("--node", metavar="URL", help="A node.")
@click.option(
    "--prover",
    metavar="URL",
    envvar="VOUCH_PROVER",
    show_envvar=True,
    help="A prover service, for the zk route.",
)
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="VOUCH_RELAYER_DATABASE",
    show_envvar=True,
    help=f"The relayer's database (it uses {RELAYER_DB} unless told otherwise).",
)
@asynchronous
async def command(
    rpc: str,
    ws: str | None,
    deployments: Path,
    key_file: Path | None,
    node: str | None,
    prover: str | None,
    db: Path | None,
) -> None:
    """Probe every dependency, and say what to do about each one that fails.

    What is not named by an option is not probed. Exit code 1 if anything failed.
    """
    from vouch.cli.probes import Outcome, Target, probe_all

    target = Target(rpc, deployments, ws, key_file, node, db, prover)
    failed = 0
    table = Table.grid(padding=(0, 2))
    async for result in probe_all(target):
        mark = {Outcome.OK: "[green]ok[/]", Outcome.FAILED: "[red]FAILED[/]", Outcome.SKIPPED: "[dim]-[/]"}[
            result.outcome
        ]
        table.add_row(mark, result.name, result.detail)
        failed += result.outcome is Outcome.FAILED
    out.print(table)
    if failed:
        raise Failed(f"{failed} of the probes failed\nthe lines above say what to do")
    out.print("[green]everything is there[/]")
