"""The gallery's page says what was measured, and the committed one is about the shipped models."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from scripts.gallery import page, proofs
from scripts.gallery.models import GALLERY
from scripts.gallery.page import Shown
from vouch.prover.lowering.quantise import Report
from vouch.prover.lowering.rows import Agreement, Errors
from vouch.prover.lowering.scales import Scales

FIGURES = proofs.Figures(7_954, 20.0, 17.0, 14_000, 20, 0.6, 0.523, 23 << 20, 6_720, 666_041)
REPORT = Report(
    Scales(11, 11, 31),
    Errors(512, 7e-4, 1e-4, 1.0),
    Errors(3_488, 9.1e-4, 1e-4, 1.0),
    Agreement(0.9997, 0.8865, 0.8861),
    (),
    10_259,
    886,
)


def lines(shown: Shown) -> list[str]:
    """The table lines about one model."""
    return [line for line in page.text([shown], "2 cores").splitlines() if line.startswith("| `")]


def test_a_model_has_its_accuracy_and_its_cost() -> None:
    shown = Shown("risk_mlp", GALLERY["risk_mlp"], 10_465, REPORT, 18, 17, 0.97, FIGURES)
    assert lines(shown) == [
        "| `risk_mlp` | 88.65% | 88.61% | 99.97% | 18 of 20 (17) | 9.1e-04 |",
        "| `risk_mlp` | 7,954 | 0.52 | 23 | 6,720 | 666,041 |",
    ]
    whole = page.text([shown], "2 cores")
    assert "| loans, 10 → 96 → 96 → 1, ReLU | `zk/risk_mlp.onnx` | 10,465 | 10,259 |" in whole
    assert "(2 cores)" in whole


def test_no_labels_and_no_error_are_said_so() -> None:
    exact = replace(
        REPORT,
        calibration=replace(REPORT.calibration, maximum=0.0),
        evaluation=replace(REPORT.evaluation, maximum=0.0),
        agreement=None,
    )
    shown = Shown("risk", GALLERY["risk"], 265, exact, 20, 19, 1.0, FIGURES)
    assert lines(shown)[0] == "| `risk` | - | - | - | 20 of 20 (19) | 0 |"


@pytest.mark.parametrize("name", GALLERY)
def test_the_committed_page_shows_every_model(name: str) -> None:
    (accuracy,) = re.findall(
        rf"^\| `{name}` \| [\d.]+% \| ([\d.]+)% \| ([\d.]+)% \| (\d+) of (\d+) \((\d+)\) \|",
        page.PAGE.read_text(),
        re.MULTILINE,
    )
    right, same, proven, of, floats = (float(number) for number in accuracy)
    assert of >= 20
    assert proven >= floats - 1
    assert same >= 99
    assert right >= 80


def test_words_are_the_nearest_whole_numbers() -> None:
    inputs = np.array([[[0.25, -1.0]], [[0.1875, 16.0]]], np.float32)
    words = proofs.words(inputs, 4)
    assert words.dtype == np.int64
    assert words.tolist() == [[2_500, -10_000], [1_875, 160_000]]
