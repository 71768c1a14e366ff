"""What a transaction should pay per gas, and by how much a replacement must pay more."""

import asyncio
import logging
import time
from typing import Any

from vouch.chain.errors import FeeOverCap, RpcError
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Fees

_log = logging.getLogger(__name__)

GWEI = 10**9
MAX_FEE = 500 * GWEI
"""Cap of services that run unattended, wei per gas."""


class FeePolicy:
    """Twice the base fee plus the priority fee that the node suggests.

    So five full blocks in a row do not strand a transaction (EIP-1559: at most +12.5% per block). On a chain
    without EIP-1559 it is the node's gas price.

    Args:
        ttl: seconds that a suggestion is used again.
        cap: most wei per gas to offer; None for no limit. While the base fee is above it, `check` and
            `trouble` say so: what is sent all the same may be refused, or waits for its block.
        default_priority: wei per gas where the node suggests none.
    """

    def __init__(
        self, rpc: Rpc, *, ttl: float = 6.0, cap: int | None = None, default_priority: int = GWEI
    ) -> None:
        self._rpc, self._ttl, self._cap, self._default = rpc, ttl, cap, default_priority
        self._lock = asyncio.Lock()
        self._cached: Fees | None = None
        self._until = 0.0
        self._over: FeeOverCap | None = None

    @property
    def trouble(self) -> str:
        """Why transactions wait, as of the last question to the chain; empty if the cap is not in the way."""
        return "" if self._over is None else str(self._over)

    async def check(self) -> None:
        """Raises FeeOverCap while the next block asks for more than the cap; RpcUnavailable, RpcError."""
        await self.current()
        if (over := self._over) is not None:
            raise FeeOverCap(over.received, over.cap)

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
            if self._over is None:  # otherwise it was said when gas became too dear
                _log.warning(
                    "a transaction that offers %g gwei waits: a higher offer is over the cap, %g (--max-fee)",
                    previous.max_fee / GWEI,
                    self._cap / GWEI,
                )
            return None
        max_fee = self._capped(max_fee)
        return Fees(max_fee, max_fee if previous.legacy else priority, previous.legacy)

    async def _ask(self) -> Fees:
        calls: list[tuple[str, list[Any]]] = [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_maxPriorityFeePerGas", []),
            ("eth_gasPrice", []),
        ]
        if self._cap is not None:
            calls.append(("eth_feeHistory", ["0x1", "latest", []]))
        block, tip, price, *history = await self._rpc.batch(calls)
        if isinstance(block, RpcError):
            raise block
        base = block.get("baseFeePerGas")
        if base is None:
            if isinstance(price, RpcError):
                raise price
            self._compare(int(price, 16))
            gas_price = self._capped(int(price, 16))
            return Fees(gas_price, gas_price, legacy=True)
        self._compare(_next_base_fee(*history) or int(base, 16))
        priority = self._default if isinstance(tip, RpcError) else int(tip, 16)
        max_fee = self._capped(2 * int(base, 16) + priority)
        return Fees(max_fee, min(priority, max_fee))

    def _compare(self, least: int) -> None:
        """Says it once when the cap gets in the way of what a block asks for, and when it does no more."""
        before, self._over = self._over, None
        if self._cap is not None and least > self._cap:
            self._over = FeeOverCap(least, self._cap)
            if before is None:
                _log.warning("%s", self._over)
        elif before is not None:
            _log.info("gas costs %g gwei, within the cap again: transactions go on", least / GWEI)

    def _capped(self, fee: int) -> int:
        """At most the cap; and the cap itself where no replacement would fit in between, so that none is
        stuck below it.
        """
        return fee if self._cap is None or _bump(fee) <= self._cap else self._cap


def _next_base_fee(history: Any = None) -> int | None:
    """The next block's; None if it was not asked for, or the chain's node cannot say."""
    fees = history.get("baseFeePerGas") if isinstance(history, dict) else None
    return int(fees[-1], 16) if fees else None


def _bump(fee: int) -> int:
    return fee + fee // 8 + 1
