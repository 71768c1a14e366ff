"""Trains the example risk model, from synthetic loans and a fixed seed, and writes it as ONNX.

    scripts/train_risk.py [--output python/vouch/models/risk.onnx]

Input  "x"     FP32 [N, 5]: the features below, in this order, in their own units (the graph scales them).
Output "risk"  FP32 [N, 1]: probability that the loan defaults, in [0, 1].

The loans are made up, so the model shows how Vouch works and says nothing about people.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 20_260_115
OPSET = 17
ROWS = 8_000
EPOCHS = 25
OUTPUT = Path(__file__).parent.parent / "python" / "vouch" / "models" / "risk.onnx"

FEATURES = {
    "income": "yearly income in thousands of units of account",
    "debt_ratio": "monthly debt payments / monthly income, 0 to 1.5",
    "collateral_ratio": "value of the collateral / loan, 0.5 to 3",
    "late_payments": "payments late by more than 30 days in the last two years",
    "account_age": "years since the borrower's first account",
}
"""Name of each column of "x" → what it holds."""


@dataclass(frozen=True, slots=True)
class Loans:
    """Features float32 [rows, 5] and defaults (0 or 1) int64 [rows]."""

    features: np.ndarray
    defaults: np.ndarray


@dataclass(frozen=True, slots=True)
class Trained:
    """An ONNX model and its figures on loans it has not seen."""

    model: onnx.ModelProto
    auc: float
    accuracy: float


def borrowers(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, ...]:
    """The columns of so many loans, in the order of FEATURES."""
    income = rng.lognormal(3.9, 0.5, rows)
    debt_ratio = np.clip(rng.gamma(3.0, 0.13, rows), 0, 1.5)
    collateral_ratio = np.clip(rng.normal(1.5, 0.45, rows), 0.5, 3)
    late_payments = rng.poisson(0.5 + 1.5 * debt_ratio)
    account_age = rng.gamma(2.5, 3.0, rows)
    return income, debt_ratio, collateral_ratio, late_payments, account_age


def drawn(rng: np.random.Generator, columns: Sequence[np.ndarray], log_odds: np.ndarray) -> Loans:
    """Loans with these columns; whether each defaults is luck, at its log-odds."""
    defaults = rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds))
    return Loans(np.stack(columns, axis=1).astype(np.float32), defaults.astype(np.int64))


def make_loans(rows: int, seed: int) -> Loans:
    """Loans whose log-odds of default follow a known formula, with luck on top."""
    rng = np.random.default_rng(seed)
    columns = income, debt_ratio, collateral_ratio, late_payments, account_age = borrowers(rng, rows)
    log_odds = (
        -0.6
        - 1.1 * np.log(income / 50)
        + 3.5 * (debt_ratio - 0.4)
        - 2.6 * (collateral_ratio - 1.2)
        + 0.75 * late_payments
        - 0.09 * account_age
        + 1.5 * (debt_ratio > 0.8) * (collateral_ratio < 1.2)
    )
    return drawn(rng, columns, log_odds)


def train(seed: int = SEED) -> Trained:
    """A scaler and a small neural network, exported and then measured as ONNX Runtime runs it."""
    loans = make_loans(ROWS, seed)
    features = loans.features.astype(np.float64)
    scaler = StandardScaler().fit(features)
    network = MLPClassifier((16, 8), activation="tanh", batch_size=200, random_state=seed)
    # A fixed number of epochs: a solver that stops by itself stops elsewhere on another CPU.
    for _ in range(EPOCHS):
        network.partial_fit(scaler.transform(features), loans.defaults, classes=[0, 1])

    model = _export(make_pipeline(scaler, network))
    unseen = make_loans(ROWS // 2, seed + 1)
    risk = predict(model, unseen.features)
    return Trained(
        model, float(roc_auc_score(unseen.defaults, risk)), float(accuracy_score(unseen.defaults, risk > 0.5))
    )


def predict(model: onnx.ModelProto, features: np.ndarray) -> np.ndarray:
    """Probabilities of default, float32 [rows], of features float32 [rows, 5]."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["risk"], {"x": features})[0])[:, 0]


def _export(pipeline: Pipeline) -> onnx.ModelProto:
    """The pipeline as ONNX with the single output "risk": what follows from it is the consumer's decision."""
    columns = [("x", FloatTensorType([None, len(FEATURES)]))]
    full = to_onnx(pipeline, initial_types=columns, options={"zipmap": False}, target_opset=OPSET)
    sigmoid = next(node for node in full.graph.node if node.op_type == "Sigmoid")
    model: onnx.ModelProto = select_model_inputs_outputs(full, [sigmoid.output[0]])
    last = next(node for node in model.graph.node if node.op_type == "Sigmoid")
    last.output[0] = "risk"
    used = {name for node in model.graph.node for name in node.input}
    for unused in [tensor for tensor in model.graph.initializer if tensor.name not in used]:
        model.graph.initializer.remove(unused)
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info("risk", onnx.TensorProto.FLOAT, ["N", 1]))

    model.graph.name = "risk"
    model.producer_name, model.producer_version, model.domain = "vouch", "", ""
    model.doc_string = "Probability that a loan defaults. Trained on synthetic loans; an example, not advice."
    properties = {f"x[{i}] {name}": text for i, (name, text) in enumerate(FEATURES.items())}
    onnx.helper.set_model_props(model, properties | {"features": ",".join(FEATURES), "seed": str(SEED)})
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="file to write (default: %(default)s)")
    output: Path = parser.parse_args().output
    trained = train()
    data = trained.model.SerializeToString(deterministic=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(data)
    print(
        f"{output}: {len(data)} bytes, AUC {trained.auc:.4f}, accuracy {trained.accuracy:.4f} on unseen loans"
    )


if __name__ == "__main__":
    main()
