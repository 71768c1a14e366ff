from dataclasses import replace

import pytest

from tests.python.prover.service.asking import HUB, OPERATOR, item, task
from vouch.prover.service.errors import BadTask
from vouch.prover.service.task import Item, ProofState, ProofTask, ProverInfo


def batch(*items: Item) -> ProofTask:
    return replace(task(), items=items)


def test_the_id_does_not_depend_on_order_or_deadline() -> None:
    assert batch(item(1), item(2)).id == batch(item(2), item(1)).id
    assert batch(item(1), item(2)).items == batch(item(2), item(1)).items
    assert task(prove_by=5).id == task().id


def test_the_id_depends_on_everything_else() -> None:
    one = task()
    others = [
        replace(one, chain_id=2),
        replace(one, hub=OPERATOR),
        replace(one, operator=HUB),
        replace(one, model_id=b"n" * 32),
        replace(one, circuit_id=b"d" * 32),
        batch(item(2)),
        batch(replace(item(1), input=b"")),
        batch(replace(item(1), output=b"")),
        batch(item(1), item(2)),
    ]
    assert len({made.id for made in (one, *others)}) == 10
    assert len(one.id) == 64
    int(one.id, 16)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": ()}, "items"),
        ({"items": tuple(item(n) for n in range(257))}, "items"),
        ({"items": (item(1), item(1, 2))}, "items"),
        ({"items": (Item(b"short", b"", b""),)}, "items"),
        ({"model_id": b"m" * 31}, "modelId"),
        ({"circuit_id": b"c" * 33}, "circuitId"),
    ],
)
def test_what_is_no_task(change: dict[str, object], field: str) -> None:
    with pytest.raises(BadTask) as bad:
        replace(task(), **change)  # type: ignore[arg-type]
    assert bad.value.field == field


def test_last_states() -> None:
    assert {state for state in ProofState if state.ended} == {
        ProofState.DONE,
        ProofState.FAILED,
        ProofState.CANCELLED,
    }


def test_what_a_prover_knows() -> None:
    info = ProverInfo({b"m": {b"c": 1}}, "dev-srs", 0)
    assert info.knows(b"m", b"c")
    assert not info.knows(b"m", b"m")
    assert not info.knows(b"c", b"c")
