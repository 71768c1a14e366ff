"""A seal with another output in it."""

import pytest

from vouch.cli.zk_lie import rewritten
from vouch.protocol.packing import Packing, ValueOutOfRange
from vouch.protocol.zk import ZK, Circuit, ZkSeal

CIRCUIT = Circuit(b"\7" * 32, 0, 1, Packing(2, 16), Packing(1, 16))


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big", signed=True) for value in values)


def test_only_the_output_is_another_one() -> None:
    truth = ZkSeal(CIRCUIT.row(words(3, -4), words(95)), b"proof").seal
    lie = rewritten(bytes(truth), CIRCUIT, words(14))
    assert lie == bytes(ZkSeal(CIRCUIT.row(words(3, -4), words(14)), b"proof").seal)
    assert lie[:4] == ZK
    assert rewritten(lie, CIRCUIT, words(95)) == bytes(truth)


def test_what_the_circuit_cannot_say_is_no_lie_either() -> None:
    truth = ZkSeal(CIRCUIT.row(words(3, -4), words(95)), b"proof").seal
    with pytest.raises(ValueOutOfRange):
        rewritten(bytes(truth), CIRCUIT, words(1 << 20))
