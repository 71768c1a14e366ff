"""vouch prover start: make the proofs of the zk route."""

import re
from pathlib import Path
from typing import Any

import click

from vouch.cli.console import out
from vouch.cli.options import asynchronous
from vouch.cli.service_options import database_option, keep_days_option, listen_options

DATABASE = Path(".vouch/prover.sqlite")


class Bytes(click.ParamType[int]):
    """An amount of memory: 8GB, 512MB, 1.5 GiB, or bytes."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?", str(value).strip().lower())
        if found is None:
            self.fail(f"{value!r} is no amount of memory: write 8GB, 512MB or 1.5GiB", param, ctx)
        number, prefix, binary = found.groups()
        factor = (1024 if binary else 1000) ** (" kmgt".index(prefix) if prefix else 0)
        amount = int(float(number) * factor)
        if amount < 1 << 20:
            self.fail(f"{value!r} is too little: a proof takes megabytes; write 8GB or 512MB", param, ctx)
        return amount


@click.group("prover")
def command() -> None:
    """Prove what models gave (zk route)."""


@command.command(
    "start",
    epilog="""
\b
Examples:
  vouch prover start --circuit ./risk-circuit
  vouch prover start --circuit ./risk-circuit --circuit ./digits-circuit --workers 4 --max-memory 16GB
\b
Then, with this service's address:
  vouch relayer --prover http://127.0.0.1:8720 ...      has answers on the zk route proven here
  curl localhost:8720/vouch/v1/info                      circuits, and how long a proof would take now
  curl localhost:8720/health/ready

First it proves zeros with each circuit: it knows then that proofs can be made here, how long they take and
how much memory. It does not start with a circuit that cannot be proven.

A task is stored before it is taken, and taken up again after a restart, kill -9 included: the database holds
what waits and the seals that were made. Proofs say nothing false, so the service needs no key.
""",
)
@click.option(
    "--circuit",
    "folders",
    multiple=True,
    required=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A circuit folder (vouch zk compile); repeat for several.",
)
@listen_options(8720)
@click.option(
    "--token",
    envvar="VOUCH_PROVER_TOKEN",
    show_envvar=True,
    help="Bearer token that callers must send. Others on this machine can read a command line: rather use "
    "the variable.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Proofs at once, if their memory allows it. They share the processors.",
)
@click.option(
    "--max-memory",
    type=Bytes(),
    metavar="AMOUNT",
    help="Memory for all proofs together, as 8GB; default: three quarters of the machine's.",
)
@database_option(DATABASE, "SQLite file of tasks and seals.")
@keep_days_option("seals and failures are kept")
@asynchronous
async def start(
    folders: tuple[Path, ...],
    host: str,
    port: int,
    token: str | None,
    workers: int,
    max_memory: int | None,
    database: Path,
    keep_days: float,
) -> None:
    """Take claims over HTTP, prove them one after the other, and keep the seals."""
    import asyncio

    from vouch.prover.service.app import serve
    from vouch.prover.service.circuits import load
    from vouch.prover.service.config import ProverConfig, usable_memory
    from vouch.prover.service.prove import check

    served = [one for folder in folders for one in await asyncio.to_thread(load, folder.absolute())]
    await asyncio.to_thread(check, served, None)
    database.parent.mkdir(parents=True, exist_ok=True)
    config = ProverConfig(
        database=database,
        host=host,
        port=port,
        token=token or None,
        workers=workers,
        max_memory=usable_memory() if max_memory is None else max_memory,
        keep_days=keep_days,
    )

    def announce(url: str) -> None:
        srs = served[0].srs
        out.print(f"prover ready at {url}, {workers} at once, {config.max_memory / 1e9:.1f} GB of memory")
        for one in served:
            many = (
                f"{one.circuit.batch} inferences a proof"
                if one.circuit.batch > 1
                else "one inference a proof"
            )
            out.print(f"  circuit 0x{one.circuit.id.hex()} ({many}) of model 0x{one.model_id.hex()}")
        if srs == "dev-srs":
            out.print("  reference string dev-srs: its secret is public, so these proofs convince nobody")

    await serve(config, served, progress=out.print, ready=announce)
