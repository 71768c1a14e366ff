"""Plans as bytes: what was written is read, everything else is refused."""

import gzip

import msgpack
import pytest

from vouch.prover.opcodes import Permutation
from vouch.prover.plan import Assign, BadPlan, Choose, Plan

PLAN = Plan(
    1,
    1,
    9,
    (
        Assign(2, ((3, 0, 1),), ((2, 1),), -7),
        Assign(3, (), (), 5),
        Choose(4, 0, (1, 2, 3)),
        Permutation((0, 1, 2, 3), (5, 6, 7, 8)),
    ),
)


def test_a_plan_is_stored_and_read() -> None:
    plan = Plan(2, 3, 6, (Assign(5, ((-1, 0, 1),), ((1 << 200, 2),), -(1 << 253)),))
    assert Plan.from_bytes(PLAN.to_bytes()) == PLAN
    assert Plan.from_bytes(plan.to_bytes()) == plan
    assert plan.to_bytes() == Plan.from_bytes(plan.to_bytes()).to_bytes()


def test_bytes_that_are_no_plan_are_refused() -> None:
    good = PLAN.to_bytes()
    packed = [
        [2, 1, 1, 2, [], []],
        [1, 1, 1, 2, []],
        [1, 1, 1, 2, [], [[3]]],
        [1, 1, 1, 2, [], [[0, 1]]],
        [1, 1, 1, 2, [], [[1, 1, 1, 0]]],
        [1, 1, 1, 4, [], [[0, 4, [], [], 0]]],
        [1, 1, 1, 4, [], [[0, 3, [], [[1, 3]], 0]]],
        [1, 1, 1, 4, [], [[0, 2, [[1, 0, -1]], [], 0]]],
        [1, 1, 1, 4, [[9]], [[1, 2, 0, 0]]],
        [1, 1, 1, 4, [], [[2, [0, 1], [2, 3]]]],
        [1, -1, 1, 4, [], []],
        [1, 1, 1, 1, [], []],
        [1, 1, 1, 4, [], [[0, 2, [], [], "1"]]],
    ]
    for bad in (b"", b"text", good[:-9], *(gzip.compress(msgpack.packb(it)) for it in packed)):
        with pytest.raises(BadPlan, match="build the circuit again"):
            Plan.from_bytes(bad)
