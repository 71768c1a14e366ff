from collections.abc import Callable
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.integer_models import inputs_of, model_of, models
from vouch.circuit.errors import BadIntegerModel, IntervalTooWide, LookupOutOfTable
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, Lookup, Relu, Scale

MODEL = model_of(
    [(Affine(np.array([[1, -2], [300, 4]]), np.array([0, 1])), 0), (Relu(2), 1)], size=2, outputs=2
)
DATA = MODEL.to_bytes()


def test_layout() -> None:
    port = {"name": "x", "dtype": "FP32", "shape": [1, 2], "decimals": 6}
    assert cbor2.loads(DATA) == {
        "format": "vouch integer model 1",
        "input_bits": 16,
        "inputs": [port],
        "nodes": [
            {
                "op": "Affine",
                "sources": [0],
                "weights": ["i2", [2, 2], b"\x01\x00\xfe\xff\x2c\x01\x04\x00"],
                "bias": ["i1", [2], b"\x00\x01"],
            },
            {"op": "Relu", "sources": [1], "shift": 2},
        ],
        "output": 2,
        "outputs": [{**port, "name": "y"}],
    }


@settings(deadline=None)
@given(data=st.data(), model=models())
def test_round_trip(data: st.DataObject, model: IntegerModel) -> None:
    packed = model.to_bytes()
    back = IntegerModel.from_bytes(packed)
    assert back.to_bytes() == packed
    assert (back.inputs, back.input_bits, back.output, back.outputs) == (
        model.inputs,
        model.input_bits,
        model.output,
        model.outputs,
    )
    x = data.draw(inputs_of(model))
    assert back.trace(x).flat.tolist() == model.trace(x).flat.tolist()


@pytest.mark.parametrize(
    ("value", "name"),
    [(127, "i1"), (-128, "i1"), (128, "i2"), (-129, "i2"), (1 << 15, "i4"), (1 << 31, "i8"), (1 << 40, "i8")],
)
def test_arrays_are_as_narrow_as_they_can_be(value: int, name: str) -> None:
    model = model_of([(Affine(np.array([[value]]), np.array([0])), 0)])
    assert cbor2.loads(model.to_bytes())["nodes"][0]["weights"][0] == name
    assert IntegerModel.from_bytes(model.to_bytes()).run([2]).tolist() == [2 * value]


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    made = cbor2.loads(DATA)
    change(made)
    return cbor2.dumps(made, canonical=True)


def test_changing_nothing_is_fine() -> None:
    assert changed(dict.items) == DATA


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda it: it.pop("output"), "output"),
        (lambda it: it.update(more=1), "more"),
        (lambda it: it.update({1: 1}), "1"),
        (lambda it: it.update(format="vouch integer model 2"), "format"),
        (lambda it: it.update(input_bits=True), "input_bits"),
        (lambda it: it.update(input_bits=63), "input_bits"),
        (lambda it: it.update(output=5), "output"),
        (lambda it: it.update(inputs={}), "inputs"),
        (lambda it: it["inputs"].append(3), "inputs[1]"),
        (lambda it: it["inputs"][0].pop("dtype"), "inputs[0].dtype"),
        (lambda it: it["inputs"][0].update(dtype="F4"), "inputs[0].dtype"),
        (lambda it: it["outputs"][0].update(shape=["2"]), "outputs[0].shape"),
        (lambda it: it["nodes"].append(None), "nodes[2]"),
        (lambda it: it["nodes"][0].pop("op"), "nodes[0].op"),
        (lambda it: it["nodes"][0].update(op="Conv"), "nodes[0].op"),
        (lambda it: it["nodes"][0].update(op=["Affine"]), "nodes[0].op"),
        (lambda it: it["nodes"][0].pop("sources"), "nodes[0].sources"),
        (lambda it: it["nodes"][0].update(sources=[1]), "nodes[0].sources"),
        (lambda it: it["nodes"][0].update(sources=["0"]), "nodes[0].sources"),
        (lambda it: it["nodes"][0].pop("bias"), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["i1", [1], b"\x01"]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["i1", [2]]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["i1", 2, b"\x00\x01"]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["i1", [2], "\x00\x01"]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["i1", [2], b"\x00"]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["i1", [-2, -1], b"\x00\x01"]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["i1", [0], b""]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["i1", [2, 1], b"\x00\x01"]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(bias=["f4", [2], bytes(8)]), "nodes[0].bias"),
        (lambda it: it["nodes"][0].update(index=["i1", [2, 2], bytes([0, 1, 2, 1])]), "nodes[0].index"),
        (lambda it: it["nodes"][1].update(index=["i1", [1], b"\x00"]), "nodes[1].index"),
        (lambda it: it["nodes"][1].update(shift=61), "nodes[1].shift"),
        (lambda it: it["nodes"][1].update(shift=2.0), "nodes[1].shift"),
        # longer forms of the same model
        (lambda it: it["nodes"][0].update(bias=["i2", [2], b"\x00\x00\x01\x00"]), "(root)"),
        (lambda it: it["nodes"][1].update(shift=cbor2.CBORTag(2, b"\x02")), "(root)"),
    ],
)
def test_anything_else_is_refused(change: Callable[[dict[str, Any]], object], path: str) -> None:
    with pytest.raises(BadIntegerModel) as caught:
        IntegerModel.from_bytes(changed(change))
    assert caught.value.path == path


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\x01",
        DATA[:-1],
        DATA + b"\x00",
        # keys in another order, and a map of indefinite length
        cbor2.dumps(dict(reversed(cbor2.loads(DATA).items()))),
        b"\xbf" + DATA[1:] + b"\xff",
        b"\x81" * 10_000,
        # a regular expression, which another reader of CBOR might compile
        b"\xd8\x23\x61(",
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadIntegerModel) as caught:
        IntegerModel.from_bytes(data)
    assert caught.value.path == "(root)"


def test_a_file_that_could_overflow_is_refused() -> None:
    wide = changed(
        lambda it: it["nodes"].insert(1, {"op": "Scale", "sources": [1], "a": 1 << 60, "constant": 0})
    )
    with pytest.raises(IntervalTooWide) as caught:
        IntegerModel.from_bytes(wide)
    assert caught.value.node == 1
    table = {"op": "Lookup", "sources": [1], "step_bits": 3, "knots": ["i1", [3], b"\x00\x01\x02"]}
    with pytest.raises(LookupOutOfTable):
        IntegerModel.from_bytes(changed(lambda it: it["nodes"].insert(1, table)))


@settings(deadline=None)
@given(data=st.data())
def test_changed_bytes_never_raise_anything_else(data: st.DataObject) -> None:
    made = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 3))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    try:
        model = IntegerModel.from_bytes(bytes(made))
    except (BadIntegerModel, IntervalTooWide):
        return
    assert model.to_bytes() == bytes(made)


def test_equal_models_have_equal_bytes() -> None:
    knots = np.array([0, 5, 9])
    made = [
        model_of([(Scale(1, 8), 0), (Lookup(3, knots.astype(dtype)), 1)], bits=4)
        for dtype in (np.int8, np.int64)
    ]
    assert made[0].to_bytes() == made[1].to_bytes()
