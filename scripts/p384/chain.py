"""P384 on a fresh Anvil."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vouch.attestation.p384.tables import creation_code
from vouch.chain.abi import artefact, function
from vouch.chain.anvil import Anvil
from vouch.chain.errors import RpcError
from vouch.chain.reverts import Reverted, reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import MAX_TX_GAS, Call, Receipt


@dataclass(frozen=True, slots=True)
class Deployed:
    """The contract, and the receipts of its two tables and of itself."""

    rpc: Rpc
    sender: TxSender
    receipts: tuple[Receipt, ...]

    def call(self, digest: bytes, key: bytes, signature: bytes, hints: bytes) -> Call:
        return Call(
            self.receipts[-1].contract, function("P384", "verify").encode((digest, key, signature, hints))
        )

    async def refusal(self, call: Call) -> Reverted | None:
        """What the contract reverts with, or None. Raises RpcError if the node fails otherwise."""
        try:
            await self.rpc.call("eth_call", call.to_rpc(gas=MAX_TX_GAS), "latest")
        except RpcError as refused:
            found = reverted(refused)
            if found is None:
                raise
            return found
        return None


@asynccontextmanager
async def deployed() -> AsyncIterator[Deployed]:
    """Raises UnknownAbi if P384 has not been exported: run scripts/export_abi.py."""
    async with Anvil() as anvil, Rpc(anvil.http_url) as rpc:
        sender = TxSender(rpc, anvil.accounts[0])
        tables = [await sender.transact(Call(None, creation_code(table))) for table in (0, 1)]
        code = artefact("P384").creation(*(receipt.contract for receipt in tables))
        yield Deployed(rpc, sender, (*tables, await sender.transact(Call(None, code))))
