from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.python.relayer.making import KEEP, block
from vouch.relayer.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh one that has read block 1."""
    with Store(tmp_path / "relayer.sqlite") as opened:
        opened.advance([block(1)], [], KEEP)
        yield opened
