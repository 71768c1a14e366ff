from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scripts.train_risk import make_loans
from tests.python.prover.lowering.onnxes import f32, make, node
from vouch.circuit.model import IntegerModel
from vouch.circuit.reference import reference_run
from vouch.prover.lowering.errors import BadCalibration, NotAccurateEnough, UnsupportedNode
from vouch.prover.lowering.quantise import Quantised, quantise
from vouch.prover.lowering.read import run, session

RISK = Path(__file__).parents[4] / "python" / "vouch" / "models" / "risk.onnx"
LOANS = make_loans(1_200, 7)
DENSE = make(
    [node("Gemm", ["x", "w"], ["h"]), node("Relu", ["h"], ["r"]), node("Gemm", ["r", "v"], ["y"])],
    {"x": ["N", 4]},
    {"w": f32(4, 8), "v": f32(8, 2)},
)


def data(rows: int, columns: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def check(made: Quantised, source: bytes, rows: np.ndarray, max_error: float) -> None:
    """Measures again, by hand, on rows of its own; and NumPy's run is the reference's."""
    model = made.model
    words = np.rint(rows.astype(float) * 10.0 ** model.inputs[0].decimals).astype(np.int64)
    (expected,) = run(session(source), [model.outputs[0].name], {model.inputs[0].name: rows})
    size = model.outputs[0].size
    received = model.run_many(words)[:, :size] / 10.0 ** model.outputs[0].decimals
    assert np.abs(received - expected.reshape(len(rows), -1)).max() <= max_error
    for row in words[:3]:
        assert model.run(row).tolist() == reference_run(model, row.tolist())
    assert IntegerModel.from_bytes(model.to_bytes()).to_bytes() == model.to_bytes()


def test_the_risk_model() -> None:
    made = quantise(RISK, LOANS.features, labels=LOANS.defaults)
    report = made.report
    assert report.max_error <= 1e-3
    assert report.calibration.rows + report.evaluation.rows == 1_200
    assert report.evaluation.mean < report.evaluation.maximum <= 1e-3
    assert [table.kind for table in report.tables] == ["tanh", "tanh", "sigmoid"]
    assert max(table.error for table in report.tables) <= 1e-3
    agreement = report.agreement
    assert agreement is not None
    assert agreement.same > 0.99
    assert agreement.onnx_accuracy is not None
    assert agreement.integer_accuracy is not None
    assert abs(agreement.onnx_accuracy - agreement.integer_accuracy) < 0.01
    assert report.weights <= 5 * 16 + 16 * 8 + 8
    check(made, RISK.read_bytes(), make_loans(300, 8).features, 1e-3)


def test_logistic_regression() -> None:
    x = data(600, 10) * 40
    y = (x[:, 0] + x[:, 1] * 0.5 + data(600, 1, 4)[:, 0] > 0).astype(int)
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    source = to_onnx(fitted, x[:1], target_opset=17, options={"zipmap": False}).SerializeToString()
    made = quantise(source, x, labels=y)
    assert made.report.max_error <= 1e-3
    assert [port.name for port in made.model.outputs] == ["label", "probabilities"]
    assert made.report.agreement is not None
    assert made.report.agreement.same > 0.99
    # the class alone needs no table
    label = quantise(source, x, labels=y, outputs=["label"])
    assert label.report.tables == ()
    assert label.model.parameters == 2 * 10 + 2
    only = quantise(source, x, outputs=["probabilities"])
    check(only, source, x[:50], 1e-3)


def test_classes_of_logistic_regression() -> None:
    """Three classes: the class is what there is, as their probabilities need a softmax."""
    x = data(900, 4)
    y = np.digitize(x[:, 0] + x[:, 1], [-0.7, 0.7])
    source = to_onnx(
        LogisticRegression().fit(x, y), x[:1], target_opset=17, options={"zipmap": False}
    ).SerializeToString()
    with pytest.raises(UnsupportedNode, match="leave the output"):
        quantise(source, x)
    made = quantise(source, x, labels=y, outputs=["label"])
    assert made.report.agreement is not None
    assert made.report.agreement.same >= 0.99
    assert made.report.agreement.integer_accuracy is not None
    assert made.report.agreement.integer_accuracy > 0.9


def test_a_network_with_ten_thousand_parameters() -> None:
    x = data(1_000, 10)
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2]
    fitted = MLPRegressor(hidden_layer_sizes=(96, 96), random_state=1)
    for _ in range(20):
        fitted.partial_fit(x, y)
    source = to_onnx(fitted, x[:1], target_opset=17).SerializeToString()
    made = quantise(source, x)
    assert made.report.max_error <= 1e-3
    assert made.model.parameters == 10_465
    # per hidden number: sum, sign, size, result, and once a remainder; then the input and the rounded output
    assert made.report.advice == 10 + 96 * 5 + 96 * 4 + 3
    check(made, source, data(200, 10, 9), 1.5e-3)


