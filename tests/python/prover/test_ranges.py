"""Every range check of every operation refuses a second witness that nothing else refuses.

Each operation has inputs and outputs of its own here, and the public inputs say the forged outputs. In
u·U + v·V = x a neighbour v ± 1 has a partner u ∓ V/U in the field: only the range of u stands against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.integer_models import inputs_of, model_of
from tests.support.noir_programs import Built, Run, build
from vouch.circuit.bounds import ArgMaxBounds, LookupBounds, ReluBounds, RoundBounds
from vouch.circuit.ops import ArgMax, Concat, Gather, Lookup, Relu, Round, Scale
from vouch.protocol.zk import FIELD
from vouch.prover import acir
from vouch.prover.opcodes import Range

KNOTS = np.array([0, 9, -7, 30, 4, 4, 100, -100, 3, 2, 1, 55, -8, 0, 12, 13, 14])
ROUND, RELU, PLAIN, LOOKUP, ARGMAX = 2, 4, 6, 9, 11
MODEL = model_of(
    [
        (Gather(np.array([0])), 0),
        (Round(3), 1),
        (Gather(np.array([1])), 0),
        (Relu(2), 3),
        (Gather(np.array([2])), 0),
        (Relu(0), 5),
        (Gather(np.array([3])), 0),
        (Scale(1, 128), 7),
        (Lookup(4, KNOTS), 8),
        (Gather(np.array([4, 5])), 0),
        (ArgMax(), 10),
        (Concat(), (ROUND, RELU, PLAIN, LOOKUP, ARGMAX)),
    ],
    size=6,
    bits=8,
    outputs=5,
)
PLACES: Mapping[int, int] = MappingProxyType({ROUND: 0, RELU: 1, PLAIN: 2, LOOKUP: 3, ARGMAX: 4})


@dataclass(frozen=True)
class Case:
    """Move `given` by one and `free`, whose range is tried, by what makes up for it."""

    value: int
    free: str
    given: str


CASES = [
    Case(ROUND, "y", "r"),
    Case(ROUND, "r", "y"),
    *(Case(RELU, free, given) for free in ("b", "m", "r") for given in ("b", "m", "r") if free != given),
    Case(PLAIN, "b", "m"),
    Case(PLAIN, "m", "b"),
    Case(LOOKUP, "r", "i"),
    Case(LOOKUP, "y", "q"),
    Case(LOOKUP, "q", "y"),
    Case(ARGMAX, "b", "m"),
    Case(ARGMAX, "m", "b"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def built() -> Built:
    return await build(MODEL)


def units(value: int) -> dict[str, int]:
    """The factor of each number in the equation that range checks make unique."""
    match MODEL.bounds[value - 1]:
        case RoundBounds(shift):
            return {"y": 1 << shift, "r": 1}
        case ReluBounds(shift, width):
            return {"b": 1 << width, "m": 1 << shift, "r": 1}
        case LookupBounds(step_bits):
            return {"i": 1 << step_bits, "r": 1, "y": 1 << step_bits, "q": 1}
        case ArgMaxBounds(_, width):
            return {"b": 1 << width, "m": 1}
        case _:
            raise KeyError(value)


def forged(built: Built, run: Run, case: Case, x: list[int]) -> Run:
    """The run with another witness of one operation, and the outputs that follow from it."""
    columns = {column.name: column for column in MODEL.columns[case.value]}
    place = {name: built.places(case.value, name)[0] for name in columns}
    now = {name: run.advice[index] for name, index in place.items()}
    unit = units(case.value)
    bits = columns[case.given].bits
    assert bits is not None
    step = 1 if now[case.given] + 1 < 1 << bits else -1
    now[case.given] += step
    now[case.free] = (now[case.free] - step * unit[case.given] * pow(unit[case.free], -1, FIELD)) % FIELD
    bounds = MODEL.bounds[case.value - 1]
    if isinstance(bounds, LookupBounds):
        i, r = now["i"], now["r"] if now["r"] < FIELD // 2 else now["r"] - FIELD
        if case.free == "r":
            line = (int(KNOTS[i]) + bounds.offset) * 16 + int(KNOTS[i + 1] - KNOTS[i]) * r + 8
            now["y"], now["q"] = line >> 4, line & 15
        result = now["y"] - bounds.offset
    elif isinstance(bounds, ReluBounds):
        result = now["y"] = now["b"] * now["m"] % FIELD
    elif isinstance(bounds, ArgMaxBounds):
        now["best"] = (x[4] + now["b"] * (x[5] - x[4])) % FIELD
        result = now["arg"] = now["b"]
    else:
        assert isinstance(bounds, RoundBounds)
        result = now["y"] - bounds.offset
    packing = built.layout.output
    width = PLACES[case.value] * packing.bits
    honest = int(MODEL.run(x)[PLACES[case.value]])
    packed = (run.public[1] + ((result - honest) << width)) % FIELD
    return run.with_advice({place[name]: number for name, number in now.items()}).with_public(1, packed)


def without(built: Built, case: Case, *more: str) -> Built:
    """The circuit less the range checks of these columns."""
    free = {
        built.layout.public + index for name in (case.free, *more) for index in built.places(case.value, name)
    }
    kept = tuple(op for op in built.program.opcodes if not (isinstance(op, Range) and op.witness in free))
    assert len(built.program.opcodes) - len(kept) == len(free)
    weaker = Built(built.layout, built.compiled)
    object.__setattr__(weaker, "program", replace(built.program, opcodes=kept))
    return weaker


@pytest.mark.parametrize("case", CASES, ids=str)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_only_the_range_refuses(built: Built, case: Case, data: st.DataObject) -> None:
    x = data.draw(inputs_of(MODEL))
    run = built.run(x)
    second = forged(built, run, case, x)
    with pytest.raises(acir.Violated, match="has at most"):
        built.check(second)
    # y of a table follows from a forged r, and may leave its width with it
    more = ("y",) if case == Case(LOOKUP, "r", "i") else ()
    without(built, case, *more).check(second)


@given(x=inputs_of(MODEL))
@settings(deadline=None, max_examples=30)
def test_an_index_outside_of_the_table_is_refused(built: Built, x: list[int]) -> None:
    """r + 1 with an index that is no integer: the table has no such place."""
    run = built.run(x)
    i, r = built.places(LOOKUP, "i")[0], built.places(LOOKUP, "r")[0]
    step = 1 if run.advice[r] < 15 else -1
    moved = {r: run.advice[r] + step, i: (run.advice[i] - step * pow(16, -1, FIELD)) % FIELD}
    with pytest.raises(acir.OutsideTable):
        built.check(run.with_advice(moved))
