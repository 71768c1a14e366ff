from collections.abc import Sequence

import pytest

from vouch.chain.blocks import BlockRef
from vouch.chain.events import HubLog
from vouch.chain.memory import Memory

BLOCKS = [BlockRef(number, bytes([number]) * 32) for number in range(10)]


class Sink:
    """Notes what it gets, unless it is `full`."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        self.full = False

    def take(self, logs: Sequence[HubLog], up_to: int) -> None:
        if self.full:
            raise OverflowError
        self.got.append(("take", up_to))

    def rewind(self, block: int) -> None:
        self.got.append(("rewind", block))


def test_the_newest_blocks_are_remembered() -> None:
    memory = Memory(sink := Sink(), 3)
    assert memory.recent_blocks() == []
    memory.take(BLOCKS[:2], [])
    memory.take(BLOCKS[2:5], [])
    assert memory.recent_blocks() == BLOCKS[4:1:-1]
    assert sink.got == [("take", 1), ("take", 4)]


def test_a_fork_forgets_what_came_after_it() -> None:
    memory = Memory(sink := Sink(), 5)
    memory.take(BLOCKS[:5], [])
    memory.rewind(BLOCKS[2])
    assert memory.recent_blocks() == BLOCKS[2::-1]
    assert sink.got[-1] == ("rewind", 2)


def test_a_fork_deeper_than_the_memory_forgets_all() -> None:
    memory = Memory(sink := Sink(), 3)
    memory.take(BLOCKS[:5], [])
    memory.rewind(None)
    assert memory.recent_blocks() == []
    assert sink.got[-1] == ("rewind", -1), "before the very first block"


def test_what_the_sink_did_not_take_is_not_remembered() -> None:
    memory = Memory(sink := Sink(), 3)
    memory.take(BLOCKS[:1], [])
    sink.full = True
    with pytest.raises(OverflowError):
        memory.take(BLOCKS[1:2], [])
    assert memory.recent_blocks() == BLOCKS[:1]
