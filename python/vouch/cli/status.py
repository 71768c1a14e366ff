"""vouch status: where one request stands."""

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from vouch.cli.console import Failed, out
from vouch.cli.options import asynchronous, chain_options, request_argument

if TYPE_CHECKING:
    from vouch.cli.records import Record


@click.command(
    "status",
    epilog="""
\b
Examples:
  vouch status 0x7f3c...
  vouch status 0x7f3c... --db .vouch/relayer.sqlite     with what the relayer did, and why it waits or refused
""",
)
@request_argument
@chain_options
@click.option(
    "--db",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="VOUCH_RELAYER_DATABASE",
    show_envvar=True,
    help="The relayer's database, to see its record of the request.",
)
@asynchronous
async def command(request_id: bytes, rpc: str, deployments: Path, db: Path | None) -> None:
    """Show where the request ID stands, on chain and at the relayer."""
    from vouch.cli.records import read_record
    from vouch.cli.render import assurance_text, gap_terms_text, gap_text, money
    from vouch.client import Client
    from vouch.client.errors import UnknownRequest
    from vouch.protocol.request import ANYONE
    from vouch.protocol.status import Status

    record = None if db is None else read_record(db, request_id)
    async with Client(rpc, deployments=deployments) as client:
        assurance = await client.assurance_of(request_id)
        known = assurance.status is not Status.NONE
        out.print(f"request   0x{request_id.hex()}")
        out.print(f"on chain  [bold]{assurance_text(assurance) if known else 'unknown'}[/]")
        if known:
            try:
                asked = await client.find(request_id)
            except UnknownRequest:
                out.print("terms     the chain's node does not have the event any more")
            else:
                terms = asked.request
                chain = await client.connection()
                level, now = await chain.router.name_of(terms.route), await chain.now()
                if (gap := await client.gap(asked)) is not None:
                    live = await chain.router.can_verify(terms.route, terms.trust)
                    out.print(f"gap       [bold]{gap_text(gap, terms, live, now)}[/]")
                out.print(f"model     {asked.manifest.name} (0x{terms.model_id.hex()})")
                out.print(f"consumer  {terms.consumer}, fee {money(terms.fee, terms.token)}")
                out.print(f"operator  {terms.operator if terms.operator != ANYONE else 'any registered one'}")
                out.print(f"route     {terms.route.decode(errors='replace')} ({level or 'unknown route'})")
                out.print(f"allows    {gap_terms_text(terms)}")
                late = assurance.status is Status.REQUESTED and now > terms.deliver_by
                after = ", passed: anyone may expire it (`vouch expire`)" if late else ""
                out.print(f"deadline  {_clock(terms.deliver_by * 10**9)}{after}")
    if db is not None:
        _print_record(record, db)
    if not known and record is None:
        raise Failed(
            f"no request 0x{request_id.hex()} on this hub\n"
            "check the id, --rpc, and whether its transaction was mined"
        )


def _print_record(record: "Record | None", db: Path) -> None:
    if record is None:
        out.print(f"relayer   has not seen it ({db})")
        return
    from vouch.relayer.gap_line import gap_line

    job = record.job
    if gap := gap_line(job, time.time()):
        out.print(f"relayer   [bold]{gap}[/]")
    else:
        out.print(f"relayer   [bold]{job.status}[/]{': ' + job.reason if job.reason else ''}")
    if job.callback_failure:
        out.print(f"callback  [red]failed[/]: {job.callback_failure}; anyone can retry it (retryCallback)")
    table = Table(box=None, pad_edge=False)
    for column in ("when", "step", "reason"):
        table.add_column(column)
    for step in record.steps:
        table.add_row(_clock(step.at), step.status.value, step.reason)
    out.print(table)


def _clock(nanoseconds: int) -> str:
    moment = dt.datetime.fromtimestamp(nanoseconds / 1e9, tz=dt.UTC)
    return moment.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00") + " UTC"
