import numpy as np
import pytest
from onnx import TensorProto

from tests.python.prover.lowering.onnxes import classifier, close, make, node, rows_of
from vouch.prover.lowering.errors import UnsupportedNode, UnsupportedTensor
from vouch.prover.lowering.read import load
from vouch.prover.lowering.translate import translate

ML = "ai.onnx.ml"


@pytest.mark.parametrize(
    ("coefficients", "intercepts", "labels", "post"),
    [
        ([1, 2], [0.25], [0, 1], "NONE"),
        ([1, 2], [0.25], [0, 1], "LOGISTIC"),
        ([1, 2], [0.25], [3, 7], "LOGISTIC"),
        ([-1, -2, 1, 2], [-0.25, 0.25], [0, 1], "LOGISTIC"),
        ([-1, -2, 1, 2, 0.5, 0.5], [-0.25, 0.25, 0], [0, 1, 2], "LOGISTIC"),
        ([-1, -2, 1, 2, 0.5, 0.5], [-0.25, 0.25, 0], [0, 1, 2], "NONE"),
    ],
)
def test_linear_classifier(
    coefficients: list[float], intercepts: list[float], labels: list[int], post: str
) -> None:
    data = make(
        [classifier(coefficients, intercepts, labels, post)],
        {"x": ["N", 2]},
        outputs=["label", "scores"],
        dtypes={"label": TensorProto.INT64},
    )
    # the score of zeros is 0.25: between the thresholds of a score and of a probability
    zeros = {"x": np.zeros((1, 2), np.float32)}
    close(data, [*rows_of(5, 20, x=(1, 2)), zeros])


def test_classes_of_a_softmax() -> None:
    made = classifier([-1, -2, 1, 2, 0.5, 0.5], [-0.25, 0.25, 0], [0, 1, 2], "SOFTMAX")
    data = make([made], {"x": ["N", 2]}, outputs=["label"], dtypes={"label": TensorProto.INT64})
    assert close(data, rows_of(5, 20, x=(1, 2))).nodes == ["Affine", "ArgMax"]


def test_probabilities_of_several_classes_are_refused_but_their_class_is_not() -> None:
    made = classifier([-1, -2, 1, 2, 0.5, 0.5], [-0.25, 0.25, 0], [0, 1, 2], "SOFTMAX")
    data = make([made], {"x": ["N", 2]}, outputs=["label", "scores"], dtypes={"label": TensorProto.INT64})
    with pytest.raises(UnsupportedNode, match="leave the output 'scores' out"):
        translate(load(data))
    assert len(translate(load(data, outputs=["label"])).outputs) == 1


def test_classes_must_be_indices() -> None:
    made = classifier([-1, -2, 1, 2, 0.5, 0.5], [-0.25, 0.25, 0], [0, 5, 9], "NONE")
    data = make([made], {"x": ["N", 2]}, outputs=["label"], dtypes={"label": TensorProto.INT64})
    with pytest.raises(UnsupportedNode, match="train it on the indices 0 … 2"):
        translate(load(data))


def test_classes_that_are_names_are_refused() -> None:
    made = node(
        "LinearClassifier",
        ["x"],
        ["label", "scores"],
        name="it",
        domain=ML,
        coefficients=[1.0, 2.0],
        intercepts=[0.5],
        classlabels_strings=["good", "bad"],
    )
    data = make([made], {"x": ["N", 2]}, outputs=["label"], dtypes={"label": TensorProto.STRING})
    with pytest.raises(UnsupportedTensor, match="class indices instead of names"):
        load(data)
    # the scores alone are numbers
    close(make([made], {"x": ["N", 2]}, outputs=["scores"]), rows_of(3, x=(1, 2)))
