import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.integer_models import inputs_of, integers, model_of, models, port
from vouch.circuit.codec import read_words, run_bytes, to_words
from vouch.circuit.errors import InputOutOfRange
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine
from vouch.circuit.parts import Node
from vouch.circuit.reference import reference_run
from vouch.protocol.codec import NotWholeWords, WrongSize, decode_tensors, encode_tensors
from vouch.protocol.manifest import TensorSpec

TWO = IntegerModel(
    (port("a", 2), port("b", 1)),
    61,
    (Node(Affine(np.array([[1, -1, 0], [0, 0, -1]]), np.array([0, 1])), (0,)),),
    1,
    (port("y", 2),),
)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big", signed=True) for value in values)


@settings(deadline=None)
@given(data=st.data(), model=models())
def test_words_in_words_out(data: st.DataObject, model: IntegerModel) -> None:
    x = data.draw(inputs_of(model))
    assert run_bytes(model, words(*x)) == words(*reference_run(model, x))


@settings(deadline=None)
@given(values=st.lists(integers(61), min_size=3, max_size=3))
def test_words_are_those_of_the_codec(values: list[int]) -> None:
    data = words(*values)
    assert read_words(TWO, data).tolist() == values
    assert to_words(np.array(values)) == data


def test_tensors_of_the_manifest() -> None:
    specs = [TensorSpec("a", "FP32", (None, 2), 6), TensorSpec("b", "FP32", (1,), 6)]
    data = encode_tensors(specs, {"a": [[1.5, 0.25]], "b": [-2.0]})
    made = decode_tensors([TensorSpec("y", "FP32", (None, 2), 6)], run_bytes(TWO, data))
    assert made["y"].tolist() == [[1.25, np.float32(2.000001)]]


# the last of them is -1 in its last 64 bits and must not pass for it
@pytest.mark.parametrize(
    "value",
    [1 << 60, -(1 << 60) - 1, 1 << 63, 1 << 64, -(1 << 64), (1 << 255) - 1, -(1 << 255), (1 << 64) - 1],
)
def test_words_have_the_inputs_width(value: int) -> None:
    with pytest.raises(InputOutOfRange) as caught:
        run_bytes(TWO, words(0, 5, value))
    it = caught.value
    assert (it.index, it.name, it.value, it.bits) == (0, "b", value, 61)
    with pytest.raises(InputOutOfRange) as first:
        run_bytes(TWO, words(0, value, 0))
    assert (first.value.index, first.value.name) == (1, "a")


def test_whole_words_of_one_row() -> None:
    with pytest.raises(NotWholeWords):
        run_bytes(TWO, bytes(95))
    for count in (0, 2, 4, 6):
        with pytest.raises(WrongSize, match="these tensors take 3"):
            run_bytes(TWO, bytes(32 * count))


def test_the_answer_is_that_of_run() -> None:
    model = model_of([(Affine(np.array([[3]]), np.array([-1])), 0)])
    assert run_bytes(model, words(-7)) == words(-22)
