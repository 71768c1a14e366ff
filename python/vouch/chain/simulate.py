"""Trying a call before it costs anything, and finding out why a mined one failed."""

from vouch.chain.abi import ContractError, decode_error
from vouch.chain.broadcast import unfunded
from vouch.chain.errors import RpcError
from vouch.chain.reverts import reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import MAX_TX_GAS, Call, Receipt, SentTx


class Simulator:
    """Runs calls of one account on the chain's node without sending them."""

    def __init__(self, rpc: Rpc, address: str, margin: float) -> None:
        self._rpc, self._address, self._margin = rpc, address, margin

    async def gas(self, call: Call, gas: int | None, block: str) -> int:
        """Gas for the call: estimated with the margin, or the given amount once the call succeeded with it.

        Raises:
            Reverted, Unfunded, RpcError, RpcUnavailable.
        """
        try:
            if gas is not None:
                await self._rpc.call("eth_call", call.to_rpc(self._address, gas), block)
                return gas
            estimate = int(await self._rpc.call("eth_estimateGas", call.to_rpc(self._address), block), 16)
        except RpcError as refused:
            named = reverted(refused) or unfunded(self._address, refused)
            if named is not None:
                raise named from refused
            raise
        return max(estimate, min(int(estimate * self._margin), MAX_TX_GAS))

    async def explain(self, sent: SentTx, receipt: Receipt) -> ContractError:
        """Why a mined transaction reverted: run again on the state before its block, then after it."""
        tx = sent.transaction
        if receipt.gas_used >= tx.gas:
            return ContractError("OutOfGas", {"gas": tx.gas}, "send it with more gas", b"")
        for block in (receipt.block_number - 1, receipt.block_number):
            try:
                await self._rpc.call("eth_call", tx.call.to_rpc(self._address, tx.gas), hex(block))
            except RpcError as refused:
                if (found := reverted(refused)) is not None:
                    return found.error
                raise
        return decode_error(b"")
