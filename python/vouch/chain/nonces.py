"""Which nonces of one account are given out, and what was signed with each of them."""

import asyncio
import heapq
from collections import OrderedDict

from vouch.chain.rpc import Rpc
from vouch.chain.transaction import SentTx

_REMEMBERED = 256


class NonceLane:
    """Local nonces of one account, so that sending needs no question to the chain's node.

    A nonce is open from `take` to `close`; `signed` adds the transactions that compete for it. The last 256
    closed ones are remembered, because a reorg can open them again.
    """

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc, self._address = rpc, address
        self._lock = asyncio.Lock()
        self._next: int | None = None
        self._free: list[int] = []
        self._open: dict[int, list[SentTx]] = {}
        self._announced: set[int] = set()
        self._closed: OrderedDict[int, SentTx] = OrderedDict()

    @property
    def idle(self) -> bool:
        """True if no nonce is open."""
        return not self._open

    async def take(self) -> int:
        """The lowest nonce that is free; raises RpcUnavailable or RpcError the first time, never later."""
        if self._next is None:
            await self.resync()
        assert self._next is not None, "resync sets it"
        if self._free:
            nonce = heapq.heappop(self._free)
        else:
            nonce, self._next = self._next, self._next + 1
        self._open[nonce] = []
        return nonce

    def claim(self, nonce: int) -> bool:
        """Takes this very nonce; False if somebody was faster."""
        if nonce in self._open:
            return False
        if nonce in self._free:
            self._free.remove(nonce)
            heapq.heapify(self._free)
        self._open[nonce] = []
        return True

    def give_back(self, nonce: int) -> bool:
        """The nonce was certainly not used. True if a later one is in use, so that the gap must be filled."""
        self._open.pop(nonce, None)
        self._announced.discard(nonce)
        if self._next is None or nonce >= self._next:
            return False
        heapq.heappush(self._free, nonce)
        while self._next - 1 in self._free:
            self._next -= 1
            self._free.remove(self._next)
        heapq.heapify(self._free)
        return bool(self._free)

    def signed(self, tx: SentTx) -> None:
        """A transaction competes for its nonce from now on, whoever gave the nonce out."""
        self._open.setdefault(tx.nonce, []).append(tx)
        if self._next is not None:
            self._advance(self._next)

    def announced(self, tx: SentTx) -> None:
        """The transaction is being broadcast: from now on it may be broadcast again to mend a gap."""
        if tx.nonce in self._open:
            self._announced.add(tx.nonce)

    def attempts(self, nonce: int) -> list[SentTx]:
        """What competes for a nonce, oldest first."""
        return list(self._open.get(nonce, ()))

    def close(self, tx: SentTx) -> None:
        """The nonce was used up by this transaction."""
        self.drop(tx.nonce)
        self._closed[tx.nonce] = tx
        while len(self._closed) > _REMEMBERED:
            self._closed.popitem(last=False)

    def drop(self, nonce: int) -> None:
        """The nonce was used up by somebody else's transaction."""
        self._open.pop(nonce, None)
        self._announced.discard(nonce)

    async def resync(self) -> None:
        """Goes on after what the node knows and what is open here (another process may use the same key).

        Raises:
            RpcUnavailable, RpcError: as Rpc.call.
        """
        async with self._lock:
            pending = await self._count("pending")
            self._free = [nonce for nonce in self._free if nonce >= pending]
            self._advance(pending)

    async def gaps(self) -> list[tuple[int, SentTx | None]]:
        """Nonces that the node waits for, though later ones were given out, and what was signed for them.

        Raises:
            RpcUnavailable, RpcError: as Rpc.call.
        """
        if self._next is None:
            await self.resync()  # everything open was adopted: what the node does not have is missing
        pending = await self._count("pending")
        found: list[tuple[int, SentTx | None]] = []
        for nonce in range(pending, self._next or 0):
            attempts = self._open.get(nonce)
            if attempts is None:
                found.append((nonce, self._closed.get(nonce)))
            elif nonce in self._announced:
                found.append((nonce, attempts[-1]))
            # else it is being signed or stored right now, and will be broadcast by whoever does that
        return found

    async def mined(self) -> int:
        """How many transactions of the account the latest block counts."""
        return await self._count("latest")

    def _advance(self, start: int) -> None:
        # Whatever lies between `start` and an open nonce, and is neither open nor free yet, is free.
        end = max([start, *(nonce + 1 for nonce in self._open)])
        left_out = {nonce for nonce in range(start, end) if nonce not in self._open}
        self._free = sorted(nonce for nonce in left_out.union(self._free) if nonce < end)
        self._next = end

    async def _count(self, block: str) -> int:
        return int(await self._rpc.call("eth_getTransactionCount", self._address, block), 16)
