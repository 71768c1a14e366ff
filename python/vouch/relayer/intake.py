"""Reads the hub's logs block after block: a wake-up only says "look", the cursor says what was read."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from vouch.chain.errors import RpcError
from vouch.chain.events import HUB_EVENTS, MalformedLog, decode_log, log_ranges
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Log
from vouch.protocol.keccak import keccak
from vouch.relayer.clock import ChainClock
from vouch.relayer.errors import ReorganisedTooDeep, WrongChain
from vouch.relayer.job import BlockRef, HubLog, Job
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)

_NEAR = 32
"""Blocks up to which every header is looked at; older ones are read in ranges of _RANGE."""
_RANGE = 2_000


@dataclass(frozen=True, slots=True)
class Header:
    """What intake needs of a block; time in unix seconds."""

    ref: BlockRef
    parent: bytes
    time: int
    bloom: int

    @classmethod
    def from_rpc(cls, block: dict[str, Any]) -> Self:
        return cls(
            BlockRef(int(block["number"], 16), to_bytes(block["hash"])),
            to_bytes(block["parentHash"]),
            int(block["timestamp"], 16),
            int(block["logsBloom"], 16),
        )


class Inconsistent(Exception):
    """The chain changed between two answers, or a node behind a balancer lags: look again."""


class Intake:
    """The cursor and everything read up to it, in one store transaction per step."""

    def __init__(
        self,
        rpc: Rpc,
        hub: str,
        store: Store,
        clock: ChainClock,
        *,
        start_block: int = 0,
        confirmations: int = 0,
        keep_blocks: int = 256,
    ) -> None:
        self._rpc, self._hub, self._store, self._clock = rpc, hub, store, clock
        self._start, self._confirmations, self._keep = start_block, confirmations, keep_blocks
        self._topics = [[kind.topic() for kind in HUB_EVENTS]]
        self._bloom = bloom_of(to_bytes(hub))
        self._cursor = store.cursor()
        self.head = self._cursor.number if self._cursor else 0
        self.forks = 0
        """How often the chain took read blocks back."""

    @property
    def cursor(self) -> BlockRef | None:
        """Last block that was read."""
        return self._cursor

    async def read(self) -> list[Job]:
        """Reads up to the newest confirmed block.

        Returns the jobs that need work now.

        Raises:
            RpcUnavailable, RpcError: the chain did not answer; nothing is lost, call again.
            ReorganisedTooDeep: no remembered block is left on the chain.
        """
        work: list[Job] = []
        if self._cursor is None:
            self._cursor = await self._origin()
            self._store.advance([self._cursor], [], self._keep)
        # Twice is enough for a reorganisation; what is still inconsistent then waits for the next wake-up.
        for _ in range(3):
            try:
                return work + await self._read(self._cursor)
            except Inconsistent:
                work += await self._follow_fork()
        return work

    async def _origin(self) -> BlockRef:
        try:
            return (await self._header(max(self._start - 1, 0))).ref
        except Inconsistent:
            raise WrongChain(
                "the newest block", "older", f"block {self._start}, where the hub starts"
            ) from None

    async def _read(self, cursor: BlockRef) -> list[Job]:
        head_raw, mine_raw, logs_raw = await self._rpc.batch(
            [
                ("eth_getBlockByNumber", ["latest", False]),
                ("eth_getBlockByNumber", [hex(cursor.number), False]),
                ("eth_getLogs", [self._filter(cursor.number + 1, "latest")]),
            ]
        )
        for refused in (head_raw, mine_raw):
            if isinstance(refused, RpcError):
                raise refused
        head = Header.from_rpc(head_raw)
        self.head = head.ref.number
        self._clock.observe(head.time)
        if mine_raw is None or to_bytes(mine_raw["hash"]) != cursor.hash:
            raise Inconsistent
        target = head.ref.number - self._confirmations
        if target <= cursor.number:
            return []
        if self._confirmations == 0 and target == cursor.number + 1 and not isinstance(logs_raw, RpcError):
            return await self._step([head], _decoded(logs_raw))
        return await self._catch_up(target)

    async def _catch_up(self, target: int) -> list[Job]:
        work: list[Job] = []
        while self._cursor is not None and self._cursor.number < target:
            first = self._cursor.number + 1
            if target - first >= _NEAR:
                work += await self._skip(first, min(first + _RANGE - 1, target - _NEAR))
                continue
            numbers = range(first, target + 1)
            calls: list[tuple[str, Sequence[Any]]] = [
                ("eth_getBlockByNumber", [hex(n), False]) for n in numbers
            ]
            *blocks, logs = await self._rpc.batch(
                [*calls, ("eth_getLogs", [self._filter(first, hex(target))])]
            )
            for refused in blocks:
                if isinstance(refused, RpcError):
                    raise refused
            if None in blocks:
                raise Inconsistent
            # A node may refuse that many blocks at once.
            read = await self._in_ranges(first, target) if isinstance(logs, RpcError) else _decoded(logs)
            work += await self._step([Header.from_rpc(block) for block in blocks], read)
        return work

    async def _skip(self, first: int, last: int) -> list[Job]:
        """Old blocks: the range's logs, and only its last block is remembered."""
        end = await self._header(last)
        return self._take([end.ref], await self._in_ranges(first, last))

    async def _in_ranges(self, first: int, last: int) -> list[HubLog]:
        return [log async for part in log_ranges(self._rpc, self._hub, first, last) for log in part]

    async def _step(self, headers: list[Header], logs: list[HubLog]) -> list[Job]:
        """Blocks right on top of the cursor: headers must be linked, logs all that blooms announce."""
        parent = self._cursor
        by_block: dict[bytes, list[HubLog]] = {}
        for log in logs:
            by_block.setdefault(log.block_hash, []).append(log)
        for header in headers:
            if parent is not None and header.parent != parent.hash:
                raise Inconsistent
            parent = header.ref
            # A node that lags answers a range with fewer logs and no error; by hash it cannot.
            if header.ref.hash not in by_block and header.bloom & self._bloom == self._bloom:
                by_block[header.ref.hash] = await self._logs_of(header.ref)
        read = [log for header in headers for log in by_block.get(header.ref.hash, [])]
        return self._take([header.ref for header in headers], read)

    def _take(self, blocks: list[BlockRef], logs: list[HubLog]) -> list[Job]:
        for log in logs:
            if isinstance(log, MalformedLog):
                _log.warning(
                    "log %d of block %d passed over: %s", log.log_index, log.block_number, log.reason
                )
        work = self._store.advance(blocks, logs, self._keep)
        self._cursor = blocks[-1]
        return work

    async def _logs_of(self, block: BlockRef) -> list[HubLog]:
        query = {"address": self._hub, "topics": self._topics, "blockHash": block.hash}
        try:
            return _decoded(await self._rpc.call("eth_getLogs", query))
        except RpcError as unknown_block:
            raise Inconsistent from unknown_block

    async def _follow_fork(self) -> list[Job]:
        """Goes back to the newest remembered block that is still on the chain."""
        known = self._store.recent_blocks()
        for block in known:
            raw = await self._rpc.call("eth_getBlockByNumber", hex(block.number), False)
            if raw is not None and to_bytes(raw["hash"]) == block.hash:
                if block == self._cursor:
                    return []
                work = self._store.rewind(block.number)
                self.forks += 1
                self._cursor = block
                return work
        raise ReorganisedTooDeep(known[-1].number)

    async def _header(self, number: int) -> Header:
        raw = await self._rpc.call("eth_getBlockByNumber", hex(number), False)
        if raw is None:
            raise Inconsistent
        return Header.from_rpc(raw)

    def _filter(self, first: int, last: str) -> dict[str, Any]:
        return {"address": self._hub, "topics": self._topics, "fromBlock": hex(first), "toBlock": last}


def _decoded(logs: list[dict[str, Any]]) -> list[HubLog]:
    return [log for raw in logs if (log := decode_log(Log.from_rpc(raw))) is not None]


def bloom_of(item: bytes) -> int:
    """The three bits of an address or topic in a block's 2048-bit bloom (Ethereum Yellow Paper, 4.3.1)."""
    digest = keccak(item)
    bits = 0
    for i in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 2047)
    return bits
