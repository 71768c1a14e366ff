"""An account at work on the registries and the hub's ledger, for the commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.cli.console import out
from vouch.cli.keys import load_key
from vouch.client import Client
from vouch.client.connection import Connection


@dataclass(frozen=True, slots=True)
class Operator:
    """An account with its key, and what it acts on."""

    client: Client
    connection: Connection
    nodes: NodeRegistry
    sender: TxSender

    @property
    def account(self) -> str:
        return self.sender.address

    @property
    def hub(self) -> Hub:
        return self.connection.hub

    async def do(self, call: Call, done: str) -> None:
        """Sends a call and prints what it did; raises what TxSender.transact does."""
        receipt = await self.sender.transact(call)
        out.print(f"[green]done[/] {done}, {receipt.gas_used:,} gas")


@asynccontextmanager
async def operating(rpc: str, deployments: Path, key_file: Path | None) -> AsyncIterator[Operator]:
    """The account of the key, connected; raises NoKey, BadKey, and what Client.connection does."""
    key = load_key(key_file, "of the operator")
    async with Client(rpc, key, deployments=deployments) as client:
        c = await client.connection()
        nodes = NodeRegistry(c.rpc, c.deployment.nodes)
        yield Operator(client, c, nodes, c.sender("of the operator"))
