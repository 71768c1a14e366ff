"""What keeps sent transactions moving: receipts, replacements, gaps in the nonces."""

import logging
from collections.abc import Callable

from vouch.chain.broadcast import Broadcaster
from vouch.chain.errors import NonceUsed, TransactionReplaced
from vouch.chain.fees import FeePolicy
from vouch.chain.hexes import to_hex
from vouch.chain.nonces import NonceLane
from vouch.chain.rpc import Rpc
from vouch.chain.simulate import Simulator
from vouch.chain.transaction import Call, Fees, Receipt, SentTx, Transaction

_log = logging.getLogger(__name__)


class Upkeep:
    """Looks after the transactions of one account; signs through its sender, which holds the key."""

    def __init__(
        self,
        rpc: Rpc,
        address: str,
        nonces: NonceLane,
        fees: FeePolicy,
        broadcaster: Broadcaster,
        simulator: Simulator,
        sign: Callable[[Transaction], SentTx],
    ) -> None:
        self._rpc, self._address, self._nonces, self._fees = rpc, address, nonces, fees
        self._broadcaster, self._simulator, self._sign = broadcaster, simulator, sign

    async def receipt(self, sent: SentTx, confirmations: int) -> Receipt | None:
        """Receipt of whichever transaction with this nonce was mined, once it has the confirmations."""
        for tx in reversed(self._nonces.attempts(sent.nonce) or [sent]):
            found = await self._rpc.call("eth_getTransactionReceipt", to_hex(tx.hash))
            # Some nodes answer with a half-filled receipt while the block is not sealed.
            if found is None or found.get("blockHash") is None:
                continue
            receipt = Receipt.from_rpc(found)
            if confirmations:
                head = int(await self._rpc.call("eth_blockNumber"), 16)
                if head - receipt.block_number < confirmations:
                    return None
            self._nonces.close(tx)
            return receipt
        return None

    async def look_into(self, sent: SentTx, chain_id: int) -> None:
        """A receipt is overdue: finds out why, and mends what can be mended; raises TransactionReplaced."""
        if await self._nonces.mined() <= sent.nonce:
            await self.fill_gaps(chain_id)
            return
        for tx in self._nonces.attempts(sent.nonce) or [sent]:
            # Mined, but not confirmed often enough yet; or mined between the two questions.
            if await self._rpc.call("eth_getTransactionReceipt", to_hex(tx.hash)) is not None:
                return
        if await self._nonces.mined() > sent.nonce:  # no reorg meanwhile
            self._nonces.drop(sent.nonce)
            raise TransactionReplaced(sent.hash, sent.nonce)

    async def fill_gaps(self, chain_id: int) -> None:
        """Broadcasts again what the node lost, and empty transactions for nonces that were left out."""
        for nonce, known in await self._nonces.gaps():
            tx = known or await self._empty(nonce, chain_id)
            if tx is None:
                continue
            try:
                await self._broadcaster.broadcast(tx, sync=False)
            except NonceUsed:
                _log.info("nonce %d of %s is not missing any more", nonce, self._address)

    async def _empty(self, nonce: int, chain_id: int) -> SentTx | None:
        call = Call(self._address, b"")
        gas = await self._simulator.gas(call, None, "latest")
        fees: Fees = await self._fees.current()
        if not self._nonces.claim(nonce):
            return None
        _log.warning("nonce %d of %s was left out: filled with an empty transaction", nonce, self._address)
        tx = self._sign(Transaction(chain_id, nonce, gas, fees, call))
        self._nonces.close(tx)  # nobody waits for it
        return tx

    async def replace(self, sent: SentTx) -> None:
        """Signs the transaction again with higher fees and broadcasts it, unless they exceed the fee cap."""
        attempts = self._nonces.attempts(sent.nonce)
        if not attempts:
            return  # mined a moment ago, and waiting for confirmations
        latest = attempts[-1]
        old = latest.transaction
        fees = await self._fees.bumped(old.fees)
        if fees is None:
            return
        tx = self._sign(Transaction(old.chain_id, old.nonce, old.gas, fees, old.call, old.access_list))
        _log.warning("replacing %s with %s at higher fees", to_hex(latest.hash), to_hex(tx.hash))
        try:
            await self._broadcaster.broadcast(tx, sync=False)
        except NonceUsed as refused:
            _log.warning("%s was not replaced: %s", to_hex(latest.hash), refused)
