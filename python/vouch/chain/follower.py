"""Reads the hub's logs block after block: a wake-up only says "look", the cursor says what was read."""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

from vouch.chain.blocks import BlockRef, Header, bloom_of
from vouch.chain.clock import ChainClock
from vouch.chain.errors import RpcError, WrongChain
from vouch.chain.events import HubLog, MalformedLog, TypedLog, decode_logs, get_logs
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc

_log = logging.getLogger(__name__)

_NEAR = 32
"""Blocks up to which every header is looked at; older ones are read in ranges of _RANGE."""
_RANGE = 2_000

_Call = tuple[str, Sequence[Any]]


class Ledger(Protocol):
    """Who remembers the blocks that were read, and gets their logs."""

    def recent_blocks(self) -> list[BlockRef]:
        """Remembered blocks, newest first; the newest one is the cursor."""

    def take(self, blocks: Sequence[BlockRef], logs: Sequence[HubLog], /) -> None:
        """Remembers the next blocks and takes in their logs: both, or neither if it raises."""

    def rewind(self, fork: BlockRef | None, /) -> None:
        """Undoes what came after `fork`; None: no remembered block is left on the chain."""


class Inconsistent(Exception):
    """The chain changed between two answers, or a node behind a balancer lags: look again."""


class Follower:
    """The cursor: everything up to it is in the ledger.

    start: number of the first block to read, where the ledger is empty.
    confirmations: how many blocks must lie on top of one that is read.
    """

    def __init__(
        self,
        rpc: Rpc,
        hub: str,
        kinds: Sequence[type[TypedLog]],
        ledger: Ledger,
        clock: ChainClock,
        *,
        start: int,
        confirmations: int = 0,
    ) -> None:
        self._rpc, self._hub, self._kinds, self._ledger = rpc, hub, kinds, ledger
        self._start, self._confirmations = start, confirmations
        topics = [kind.topic() for kind in kinds]
        self._filter = {"address": hub, "topics": [topics]}
        self._blooms = [bloom_of(to_bytes(hub)) | bloom_of(topic) for topic in topics]
        self._cursor = next(iter(ledger.recent_blocks()), None)
        self.clock = clock
        self.head = self._cursor.number if self._cursor else 0
        """Number of the newest block, read or not."""
        self.forks = 0
        """How often the chain took read blocks back."""

    @property
    def cursor(self) -> BlockRef | None:
        """The last block that was read; None before the first."""
        return self._cursor

    async def read(self) -> None:
        """Reads up to the newest confirmed block.

        Raises:
            RpcUnavailable, RpcError: the chain did not answer; nothing is lost, call again.
            WrongChain: the chain is younger than the first block to read.
            What the ledger raises.
        """
        # Twice is enough for a reorganisation; what is still inconsistent then waits for the next call.
        for _ in range(3):
            try:
                await self._read(self._cursor or await self._begin())
                return
            except Inconsistent:
                await self._follow_fork()

    async def _begin(self) -> BlockRef:
        before = max(self._start - 1, 0)
        head, origin = await self._rpc.batch([_block("latest"), _block(hex(before))])
        if (newest := _header(head).ref.number) < before:
            expected = f"block {self._start}, the first one to read"
            raise WrongChain("the newest block", f"block {newest}", expected)
        return self._take([_header(origin)], [])

    async def _read(self, cursor: BlockRef) -> None:
        """One message to the chain's node if there is nothing new, or one block and no confirmations."""
        head, mine, logs = await self._rpc.batch(
            [_block("latest"), _block(hex(cursor.number)), self._logs(cursor.number + 1, "latest")]
        )
        newest = _header(head)
        self.head = newest.ref.number
        self.clock.observe(newest.time)
        if mine is None or _header(mine).ref != cursor:
            if newest.ref in self._ledger.recent_blocks():
                return  # the same chain, only shorter: a node that lags
            raise Inconsistent
        target = newest.ref.number - self._confirmations
        if not self._confirmations and target == cursor.number + 1 and not isinstance(logs, RpcError):
            await self._step(cursor, [newest], self._decoded(logs))
            return
        while cursor.number < target:
            first = cursor.number + 1
            if target - first >= _NEAR:
                cursor = await self._skip(first, min(first + _RANGE - 1, target - _NEAR))
            else:
                cursor = await self._near(cursor, first, target)

    async def _skip(self, first: int, last: int) -> BlockRef:
        """Old blocks: the range's logs, and only its last block is remembered."""
        end = _header(await self._rpc.call("eth_getBlockByNumber", hex(last), False))
        return self._take([end], await get_logs(self._rpc, self._hub, first, last, self._kinds))

    async def _near(self, cursor: BlockRef, first: int, last: int) -> BlockRef:
        numbers = range(first, last + 1)
        *blocks, logs = await self._rpc.batch(
            [*(_block(hex(n)) for n in numbers), self._logs(first, hex(last))]
        )
        headers = [_header(block) for block in blocks]
        if isinstance(logs, RpcError):  # a node may refuse that many blocks at once
            read = await get_logs(self._rpc, self._hub, first, last, self._kinds)
        else:
            read = self._decoded(logs)
        return await self._step(cursor, headers, read)

    async def _step(self, parent: BlockRef, headers: list[Header], logs: list[HubLog]) -> BlockRef:
        """Blocks right on top of the cursor: headers must be linked, logs all that blooms announce."""
        by_block: dict[bytes, list[HubLog]] = {}
        for log in logs:
            by_block.setdefault(log.block_hash, []).append(log)
        for header in headers:
            if header.parent != parent.hash:
                raise Inconsistent
            parent = header.ref
            # A node that lags answers a range with fewer logs and no error; by hash it cannot.
            if parent.hash not in by_block and any(header.bloom & bits == bits for bits in self._blooms):
                by_block[parent.hash] = await self._logs_of(parent)
        return self._take(headers, [log for header in headers for log in by_block.get(header.ref.hash, [])])

    def _take(self, headers: list[Header], logs: list[HubLog]) -> BlockRef:
        for log in logs:
            if isinstance(log, MalformedLog):
                _log.warning(
                    "log %d of block %d passed over: %s", log.log_index, log.block_number, log.reason
                )
        blocks = [header.ref for header in headers]
        self._ledger.take(blocks, logs)
        self._cursor = blocks[-1]
        return self._cursor

    async def _follow_fork(self) -> None:
        """Goes back to the newest remembered block that is still on the chain."""
        common = await self._common()
        if common != self._cursor:
            self._ledger.rewind(common)
            self._cursor = common
            self.forks += 1

    async def _common(self) -> BlockRef | None:
        for block in self._ledger.recent_blocks():
            there = await self._rpc.call("eth_getBlockByNumber", hex(block.number), False)
            if there is not None and Header.from_rpc(there).ref == block:
                return block
        return None

    async def _logs_of(self, block: BlockRef) -> list[HubLog]:
        try:
            return self._decoded(
                await self._rpc.call("eth_getLogs", {**self._filter, "blockHash": block.hash})
            )
        except RpcError as unknown_block:
            raise Inconsistent from unknown_block

    def _logs(self, first: int, last: str) -> _Call:
        return "eth_getLogs", [{**self._filter, "fromBlock": hex(first), "toBlock": last}]

    def _decoded(self, logs: list[dict[str, Any]]) -> list[HubLog]:
        return decode_logs(logs, self._kinds)


def _block(which: str) -> _Call:
    return "eth_getBlockByNumber", [which, False]


def _header(answer: Any) -> Header:
    """Raises RpcError for a refused call, Inconsistent for a block that is not there."""
    if isinstance(answer, RpcError):
        raise answer
    if answer is None:
        raise Inconsistent
    return Header.from_rpc(answer)
