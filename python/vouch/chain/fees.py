"""What a transaction should pay per gas, and by how much a replacement must pay more."""

import asyncio
import time

from vouch.chain.errors import RpcError
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Fees

GWEI = 10**9


class FeePolicy:
    """Twice the base fee plus the priority fee that the node suggests.

    So five full blocks in a row do not strand a transaction (EIP-1559: at most +12.5% per block). On a chain
    without EIP-1559 it is the node's gas price.

    Args:
        ttl: seconds that a suggestion is used again.
        cap: most wei per gas to offer; None for no limit. A cap below the base fee leaves transactions
            waiting.
        default_priority: wei per gas where the node suggests none.
    """

    def __init__(
        self, rpc: Rpc, *, ttl: float = 6.0, cap: int | None = None, default_priority: int = GWEI
    ) -> None:
        self._rpc, self._ttl, self._cap, self._default = rpc, ttl, cap, default_priority
        self._lock = asyncio.Lock()
        self._cached: Fees | None = None
        self._until = 0.0

    async def current(self) -> Fees:
        """Fees for a new transaction; raises RpcUnavailable, RpcError."""
        if self._cached is not None and time.monotonic() < self._until:
            return self._cached
        async with self._lock:
            if self._cached is None or time.monotonic() >= self._until:
                self._cached = await self._ask()
                self._until = time.monotonic() + self._ttl
            return self._cached

    def forget(self) -> None:
        """Ask again next time: the chain refused the last suggestion."""
        self._until = 0.0

    async def bumped(self, previous: Fees) -> Fees | None:
        """Fees that replace a transaction with `previous` ones: at least +12.5% on both (what nodes ask
        for), and the current level; None if that is over the cap.
        """
        self.forget()
        current = await self.current()
        priority = max(_bump(previous.priority), current.priority)
        max_fee = max(_bump(previous.max_fee), current.max_fee, priority)
        if self._cap is not None and max_fee > self._cap:
            return None
        return Fees(max_fee, max_fee if previous.legacy else priority, previous.legacy)

    async def _ask(self) -> Fees:
        block, tip, price = await self._rpc.batch(
            [
                ("eth_getBlockByNumber", ["latest", False]),
                ("eth_maxPriorityFeePerGas", []),
                ("eth_gasPrice", []),
            ]
        )
        if isinstance(block, RpcError):
            raise block
        base = block.get("baseFeePerGas")
        if base is None:
            if isinstance(price, RpcError):
                raise price
            gas_price = self._capped(int(price, 16))
            return Fees(gas_price, gas_price, legacy=True)
        priority = self._default if isinstance(tip, RpcError) else int(tip, 16)
        max_fee = self._capped(2 * int(base, 16) + priority)
        return Fees(max_fee, min(priority, max_fee))

    def _capped(self, fee: int) -> int:
        return fee if self._cap is None else min(fee, self._cap)


def _bump(fee: int) -> int:
    return fee + fee // 8 + 1
