"""vouch challenge | reject | settle | expire: what anybody may do about a request."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vouch.cli.console import out
from vouch.cli.keys import load_key
from vouch.cli.options import account_options, asynchronous, request_argument

if TYPE_CHECKING:
    from vouch.chain.transaction import Receipt
    from vouch.client import Client

    Act = Callable[[Client, bytes], Awaitable[Receipt]]

EPILOG = """
\b
Examples:
  vouch status 0x7f3c...                               who may do what now
  vouch challenge 0x7f3c... --key-file me.json         demand the proof, with the bond of the terms
  vouch reject 0x7f3c... --key-file me.json            it is late: the consumer is paid back and insured
  vouch settle 0x7f3c... --key-file me.json            nobody challenged: the operator is paid
  vouch expire 0x7f3c... --key-file me.json            nobody answered, or nothing can be proven any more
"""


def _about_request(done: str) -> "Callable[[Act], click.Command]":
    """A command about request ID out of what it does; `done` is how that is called afterwards."""

    def made(act: "Act") -> click.Command:
        @click.command(act.__name__, epilog=EPILOG, help=act.__doc__)
        @request_argument
        @account_options
        @asynchronous
        async def command(request_id: bytes, rpc: str, deployments: Path, key_file: Path | None) -> None:
            from vouch.client import Client

            async with Client(rpc, load_key(key_file, "to send with"), deployments=deployments) as client:
                receipt = await act(client, request_id)
                out.print(
                    f"[green]{done}[/], transaction 0x{receipt.tx_hash.hex()}, {receipt.gas_used:,} gas"
                )

        return command

    return made


@_about_request("challenged")
async def challenge(client: "Client", request_id: bytes) -> "Receipt":
    """Demand the proof of the answer to request ID, inside of its window.

    Puts up the bond of the terms. It comes back with as much again if no proof comes in time; else it is the
    operator's. What is challenged is the answer that is delivered now.
    """
    return await client.challenge(request_id)


@_about_request("rejected")
async def reject(client: "Client", request_id: bytes) -> "Receipt":
    """End request ID, whose proof is late: fee and exposure go to the consumer.

    The bond from the operator's stake goes to the challenger, or else to whoever rejects.
    """
    return await client.reject(request_id)


@_about_request("settled")
async def settle(client: "Client", request_id: bytes) -> "Receipt":
    """Make the answer to request ID final without a proof, after a window in which nobody challenged."""
    return await client.settle(request_id)


@_about_request("expired")
async def expire(client: "Client", request_id: bytes) -> "Receipt":
    """End request ID, which nobody answered in time, or whose route was withdrawn: the fee comes back."""
    asked = await client.find(request_id)
    if (await client.assurance_of(request_id)).status.open:
        return await client.expire_delivered(asked)
    return await client.expire(asked.request)


commands = (challenge, reject, settle, expire)
