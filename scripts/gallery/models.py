"""The gallery: which models there are, how each is made, and the rows to measure it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from scripts import train_risk
from scripts.gallery import digits, graphs, loans, network

SEED = 20_261_121
ROWS = 12_000
EPOCHS = 20
HIDDEN = (96, 96)
FOLDER = Path(__file__).parents[2] / "python" / "vouch" / "models"
LOAN_NOTE = "Probability that a loan defaults. Trained on synthetic loans; an example, not advice."
DIGIT_NOTE = (
    "Which digit a 16 x 16 image shows; pixels 0 (paper) to 16 (ink). Trained on scikit-learn's digits."
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Inputs float32 [rows, ...] as the model takes them, and the right answers int64 [rows]."""

    inputs: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the gallery.

    make: None where another script does it. unseen: rows it has not learnt from.
    max_error, input_decimals, min_agreement: as `vouch.prover.lowering.quantise` takes them.
    """

    file: str
    title: str
    make: Callable[[], onnx.ModelProto] | None
    unseen: Callable[[], Rows]
    max_error: float = 5e-4
    input_decimals: int = 6
    min_agreement: float = 0.99

    @property
    def path(self) -> Path:
        """Where it is committed."""
        return FOLDER / self.file


def answers(model: onnx.ModelProto, inputs: np.ndarray) -> np.ndarray:
    """What ONNX Runtime gives: [rows, ...]."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: inputs})[0])


def decisions(outputs: np.ndarray) -> np.ndarray:
    """Outputs [rows, n] → int64 [rows]: the largest logit, the class itself, or a probability over a half."""
    if outputs.shape[1] > 1:
        return np.asarray(outputs.argmax(axis=1))
    if np.issubdtype(outputs.dtype, np.integer):
        return np.asarray(outputs[:, 0])
    return np.asarray((outputs[:, 0] > 0.5).astype(np.int64))


def risk_mlp() -> onnx.ModelProto:
    """10 → 96 → 96 → 1 with ReLUs: 10,465 parameters and a scaler."""
    rows = loans.make_loans(ROWS, SEED)
    features = rows.features.astype(np.float64)
    scaler = StandardScaler().fit(features)
    classifier = MLPClassifier(HIDDEN, activation="relu", alpha=0.02, batch_size=200, random_state=SEED)
    with threadpool_limits(1):  # more threads add in another order
        # A fixed number of epochs: a solver that stops by itself stops elsewhere on another CPU.
        for _ in range(EPOCHS):
            classifier.partial_fit(scaler.transform(features), rows.defaults, classes=[0, 1])
    layers = [(w.T, b) for w, b in zip(classifier.coefs_, classifier.intercepts_, strict=True)]
    return graphs.perceptron("risk_mlp", _scaling(scaler), layers, "risk", _about_loans())


def credit_logistic() -> onnx.ModelProto:
    """A logistic regression on the same loans."""
    rows = loans.make_loans(ROWS, SEED)
    features = rows.features.astype(np.float64)
    scaler = StandardScaler().fit(features)
    with threadpool_limits(1):
        regression = LogisticRegression(max_iter=1_000, tol=1e-10)
        regression.fit(scaler.transform(features), rows.defaults)
    layers = [(regression.coef_, regression.intercept_)]
    return graphs.perceptron("credit_logistic", _scaling(scaler), layers, "risk", _about_loans())


def digits_cnn() -> onnx.ModelProto:
    """Logits of the ten digits."""
    return graphs.convolutional("digits_cnn", _digit_layers(), digits.SIDE, digits.BRIGHTEST, _about_digits())


def digits_class() -> onnx.ModelProto:
    """The same network, answering with the digit alone."""
    return graphs.classifier("digits_class", _digit_layers(), digits.SIDE, digits.BRIGHTEST, _about_digits())


def random_mlp(sizes: tuple[int, ...] = (10, 310, 310, 1), seed: int = SEED) -> onnx.ModelProto:
    """ReLUs and a sigmoid with random weights, by default 100,131 of them: for measuring, not for answers."""
    rng = np.random.default_rng(seed)
    layers = [(rng.normal(0, np.sqrt(2 / k), (n, k)), rng.normal(0, 0.1, n)) for k, n in pairwise(sizes)]
    about = {"doc": "Random weights, for measurements.", "seed": str(seed)}
    return graphs.perceptron("random_mlp", None, layers, "y", about)


def _scaling(scaler: StandardScaler) -> graphs.Linear:
    """Offset and scale of the ONNX Scaler: (x - offset) · scale."""
    return scaler.mean_, 1 / scaler.scale_


def _digit_layers() -> tuple[graphs.Linear, graphs.Linear, graphs.Linear]:
    learnt, _ = digits.load()
    images = learnt.images.transpose(0, 2, 3, 1).astype(np.float64) / digits.BRIGHTEST
    with threadpool_limits(1):
        trained = network.train(images, learnt.labels, SEED)
    first, second, last = trained.first, trained.second, trained.last
    return (first.weights, first.bias), (second.weights, second.bias), (last.weights, last.bias)


def _about_loans() -> dict[str, str]:
    columns = {f"x[{i}] {name}": text for i, (name, text) in enumerate(loans.FEATURES.items())}
    return {"doc": LOAN_NOTE, **columns, "features": ",".join(loans.FEATURES), "seed": str(SEED)}


def _about_digits() -> dict[str, str]:
    return {"doc": DIGIT_NOTE, "seed": str(SEED)}


def _unseen_loans() -> Rows:
    rows = loans.make_loans(4_000, SEED + 1)
    return Rows(rows.features, rows.defaults)


def _unseen_small_loans() -> Rows:
    rows = train_risk.make_loans(4_000, train_risk.SEED + 1)
    return Rows(rows.features, rows.defaults)


def _unseen_digits() -> Rows:
    _, held_out = digits.load()
    return Rows(held_out.images, held_out.labels)


GALLERY = {
    "credit_logistic": Entry(
        "zk/credit_logistic.onnx", "loans, logistic regression, 10 → 1", credit_logistic, _unseen_loans
    ),
    "risk": Entry("risk.onnx", "loans, 5 → 16 → 8 → 1, tanh", None, _unseen_small_loans),
    "risk_mlp": Entry(
        "zk/risk_mlp.onnx",
        "loans, 10 → 96 → 96 → 1, ReLU",
        risk_mlp,
        _unseen_loans,
        input_decimals=4,  # narrow enough for a circuit of 2^13 gates
    ),
    "digits_cnn": Entry(
        "zk/digits_cnn.onnx",
        "digits, two convolutions, logits",
        digits_cnn,
        _unseen_digits,
        max_error=6e-4,  # of logits
        input_decimals=4,  # an enlarged pixel is a multiple of 1/16: exact
    ),
    "digits_class": Entry(
        "zk/digits_class.onnx",
        "digits, the same network, ArgMax",
        digits_class,
        _unseen_digits,
        input_decimals=4,
        min_agreement=1.0,
    ),
}
"""Name → model, from small to large."""
