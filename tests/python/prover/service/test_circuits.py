from dataclasses import replace
from pathlib import Path

import pytest

from tests.python.prover.service.asking import BATCH, MODEL, SINGLE, item, served, task, words
from vouch.protocol.fixed import NotFinite
from vouch.protocol.keccak import keccak
from vouch.prover.service.circuits import Circuits
from vouch.prover.service.errors import InputOutOfRange, MixedStrings, OutputMismatch, UnknownCircuit

HERE = Path()


def test_by_model_and_id() -> None:
    single, batch = served(HERE), served(HERE, BATCH)
    circuits = Circuits([single, batch, replace(single, model_id=b"n" * 32)])
    assert circuits.of(task()) is single
    assert circuits.of(task(circuit=BATCH)) is batch
    assert circuits.models == {MODEL: {SINGLE.id: 1, BATCH.id: 4}, b"n" * 32: {SINGLE.id: 1}}
    assert circuits.ids == (SINGLE.id, BATCH.id)
    with pytest.raises(UnknownCircuit) as unknown:
        circuits.of(replace(task(circuit=BATCH), model_id=b"n" * 32))
    assert unknown.value.served == (SINGLE.id,)
    assert Circuits([]).srs == "none"


def test_one_reference_string_for_all() -> None:
    assert Circuits([served(HERE), served(HERE, BATCH)]).srs == "dev-srs"
    with pytest.raises(MixedStrings):
        Circuits([served(HERE), served(HERE, BATCH, srs="canonical")])


def test_every_item_is_checked() -> None:
    wrong = replace(item(2), output=words(9))
    asked = replace(task(circuit=BATCH), items=(item(1), wrong))
    with pytest.raises(OutputMismatch) as mismatch:
        served(HERE, BATCH).statement(asked)
    error = mismatch.value
    assert (error.request_id, error.received, error.expected) == (
        wrong.request_id,
        keccak(words(9)),
        keccak(words(1)),
    )


@pytest.mark.parametrize("data", [b"", words(1, 2), words(1)[:31], words(1 << 23), words(-(1 << 23) - 1)])
def test_inputs_that_are_none(data: bytes) -> None:
    asked = replace(task(), items=(replace(item(1), input=data, output=data),))
    with pytest.raises(InputOutOfRange) as bad:
        served(HERE).statement(asked)
    assert bad.value.request_id == item(1).request_id


def test_what_the_model_does_not_take() -> None:
    def refuse(_: bytes) -> bytes:
        raise NotFinite(1.0)

    with pytest.raises(InputOutOfRange, match="finite"):
        replace(served(HERE), run=refuse).statement(task())
