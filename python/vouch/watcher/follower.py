"""Reads the hub's logs block after block, and notices when a fork takes read blocks back."""

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from vouch.chain.errors import RpcError
from vouch.chain.events import MalformedLog, TypedLog, decode_log, log_ranges
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Log
from vouch.protocol.keccak import keccak
from vouch.watcher.errors import WrongChain

_log = logging.getLogger(__name__)

_NEAR = 32
"""Blocks up to which every header is looked at; older ones are read in ranges of _RANGE."""
_RANGE = 2_000

HubLog = TypedLog | MalformedLog


class Sink(Protocol):
    """Who gets what was read."""

    def take(self, logs: Sequence[HubLog], up_to: int, /) -> None: ...

    def rewind(self, block: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Header:
    """What is needed of a block; time in unix seconds."""

    number: int
    hash: bytes
    parent: bytes
    time: int
    bloom: int

    @classmethod
    def from_rpc(cls, block: dict[str, Any]) -> Self:
        return cls(
            int(block["number"], 16),
            to_bytes(block["hash"]),
            to_bytes(block["parentHash"]),
            int(block["timestamp"], 16),
            int(block["logsBloom"], 16),
        )


class Inconsistent(Exception):
    """The chain changed between two answers, or a node behind a balancer lags: look again."""


class Follower:
    """The cursor: everything up to it is in the sink."""

    def __init__(
        self,
        rpc: Rpc,
        hub: str,
        kinds: Sequence[type[TypedLog]],
        sink: Sink,
        *,
        start: int,
        confirmations: int = 0,
        keep_blocks: int = 256,
    ) -> None:
        self._rpc, self._hub, self._kinds, self._sink = rpc, hub, kinds, sink
        self._start, self._confirmations = start, confirmations
        self._topics = [[kind.topic() for kind in kinds]]
        self._bloom = bloom_of(to_bytes(hub))
        self._known: deque[tuple[int, bytes]] = deque(maxlen=keep_blocks)
        self.head = 0
        """Number of the newest block, read or not."""
        self._time, self._seen = 0, time.monotonic()

    @property
    def cursor(self) -> int | None:
        """The last block that was read; None before the first."""
        return self._known[-1][0] if self._known else None

    @property
    def time(self) -> int:
        """Unix seconds of the newest block."""
        return self._time

    def now(self) -> int:
        """Unix seconds as the next block may see them: a quiet chain's newest block may be old."""
        return max(self._time + int(time.monotonic() - self._seen), int(time.time()))

    async def read(self) -> None:
        """Reads up to the newest confirmed block.

        Raises:
            RpcUnavailable, RpcError: the chain did not answer; nothing is lost, call again.
            WrongChain: the chain is younger than the first block to read.
        """
        # Twice is enough for a reorganisation; what is still inconsistent then waits for the next call.
        for _ in range(3):
            try:
                await self._read()
                return
            except Inconsistent:
                await self._follow_fork()

    async def _read(self) -> None:
        head = await self._header("latest")
        self.head = head.number
        if head.time != self._time:
            self._time, self._seen = head.time, time.monotonic()
        if not self._known:
            await self._begin(head)
        number, known = self._known[-1]
        if (head.number, head.hash) in self._known:
            return  # nothing new, or a node that lags
        if number > head.number or (await self._header(hex(number))).hash != known:
            raise Inconsistent
        target = head.number - self._confirmations
        while self._known[-1][0] < target:
            first = self._known[-1][0] + 1
            if target - first >= _NEAR:
                await self._skip(first, min(first + _RANGE - 1, target - _NEAR))
            else:
                await self._step(first, target)

    async def _begin(self, head: Header) -> None:
        if head.number < self._start - 1:
            raise WrongChain("the newest block", str(head.number), f"{self._start}, the first one to read")
        origin = await self._header(hex(max(self._start - 1, 0)))
        self._known.append((origin.number, origin.hash))

    async def _skip(self, first: int, last: int) -> None:
        """Old blocks: the range's logs, and only its last block is remembered."""
        end = await self._header(hex(last))
        logs = [
            log async for part in log_ranges(self._rpc, self._hub, first, last, self._kinds) for log in part
        ]
        self._take(logs, [end])

    async def _step(self, first: int, last: int) -> None:
        """Blocks right on top of the cursor: headers must be linked, logs all that blooms announce."""
        calls: list[tuple[str, Sequence[Any]]] = [
            ("eth_getBlockByNumber", [hex(n), False]) for n in range(first, last + 1)
        ]
        query = {**self._filter(), "fromBlock": hex(first), "toBlock": hex(last)}
        *blocks, raw = await self._rpc.batch([*calls, ("eth_getLogs", [query])])
        for refused in blocks:
            if isinstance(refused, RpcError):
                raise refused
        if None in blocks:
            raise Inconsistent
        by_block: dict[bytes, list[HubLog]] = {}
        for log in [] if isinstance(raw, RpcError) else self._decoded(raw):
            by_block.setdefault(log.block_hash, []).append(log)
        headers = [Header.from_rpc(block) for block in blocks]
        parent = self._known[-1][1]
        for header in headers:
            if header.parent != parent:
                raise Inconsistent
            parent = header.hash
            # A node that lags answers a range with fewer logs and no error; by hash it cannot.
            if header.hash not in by_block and header.bloom & self._bloom == self._bloom:
                by_block[header.hash] = await self._logs_of(header)
        self._take([log for header in headers for log in by_block.get(header.hash, [])], headers)

    def _take(self, logs: list[HubLog], headers: list[Header]) -> None:
        for log in logs:
            if isinstance(log, MalformedLog):
                _log.warning(
                    "log %d of block %d passed over: %s", log.log_index, log.block_number, log.reason
                )
        self._sink.take(logs, headers[-1].number)
        self._known.extend((header.number, header.hash) for header in headers)

    async def _logs_of(self, header: Header) -> list[HubLog]:
        try:
            return self._decoded(
                await self._rpc.call("eth_getLogs", {**self._filter(), "blockHash": header.hash})
            )
        except RpcError as unknown_block:
            raise Inconsistent from unknown_block

    async def _follow_fork(self) -> None:
        """Goes back to the newest remembered block that is still on the chain, or to the very start."""
        while self._known:
            number, known = self._known[-1]
            raw = await self._rpc.call("eth_getBlockByNumber", hex(number), False)
            if raw is not None and to_bytes(raw["hash"]) == known:
                break
            self._known.pop()
        self._sink.rewind(self._known[-1][0] if self._known else self._start - 1)

    async def _header(self, block: str) -> Header:
        raw = await self._rpc.call("eth_getBlockByNumber", block, False)
        if raw is None:
            raise Inconsistent
        return Header.from_rpc(raw)

    def _decoded(self, logs: list[dict[str, Any]]) -> list[HubLog]:
        read = (Log.from_rpc(raw) for raw in logs)
        return [
            known for log in read if not log.removed and (known := decode_log(log, self._kinds)) is not None
        ]

    def _filter(self) -> dict[str, Any]:
        return {"address": self._hub, "topics": self._topics}


def bloom_of(item: bytes) -> int:
    """The three bits of an address or topic in a block's 2048-bit bloom (Ethereum Yellow Paper, 4.3.1)."""
    digest = keccak(item)
    bits = 0
    for i in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 2047)
    return bits
