"""The emitted circuits accept every run of the model and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import zk
from tests.support.honk import Honk
from tests.support.integer_models import inputs_of, models
from tests.support.noir_programs import CONTEXT, Built, Run, build, every_operation, one_weight
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.circuit.bounds import ReluBounds, RoundBounds
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Relu, Round
from vouch.protocol.zk import FIELD, Row
from vouch.prover import acir, contract, noir
from vouch.prover.bb import Bb
from vouch.prover.secret import Secret

MODEL = every_operation()
SECRET = Secret(MODEL, 987654321)
WEIGHT = Secret(one_weight(4), 5)
inputs = inputs_of(MODEL)
deltas = st.one_of(
    st.sampled_from([1, -1, 2, 1 << 14, 1 << 62, FIELD // 2, (FIELD + 1) // 2]), st.integers(1, FIELD - 1)
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def single() -> Built:
    return await build(MODEL)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def double() -> Built:
    return await build(MODEL, batch=2)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def secret() -> Built:
    return await build(MODEL, secret=SECRET)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def weight() -> Built:
    return await build(WEIGHT.model, secret=WEIGHT)


def changes(run: Run, delta: int) -> Iterator[tuple[str, Run]]:
    """The run with any one value changed."""
    for index, value in enumerate(run.public):
        yield f"public {index}", run.with_public(index, value + delta)
    for index, value in enumerate(run.advice):
        yield f"advice {index}", run.with_advice({index: value + delta})


@settings(deadline=None)
@given(x=inputs, context=st.integers(0, FIELD - 1))
def test_accepts_every_run(single: Built, x: list[int], context: int) -> None:
    single.check(single.run(x, context=context))


@settings(max_examples=20, deadline=None)
@given(x=inputs, delta=deltas)
def test_no_value_can_be_changed(single: Built, x: list[int], delta: int) -> None:
    run = single.run(x)
    # A square has two roots; the context itself is a public input, the same for both.
    accepted = [name for name, changed in changes(run, delta) if single.accepts(changed)]
    assert accepted == []


@settings(max_examples=20, deadline=None)
@given(x=inputs, y=inputs, delta=deltas)
def test_no_value_of_a_batch_can_be_changed(double: Built, x: list[int], y: list[int], delta: int) -> None:
    run = double.run(x, y)
    double.check(run)
    assert [name for name, changed in changes(run, delta) if double.accepts(changed)] == []


@settings(max_examples=5, deadline=None)
@given(x=inputs, delta=deltas)
def test_no_value_can_be_changed_with_secret_weights(secret: Built, x: list[int], delta: int) -> None:
    run = secret.run(x)
    secret.check(run)
    assert [name for name, changed in changes(run, delta) if secret.accepts(changed)] == []


def test_another_output_is_refused_with_its_own_trace(single: Built) -> None:
    run, other = single.run([1, 2, 3, 4]), single.run([1, 2, 3, 5])
    mixed = Run((run.public[0], *other.public[1:]), other.advice)
    assert other.public[1] != run.public[1]
    assert single.accepts(other)
    assert not single.accepts(mixed)


@pytest.mark.parametrize("value", [128, -129, 1 << 20])
def test_inputs_outside_of_their_bits_are_refused(single: Built, value: int) -> None:
    """With the public sum to match: only the range of a value says no."""
    run = single.run([1, 2, 3, 4])
    assert single.accepts(run)
    moved = run.with_advice({0: value}).with_public(0, run.public[0] + value - 1)
    with pytest.raises(acir.Violated, match="has at most 8 bits"):
        single.check(moved)


def divided(model: IntegerModel, kind: type) -> list[int]:
    return [i for i, node in enumerate(model.nodes, 1) if isinstance(node.op, kind)]


@settings(deadline=None)
@given(x=inputs, up=st.booleans())
def test_a_quotient_has_no_second_remainder(single: Built, x: list[int], up: bool) -> None:
    run, (value,) = single.run(x), divided(MODEL, Round)
    bounds = MODEL.bounds[value - 1]
    assert isinstance(bounds, RoundBounds)
    step = 1 if up else -1
    for y, r in zip(single.places(value, "y"), single.places(value, "r"), strict=True):
        moved = {y: run.advice[y] + step, r: run.advice[r] - (step << bounds.shift)}
        assert not single.accepts(run.with_advice(moved))


@settings(deadline=None)
@given(x=inputs)
def test_a_sign_has_no_second_choice(single: Built, x: list[int]) -> None:
    """b and m trade 2**K; y follows, so only m's width refuses."""
    run = single.run(x)
    for value in divided(MODEL, Relu):
        bounds = MODEL.bounds[value - 1]
        assert isinstance(bounds, ReluBounds)
        columns = zip(*(single.places(value, name) for name in ("b", "m", "y")), strict=True)
        for b, m, y in columns:
            flipped = 1 - run.advice[b]
            other = run.advice[m] + ((run.advice[b] - flipped) << bounds.m_width)
            assert not single.accepts(run.with_advice({b: flipped, m: other, y: flipped * other}))


def test_a_table_is_read_where_the_source_says(single: Built) -> None:
    run, value = single.run([9, -8, 77, 5]), 14
    for i, r in zip(single.places(value, "i"), single.places(value, "r"), strict=True):
        step_bits = MODEL.nodes[value - 1].op.step_bits  # type: ignore[union-attr]
        for step in (1, -1):
            moved = {i: run.advice[i] + step, r: run.advice[r] - (step << step_bits)}
            assert not single.accepts(run.with_advice(moved))


