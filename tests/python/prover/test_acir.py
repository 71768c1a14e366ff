"""Plans, witnesses and checks, on small programs and against Noir's own machine."""

import asyncio
import gzip
import json
from pathlib import Path

import msgpack
import pytest

from tests.support import zk
from tests.support.noir_programs import Built, Run, build, one_weight
from vouch.protocol.zk import FIELD
from vouch.prover import acir, process
from vouch.prover.acir import OutsideTable, Unsolvable, Violated, WrongInputs
from vouch.prover.opcodes import AssertZero, Opcode, Permutation, Program, Range, Read, Table
from vouch.prover.plan import Assign, Choose, Plan
from vouch.prover.poseidon2 import permute
from vouch.prover.secret import Secret

EXECUTE = Path(__file__).parents[2] / "support" / "execute.mjs"
MINUS = FIELD - 1
# w0 public, w1 private. w2 = 3·w0·w1 + 2·w1 - 7, table (w1, w2, w3 = 5), w4 = table[w0], w5…w8 a hash
PROGRAM = Program(
    1,
    1,
    (
        AssertZero(((3, 0, 1),), ((2, 1), (MINUS, 2)), FIELD - 7),
        AssertZero((), ((2, 3),), FIELD - 10),
        Table(0, (1, 2, 3)),
        Read(0, 0, 4),
        Permutation((0, 1, 2, 3), (5, 6, 7, 8)),
        Range(4, 10),
        AssertZero((), ((1, 4), (MINUS, 4)), 0),
    ),
)


def test_a_plan_fills_what_the_compiler_added() -> None:
    plan = acir.plan(PROGRAM)
    assert plan == Plan(
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
    values = acir.witness(plan, [1], [-4])
    expected = [1, FIELD - 4, (-12 - 8 - 7) % FIELD, 5, (-27) % FIELD]
    assert values == [*expected, *permute(expected[:4])]


def test_the_check_names_the_first_constraint_that_does_not_hold() -> None:
    plan = acir.plan(PROGRAM)
    acir.check(PROGRAM, acir.witness(plan, [0], [1023]))
    with pytest.raises(Violated, match="constraint 5 does not hold: w4 has at most 10 bits") as caught:
        acir.check(PROGRAM, acir.witness(plan, [0], [1024]))
    assert caught.value.opcode == 5
    good = acir.witness(plan, [0], [9])
    for index, opcode in ((2, 0), (3, 1), (4, 3), (5, 4), (8, 4)):
        with pytest.raises(Violated) as caught:
            acir.check(PROGRAM, [*good[:index], good[index] + 1, *good[index + 1 :]])
        assert caught.value.opcode == opcode


def test_a_read_outside_of_its_table_has_no_witness() -> None:
    plan = acir.plan(PROGRAM)
    with pytest.raises(OutsideTable, match="a table of 3 values is read at 3"):
        acir.witness(plan, [3], [0])
    with pytest.raises(OutsideTable, match="is read at -1"):
        acir.witness(plan, [-1], [0])
    values = acir.witness(plan, [2], [0])
    with pytest.raises(Violated, match="w4 is table 0 at w0"):
        acir.check(Program(1, 1, PROGRAM.opcodes[2:4]), [3, 0, 0, 0, values[4]])


@pytest.mark.parametrize(
    "opcode",
    [
        AssertZero((), ((1, 2), (1, 3)), 0),
        AssertZero(((1, 0, 2),), (), 0),
        AssertZero(((1, 2, 2),), ((1, 2),), 0),
        Range(2, 4),
        Table(0, (0, 2)),
        Permutation((0, 1, 2, 0), (3, 4, 5, 6)),
    ],
)
def test_what_leaves_a_choice_is_refused(opcode: Opcode) -> None:
    with pytest.raises(Unsolvable, match="opcode 1"):
        acir.plan(Program(1, 1, (Range(0, 4), opcode)))


def test_a_read_at_an_unknown_place_is_refused() -> None:
    with pytest.raises(Unsolvable, match="opcode 1"):
        acir.plan(Program(1, 1, (Table(0, (0, 1)), Read(0, 2, 3))))


def test_a_read_of_no_table_is_refused() -> None:
    program = Program(1, 1, (Table(0, (0, 1)), Read(1, 0, 1)))
    with pytest.raises(Unsolvable, match="opcode 1"):
        acir.plan(program)
    with pytest.raises(Violated, match="w1 is table 1 at w0"):
        acir.check(program, [0, 0])


def test_unused_witnesses_are_zero() -> None:
    plan = acir.plan(Program(1, 1, (AssertZero((), ((1, 1), (MINUS, 5)), 0),)))
    assert acir.witness(plan, [1], [7]) == [1, 7, 0, 0, 0, 7]


@pytest.mark.parametrize(("public", "private"), [([], [1]), ([1, 2], [1]), ([1], []), ([1], [1, 2])])
def test_the_number_of_inputs_must_fit(public: list[int], private: list[int]) -> None:
    with pytest.raises(WrongInputs, match="inputs, the circuit has 1"):
        acir.solve(acir.plan(PROGRAM), public, private)


def test_a_witness_of_another_length_is_refused() -> None:
    with pytest.raises(WrongInputs, match="2 witness inputs, the circuit has 9"):
        acir.check(PROGRAM, [0, 0])


def test_equal_inputs_give_equal_files() -> None:
    plan = acir.plan(PROGRAM)
    raw = acir.solve(plan, [0], [9])
    assert raw == acir.solve(plan, [0], [9 - FIELD])
    ((held,),) = msgpack.unpackb(gzip.decompress(raw)[1:], strict_map_key=False)
    assert held[1][1] == (9).to_bytes(32, "big")


async def test_noirs_own_machine_makes_the_same_witness(tmp_path: Path) -> None:
    secret = Secret(one_weight(4), 5)
    built = await build(secret.model, secret=secret)
    run = built.run([3, -4])
    assert await executed(tmp_path, built, run) == acir.witness(built.plan, run.public, run.advice)


async def executed(folder: Path, built: Built, run: Run) -> list[int]:
    """What Noir's machine makes of the inputs."""
    given = {"public": run.public, "advice": run.advice}
    inputs = {name: [str(value % FIELD) for value in values] for name, values in given.items()}
    files = [folder / name for name in ("program.json", "inputs.json", "witness.gz")]
    for path, value in zip(files, (built.compiled, inputs), strict=False):
        await asyncio.to_thread(path.write_text, json.dumps(value))
    toolchain = zk.toolchain()
    await process.run([toolchain.node, EXECUTE, toolchain.modules, *files], home=toolchain.home)
    raw = gzip.decompress(await asyncio.to_thread(files[2].read_bytes))
    ((held,),) = msgpack.unpackb(raw[1:], strict_map_key=False)
    return [int.from_bytes(held[1][index], "big") for index in range(len(held[1]))]
