"""A ledger for those who read everything anew after a restart."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from vouch.chain.blocks import BlockRef
from vouch.chain.events import HubLog


class Sink(Protocol):
    """Who gets what was read. Numbers are those of blocks."""

    def take(self, logs: Sequence[HubLog], up_to: int, /) -> None: ...

    def rewind(self, block: int, /) -> None: ...


class Memory:
    """The last `keep_blocks` blocks; a fork that goes deeper takes everything back."""

    def __init__(self, sink: Sink, keep_blocks: int) -> None:
        self._sink = sink
        self._blocks: deque[BlockRef] = deque(maxlen=keep_blocks)

    def recent_blocks(self) -> list[BlockRef]:
        """Newest first."""
        return list(reversed(self._blocks))

    def take(self, blocks: Sequence[BlockRef], logs: Sequence[HubLog]) -> None:
        """Hands the logs over."""
        self._sink.take(logs, blocks[-1].number)
        self._blocks.extend(blocks)

    def rewind(self, fork: BlockRef | None) -> None:
        """Forgets the blocks after `fork`, or all."""
        while self._blocks and self._blocks[-1] != fork:
            self._blocks.pop()
        self._sink.rewind(fork.number if fork is not None else -1)
