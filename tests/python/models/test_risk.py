"""The shipped risk model is what scripts/train_risk.py makes."""

from importlib.resources import files

import numpy as np
import onnx
import pytest
from sklearn.metrics import roc_auc_score

from scripts import train_risk

MODEL = files("vouch").joinpath("models", "risk.onnx")


@pytest.fixture(scope="module")
def shipped() -> onnx.ModelProto:
    return onnx.load_model_from_string(MODEL.read_bytes())


def test_training_again_gives_the_same_predictions(shipped: onnx.ModelProto) -> None:
    again = train_risk.train()
    features = train_risk.make_loans(1_000, 99).features
    difference = train_risk.predict(shipped, features) - train_risk.predict(again.model, features)
    # not bytes: another CPU adds in another order
    assert np.abs(difference).max() < 1e-5


def test_it_knows_good_loans_from_bad_ones(shipped: onnx.ModelProto) -> None:
    unseen = train_risk.make_loans(4_000, 100)
    risk = train_risk.predict(shipped, unseen.features)
    assert risk.dtype == np.float32
    assert ((risk >= 0) & (risk <= 1)).all()
    assert roc_auc_score(unseen.defaults, risk) > 0.84
    # worst and best case, feature by feature
    good, bad = train_risk.predict(
        shipped, np.array([[120, 0.1, 2.2, 0, 15], [20, 0.9, 0.8, 4, 1]], np.float32)
    )
    assert good < 0.05
    assert bad > 0.9


def test_a_row_does_not_depend_on_its_batch(shipped: onnx.ModelProto) -> None:
    features = train_risk.make_loans(64, 101).features
    alone = np.concatenate([train_risk.predict(shipped, features[i : i + 1]) for i in range(len(features))])
    assert np.abs(alone - train_risk.predict(shipped, features)).max() < 1e-6


def test_it_is_small_and_says_what_its_features_are(shipped: onnx.ModelProto) -> None:
    assert len(MODEL.read_bytes()) < 50_000
    properties = {p.key: p.value for p in shipped.metadata_props}
    assert properties["features"].split(",") == list(train_risk.FEATURES)
    assert [output.name for output in shipped.graph.output] == ["risk"]
    assert [entry.name for entry in shipped.graph.input] == ["x"]