def test_rows_of_a_batch_do_not_mix(double: Built) -> None:
    first, second = [1, 2, 3, 4], [-5, 60, 7, -80]
    run = double.run(first, second)
    row = double.layout.row
    swapped = Run(run.public, (*run.advice[row : 2 * row], *run.advice[:row], run.advice[-1]))
    assert double.accepts(run)
    assert not double.accepts(swapped)


def test_other_secret_weights_are_refused(weight: Built) -> None:
    honest = weight.run([3, -4])
    assert weight.accepts(honest)
    other = Built(weight.layout, weight.compiled, Secret(one_weight(5), WEIGHT.salt)).run([3, -4])
    commitment = len(honest.public) - 2
    assert honest.public[commitment] == WEIGHT.commitment != other.public[commitment]
    assert not weight.accepts(other.with_public(commitment, WEIGHT.commitment))


def test_secret_weights_that_exceed_the_outputs_width_are_refused(weight: Built) -> None:
    """Weights as wide as those that were compiled, but 7 * 127 has 11 bits, the outputs have 10."""
    larger = one_weight(7)
    assert larger.output_bits == weight.layout.output.bits + 1
    committed = Secret(larger, WEIGHT.salt)
    trace = larger.trace([127, 1])
    y = trace.values[larger.output].tolist()
    half = 1 << (weight.layout.output.bits - 1)
    packed = (y[0] + half) + ((y[1] + half) << weight.layout.output.bits)
    row = Row(weight.layout.input.pack([127, 1]), (packed,))
    public = (*row.input, *row.output, committed.commitment, CONTEXT)
    forged = Run(public, tuple(noir.advice(larger, [trace], CONTEXT, committed)))
    with pytest.raises(acir.Violated, match="has at most 10 bits"):
        weight.check(forged)


def test_secret_weights_outside_of_their_width_are_refused(weight: Built) -> None:
    """As the neighbour's bits: the packed sums, and so the commitment, are the same."""
    run = weight.run([0, 0])
    bits = 4
    moved = run.with_advice({1: run.advice[1] + (1 << bits), 2: run.advice[2] - 1})
    with pytest.raises(acir.Violated, match="has at most 4 bits"):
        weight.check(moved)


def test_only_the_sums_that_one_division_uses_have_no_name(single: Built) -> None:
    layout = noir.Layout(MODEL)
    assert layout.merged == {11}
    assert single.program.private == layout.private == MODEL_ADVICE - len(MODEL.intervals[11].lo) + 1


MODEL_ADVICE = sum(column.count for columns in MODEL.columns for column in columns)


def test_equal_models_give_equal_texts() -> None:
    again = IntegerModel.from_bytes(MODEL.to_bytes())
    assert noir.source(again, batch=3) == noir.source(MODEL, batch=3)
    assert noir.source(MODEL, batch=2) != noir.source(MODEL)


def test_secret_weights_are_not_in_the_text() -> None:
    text = noir.source(one_weight(-1234567), secret=True)
    assert "1234567" not in text
    assert "1234567" in noir.source(one_weight(-1234567))


@pytest.mark.parametrize("batch", [0, -1, 256])
def test_a_batch_has_1_to_255_rows(batch: int) -> None:
    with pytest.raises(noir.NotABatch, match=f"a batch of {batch}"):
        noir.source(MODEL, batch=batch)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=4, deadline=None)
@given(data=st.data(), model=models(max_nodes=25))
async def test_random_models(data: st.DataObject, model: IntegerModel) -> None:
    built = await build(model)
    for _ in range(3):
        run = built.run(data.draw(inputs_of(model)))
        built.check(run)
        assert [name for name, changed in changes(run, data.draw(deltas)) if built.accepts(changed)] == []


async def settled(built: Built, run: Run, folder: Path, rpc: Rpc, sender: TxSender) -> None:
    """A real proof, its verifier on a chain: it accepts the run's public inputs, and none of them changed."""
    hides = built.secret is not None
    program = folder / "program.json"
    program.write_text(json.dumps(built.compiled))
    bb = Bb(zk.toolchain(), zk.string())
    vk = await bb.write_vk(program, gates=await bb.gates(program, secret=hides), secret=hides)
    witness = acir.solve(built.plan, run.public, run.advice)
    proof = await bb.prove(program, witness, vk, secret=hides)
    assert proof.public == run.public
    honk = await Honk.deploy(sender, rpc, await contract.verifier(bb, vk, secret=hides))
    assert await honk.accepts(proof.data, run.public)
    for index, value in enumerate(run.public):
        assert not await honk.accepts(proof.data, run.with_public(index, (value + 1) % FIELD).public)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_proof_settles(single: Built, tmp_path: Path, rpc: Rpc, sender: TxSender) -> None:
    await settled(single, single.run([1, -2, 3, -4]), tmp_path, rpc, sender)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_proof_of_a_batch_settles(double: Built, tmp_path: Path, rpc: Rpc, sender: TxSender) -> None:
    await settled(double, double.run([1, -2, 3, -4], [127, -128, 0, 5]), tmp_path, rpc, sender)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_proof_with_secret_weights_settles(
    secret: Built, tmp_path: Path, rpc: Rpc, sender: TxSender
) -> None:
    await settled(secret, secret.run([1, -2, 3, -4]), tmp_path, rpc, sender)