def test_a_classifier_of_scikit_learn() -> None:
    """Concat, ArgMax, and the class's number looked up, as skl2onnx writes it."""
    x = data(500, 4)
    y = (x[:, 0] > 0).astype(int) * 2 + 3
    fitted = MLPClassifier((8,), max_iter=300, tol=1e-2, random_state=1).fit(x, y)
    source = to_onnx(fitted, x[:1], target_opset=17, options={"zipmap": False}).SerializeToString()
    made = quantise(source, x, labels=y)
    assert made.report.max_error <= 1e-3
    labels = made.model.run_many(np.rint(x.astype(float) * 1e6).astype(np.int64))[:, 0]
    assert set(labels.tolist()) == {3, 5}


def test_a_larger_error_needs_fewer_bits() -> None:
    rows = data(300, 4)
    made = {error: quantise(DENSE, rows, max_error=error) for error in (1e-1, 1e-2, 1e-4)}
    for error, quantised in made.items():
        assert quantised.report.max_error <= error
    bits = [quantised.report.scales.weight for quantised in made.values()]
    assert bits == sorted(bits)
    assert bits[0] < bits[-1]


def test_one_bit_less_is_not_enough() -> None:
    """The scales are the smallest: a search that stopped early would leave room."""
    rows = data(300, 4)
    found = quantise(DENSE, rows, max_error=1e-3).report
    assert found.calibration.maximum > 0.8e-3 / 8


def test_input_bits_have_room_for_twice_the_largest_number() -> None:
    rows = data(100, 4)
    rows[3, 1] = -7.5
    made = quantise(DENSE, rows, input_decimals=3, max_error=1e-2)
    assert made.model.input_bits == 15  # 15,000 and a sign
    assert quantise(DENSE, rows, input_bits=30).model.input_bits == 30


def test_decimals_are_settable() -> None:
    made = quantise(DENSE, data(100, 4), input_decimals=4, output_decimals=3, max_error=1e-2)
    assert (made.model.inputs[0].decimals, made.model.outputs[0].decimals) == (4, 3)
    assert made.report.max_error <= 1e-2


def test_input_decimals_count_as_an_error() -> None:
    """Rounded inputs are part of what the consumer sees."""
    with pytest.raises(NotAccurateEnough, match="give more input or output decimals") as caught:
        quantise(DENSE, data(100, 4), input_decimals=1, max_error=1e-4)
    assert caught.value.best is not None
    assert caught.value.best > 1e-3


def test_too_wide_for_any_scales() -> None:
    huge = make([node("Gemm", ["x", "w"], ["y"])], {"x": ["N", 4]}, {"w": f32(4, 2) * np.float32(1e9)})
    with pytest.raises(NotAccurateEnough, match="could reach"):
        quantise(huge, data(50, 4), input_bits=60)


def test_several_inputs_by_name() -> None:
    nodes = [node("Concat", ["a", "b"], ["c"], axis=1), node("Gemm", ["c", "w"], ["y"])]
    source = make(nodes, {"a": ["N", 2], "b": ["N", 3]}, {"w": f32(5, 1)})
    rows = {"a": data(60, 2), "b": data(60, 3)}
    assert quantise(source, rows).report.max_error <= 1e-3
    for wrong in ({"a": rows["a"]}, rows["a"], {**rows, "b": rows["b"][:5]}):
        with pytest.raises(BadCalibration):
            quantise(source, wrong)


def test_a_graph_for_one_row_at_a_time() -> None:
    nodes = [node("Reshape", ["x", "to"], ["r"]), node("Gemm", ["r", "w"], ["y"])]
    source = make(nodes, {"x": [2, 2]}, {"w": f32(4, 1), "to": np.array([1, 4])})
    assert quantise(source, data(60, 4).reshape(60, 2, 2)).report.max_error <= 1e-3
    batched = make(nodes, {"x": ["N", 2, 2]}, {"w": f32(4, 1), "to": np.array([1, 4])})
    assert quantise(batched, data(60, 4).reshape(60, 2, 2)).report.max_error <= 1e-3


def test_integer_inputs_have_no_decimals() -> None:
    nodes = [node("Cast", ["x"], ["f"], to=TensorProto.FLOAT), node("Gemm", ["f", "w"], ["y"])]
    source = make(nodes, {"x": ["N", 4]}, {"w": f32(4, 1)}, dtypes={"x": TensorProto.INT64})
    made = quantise(source, np.random.default_rng(1).integers(-50, 50, (80, 4)))
    assert made.model.inputs[0].decimals == 0
    assert made.report.max_error <= 1e-3


@pytest.mark.parametrize(
    ("rows", "labels", "reason"),
    [
        (np.zeros((5, 3)), None, "rows of 4 numbers each"),
        (np.zeros((1, 4)), None, "two or more"),
        (np.full((5, 4), np.nan), None, "finite numbers"),
        (np.full((5, 4), 1e18), None, "fewer input decimals"),
        (np.zeros((5, 4)), [1, 0], "5, one a row"),
        (np.array([["a"] * 4] * 5), None, "numbers"),
    ],
)
def test_bad_calibration(rows: np.ndarray, labels: list[int] | None, reason: str) -> None:
    with pytest.raises(BadCalibration, match=reason):
        quantise(DENSE, rows, labels=labels)
