"""The shipped zk models are what scripts/train_gallery.py makes, good enough to be worth a proof."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sklearn.metrics import roc_auc_score

from scripts.gallery import digits, loans, models, network
from scripts.gallery.models import GALLERY, answers, decisions

TRAINED = [name for name, entry in GALLERY.items() if entry.make is not None]
ACCURACY = {"credit_logistic": 0.84, "risk": 0.78, "risk_mlp": 0.87, "digits_cnn": 0.96, "digits_class": 0.96}
"""Name → smallest share of right decisions on unseen rows."""


def parameters(model: onnx.ModelProto) -> int:
    """Weights and biases: all numbers but the factor that scales an image."""
    return sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer if tensor.dims)


def properties(model: onnx.ModelProto) -> dict[str, str]:
    """What the file says about itself."""
    return {"doc": model.doc_string} | {p.key: p.value for p in model.metadata_props}


@pytest.fixture(scope="module")
def again() -> dict[str, onnx.ModelProto]:
    """The models, trained here."""
    return {name: make() for name in TRAINED if (make := GALLERY[name].make) is not None}


@pytest.mark.parametrize("name", GALLERY)
def test_it_decides_well_on_rows_it_has_not_seen(name: str) -> None:
    unseen = GALLERY[name].unseen()
    outputs = answers(onnx.load(GALLERY[name].path), unseen.inputs)
    assert len(unseen.labels) >= 397
    assert (decisions(outputs) == unseen.labels).mean() >= ACCURACY[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_training_again_gives_the_same_model(name: str, again: dict[str, onnx.ModelProto]) -> None:
    shipped, unseen = onnx.load(GALLERY[name].path), GALLERY[name].unseen()
    ours, theirs = answers(shipped, unseen.inputs), answers(again[name], unseen.inputs)
    # not bytes: another CPU adds in another order, and a ReLU that flips early makes training part
    assert (decisions(ours) == decisions(theirs)).mean() > 0.97
    right = [(decisions(outputs) == unseen.labels).mean() for outputs in (ours, theirs)]
    assert abs(right[0] - right[1]) < 0.01
    assert properties(shipped) == properties(again[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["credit_logistic", "risk_mlp"])
def test_training_is_the_same_to_the_bit_on_one_machine(name: str, again: dict[str, onnx.ModelProto]) -> None:
    make = GALLERY[name].make
    assert make is not None
    assert make().SerializeToString(deterministic=True) == again[name].SerializeToString(deterministic=True)


def test_the_network_is_worth_its_parameters() -> None:
    unseen = GALLERY["risk_mlp"].unseen()
    auc = {
        name: roc_auc_score(unseen.labels, answers(onnx.load(GALLERY[name].path), unseen.inputs)[:, 0])
        for name in ("credit_logistic", "risk_mlp")
    }
    assert auc["risk_mlp"] > auc["credit_logistic"] + 0.03
    assert auc["credit_logistic"] > 0.84


def test_sizes_are_the_stated_ones() -> None:
    assert parameters(onnx.load(GALLERY["risk_mlp"].path)) == 10_465
    assert parameters(onnx.load(GALLERY["credit_logistic"].path)) == 11
    assert parameters(models.random_mlp()) == 100_131
    assert all(entry.path.stat().st_size < 50_000 for entry in GALLERY.values())


def test_the_digit_network_is_cheap_to_prove() -> None:
    model = onnx.shape_inference.infer_shapes(onnx.load(GALLERY["digits_cnn"].path))
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim][1:]
        for value in [*model.graph.value_info, *model.graph.output]
    }
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    multiplied, activations = 0, 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            channels, height, width = shapes[node.output[0]]
            multiplied += height * width * weights[node.input[1]].size
            activations += channels * height * width
        elif node.op_type == "Gemm":
            multiplied += weights[node.input[1]].size
    assert multiplied == 8 * 64 * 9 + 24 * 4 * 72 + 240
    assert activations == 608


def test_the_class_is_the_largest_logit() -> None:
    images = digits.load()[1].images
    logits = answers(onnx.load(GALLERY["digits_cnn"].path), images)
    digit = answers(onnx.load(GALLERY["digits_class"].path), images)
    assert digit.dtype == np.int64
    assert digit.shape == (len(images), 1)
    assert (digit[:, 0] == logits.argmax(axis=1)).all()


@pytest.mark.slow
def test_both_digit_models_learnt_the_same_to_the_bit(again: dict[str, onnx.ModelProto]) -> None:
    first, second = (again[name].graph.initializer for name in ("digits_cnn", "digits_class"))
    assert [tensor.raw_data for tensor in first] == [tensor.raw_data for tensor in second]


def test_the_exported_network_computes_what_the_trained_one_does() -> None:
    model = onnx.load(GALLERY["digits_cnn"].path)
    weights = [numpy_helper.to_array(t).astype(np.float64) for t in model.graph.initializer if t.dims]
    layers = [
        network.Layer(w.reshape(len(w), -1), b) for w, b in zip(weights[::2], weights[1::2], strict=True)
    ]
    images = digits.load()[1].images
    first, second, last = layers
    logits = network.Network(first, second, last).logits(images.transpose(0, 2, 3, 1).astype(np.float64) / 16)
    assert np.abs(logits - answers(model, images)).max() < 1e-4


def test_the_slopes_are_the_derivatives() -> None:
    rng = np.random.default_rng(3)
    images, labels = rng.random((4, 16, 16, 1)), np.array([1, 7, 7, 0])
    net = network.Network.new(5)

    def loss() -> float:
        logits = net.logits(images)
        return float((np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(4), labels]).mean())

    for layer, slope in zip((net.first, net.second, net.last), net.slopes(images, labels), strict=True):
        for values, gradient in zip((layer.weights, layer.bias), layer.gradients(*slope), strict=True):
            at = tuple(int(rng.integers(size)) for size in values.shape)
            kept = values[at]
            values[at] = kept + 1e-6
            more = loss()
            values[at] = kept - 1e-6
            less = loss()
            values[at] = kept
            assert (more - less) / 2e-6 == pytest.approx(gradient[at], rel=1e-4, abs=1e-8)


def test_enlarging_keeps_what_is_straight() -> None:
    rows, columns = np.mgrid[0:8, 0:8].astype(np.float64)
    large = digits.enlarge((2 * rows + columns)[None], 16)[0]
    at = (np.arange(16) + 0.5) / 2 - 0.5
    inner = slice(1, 15)  # the rim is level: there is nothing outside to aim at
    assert np.allclose(large[inner, inner], (2 * at[:, None] + at[None, :])[inner, inner])
    assert np.allclose(digits.enlarge(np.full((1, 8, 8), 3.0), 16), 3)


def test_the_digits_held_out_are_not_learnt() -> None:
    learnt, held_out = digits.load()
    assert len(learnt.images) + len(held_out.images) == 1_797
    assert held_out.images.shape[1:] == (1, 16, 16)
    assert 0 <= held_out.images.min() <= held_out.images.max() <= digits.BRIGHTEST
    seen = {image.tobytes() for image in learnt.images}
    assert not any(image.tobytes() in seen for image in held_out.images)


def test_loans_are_the_same_every_time_and_say_what_their_columns_are() -> None:
    first, second = loans.make_loans(100, 7), loans.make_loans(100, 7)
    assert (first.features == second.features).all()
    assert first.features.shape == (100, len(loans.FEATURES))
    assert properties(onnx.load(GALLERY["risk_mlp"].path))["features"].split(",") == list(loans.FEATURES)
