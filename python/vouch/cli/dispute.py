"""vouch challenge | reject | settle | expire: what anybody may do about a request."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vouch.cli.console import out
from vouch.cli.keys import load_key
from vouch.cli.options import asynchronous, deployments_option, key_option, rpc_option
from vouch.cli.status import RequestId

if TYPE_CHECKING:
    from vouch.chain.transaction import Receipt
    from vouch.client import Client

EPILOG = """
\b
Examples:
  vouch status 0x7f3c...                               who may do what now
  vouch challenge 0x7f3c... --key-file me.json         demand the proof, with the bond of the terms
  vouch reject 0x7f3c... --key-file me.json            it is late: the consumer is paid back and insured
  vouch settle 0x7f3c... --key-file me.json            nobody challenged: the operator is paid
  vouch expire 0x7f3c... --key-file me.json            nobody answered, or nothing can be proven any more
"""


@click.command("challenge", epilog=EPILOG)
@click.argument("request_id", metavar="ID", type=RequestId())
@rpc_option
@deployments_option
@key_option
@asynchronous
async def challenge(request_id: bytes, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Demand the proof of the answer to request ID, inside of its window.

    Puts up the bond of the terms. It comes back with as much again if no proof comes in time; else it is the
    operator's. What is challenged is the answer that is delivered now.
    """
    await _do(rpc, deployments, key_file, lambda client: client.challenge(request_id), "challenged")


@click.command("reject", epilog=EPILOG)
@click.argument("request_id", metavar="ID", type=RequestId())
@rpc_option
@deployments_option
@key_option
@asynchronous
async def reject(request_id: bytes, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """End request ID, whose proof is late: fee and exposure go to the consumer.

    The bond from the operator's stake goes to the challenger, or else to whoever rejects.
    """
    await _do(rpc, deployments, key_file, lambda client: client.reject(request_id), "rejected")


@click.command("settle", epilog=EPILOG)
@click.argument("request_id", metavar="ID", type=RequestId())
@rpc_option
@deployments_option
@key_option
@asynchronous
async def settle(request_id: bytes, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Make the answer to request ID final without a proof, after a window in which nobody challenged."""
    await _do(rpc, deployments, key_file, lambda client: client.settle(request_id), "settled")


@click.command("expire", epilog=EPILOG)
@click.argument("request_id", metavar="ID", type=RequestId())
@rpc_option
@deployments_option
@key_option
@asynchronous
async def expire(request_id: bytes, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """End request ID, which nobody answered in time, or whose route was withdrawn: the fee comes back."""

    async def end(client: "Client") -> "Receipt":
        asked = await client.find(request_id)
        if (await client.assurance_of(request_id)).status.open:
            return await client.expire_delivered(asked)
        return await client.expire(asked.request)

    await _do(rpc, deployments, key_file, end, "expired")


commands = (challenge, reject, settle, expire)


async def _do(
    rpc: str,
    deployments: Path,
    key_file: Path | None,
    act: "Callable[[Client], Awaitable[Receipt]]",
    done: str,
) -> None:
    from vouch.client import Client

    async with Client(rpc, load_key(key_file, "to send with"), deployments=deployments) as client:
        receipt = await act(client)
        out.print(f"[green]{done}[/], transaction 0x{receipt.tx_hash.hex()}, {receipt.gas_used:,} gas")
