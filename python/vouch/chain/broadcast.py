"""Handing signed bytes to the chain's node, and what its answers mean."""

import asyncio
import re
import time

from vouch.chain.errors import NonceUsed, RpcError, RpcUnavailable, Unfunded
from vouch.chain.hexes import to_hex
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Receipt, SentTx

# The wording of geth, reth, Anvil, Nethermind, Besu and Erigon; none of them gives these refusals own codes.
_KNOWN, _NONCE_USED, _POOL_HAS_OTHER, _FEE, _FUNDS = (
    re.compile("|".join(words), re.IGNORECASE)
    for words in (
        ("already known", "known transaction", "already imported", "already in (the )?(mem)?pool"),
        ("nonce.{0,30}(too low|already|below)", "OldNonce"),
        ("replacement.{0,20}underpriced", "ReplacementNotAllowed", "same nonce"),
        ("fee.{0,40}(less|lower|below|too low)", "underpriced", "FeeTooLow", "gas price.{0,20}(low|below)"),
        ("insufficient.{0,10}(funds|balance)", "not have enough funds", "upfront cost exceeds"),
    )
)
_NO_METHOD = (-32601, -32004)
_NO_SUCH = re.compile(
    "method not found|not (supported|available)|does not exist|did not match any variant", re.IGNORECASE
)
_SYNC_LATE = (4, 5)  # EIP-7966: accepted, but no receipt within the node's time
_SYNC_TIMEOUT = 2.0
_PATIENCE = (0.0, 0.05, 0.2, 0.5, 1.0)  # seconds after each lost answer


def unfunded(address: str, refused: RpcError) -> Unfunded | None:
    """The refusal as Unfunded, or None if it is about something else."""
    return Unfunded(address, refused) if _FUNDS.search(refused.message) else None


class Broadcaster:
    """Sends raw transactions of one account."""

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc, self._address = rpc, address
        self._sync = True  # until the node shows that it cannot, or not quickly

    @staticmethod
    def is_fee_too_low(refused: RpcError) -> bool:
        """True if the node would take the transaction at a higher fee."""
        return bool(_FEE.search(refused.message)) and not _FUNDS.search(refused.message)

    async def broadcast(self, tx: SentTx, *, sync: bool) -> Receipt | None:
        """See TxSender.broadcast."""
        unknown: RpcUnavailable | None = None
        for pause in _PATIENCE:
            try:
                return await self._once(tx, sync=sync and self._sync)
            except RpcUnavailable as lost:
                # Maybe it arrived, maybe not. Asking tells, and the same bytes again do no harm.
                unknown = lost
                try:
                    if await self._knows(tx):
                        return None
                except RpcUnavailable as still_lost:
                    unknown = still_lost
                await asyncio.sleep(pause)
            except RpcError as refused:
                await self._refused(tx, refused)
                return None
        assert unknown is not None, "the loop ends otherwise only after a lost answer"
        raise unknown

    async def _once(self, tx: SentTx, *, sync: bool) -> Receipt | None:
        if sync:
            started = time.monotonic()
            try:
                answer = await self._rpc.call("eth_sendRawTransactionSync", tx.raw, timeout=_SYNC_TIMEOUT)
                return Receipt.from_rpc(answer)
            except RpcUnavailable:
                # Only slow blocks speak against asking this way again, a lost connection does not.
                self._sync = time.monotonic() - started < _SYNC_TIMEOUT
                raise
            except RpcError as refused:
                late = refused.code in _SYNC_LATE
                if not late and refused.code not in _NO_METHOD and not _NO_SUCH.search(refused.message):
                    raise
                self._sync = False
                if late:
                    return None
        await self._rpc.call("eth_sendRawTransaction", tx.raw)
        return None

    async def _refused(self, tx: SentTx, refused: RpcError) -> None:
        if _KNOWN.search(refused.message):
            return
        if _NONCE_USED.search(refused.message) or _POOL_HAS_OTHER.search(refused.message):
            # An earlier broadcast of these very bytes may be what used the nonce.
            if await self._knows(tx):
                return
            raise NonceUsed(tx.hash, tx.nonce, refused.message) from refused
        if (poor := unfunded(self._address, refused)) is not None:
            raise poor from refused
        raise refused

    async def _knows(self, tx: SentTx) -> bool:
        return await self._rpc.call("eth_getTransactionByHash", to_hex(tx.hash)) is not None
