from pathlib import Path
from typing import Any

import pytest

from vouch.prover.service.config import ProverConfig, processors, usable_memory


@pytest.mark.parametrize("setting", ["workers", "max_memory", "max_queue", "attempts"])
def test_nothing_below_one(setting: str) -> None:
    settings: dict[str, Any] = {setting: 0}
    with pytest.raises(ValueError, match=setting):
        ProverConfig(Path("db"), **settings)


def test_the_machine() -> None:
    machine = ProverConfig(Path("db"), workers=3).machine
    assert (machine.workers, machine.processors, machine.memory) == (3, processors(), usable_memory())
    assert machine.processors >= 1
    assert machine.memory > 1 << 28


def test_the_token_is_not_shown() -> None:
    assert "sesame" not in repr(ProverConfig(Path("db"), token="sesame"))
