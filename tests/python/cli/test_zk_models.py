"""The demo's circuits: what they are made of, and how that is told."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from vouch.cli.console import Failed
from vouch.cli.devnet import risk_model
from vouch.cli.zk_models import LARGE, loans, parameters, sparse, tools


def test_made_up_loans_are_the_same_each_time_and_spread_over_both_decisions() -> None:
    rows = loans(1_000, 1)
    assert rows.shape == (1_000, 10)
    assert np.array_equal(rows, loans(1_000, 1))
    assert not np.array_equal(rows, loans(1_000, 2))
    for file, columns in ((risk_model(), 5), (risk_model().parent / "zk" / f"{LARGE}.onnx", 10)):
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        (found,) = session.run(["risk"], {"x": rows[:, :columns]})
        assert 0.1 < np.mean(np.asarray(found) > 0.5) < 0.9


def test_parameters_are_weights_and_biases() -> None:
    assert parameters(risk_model()) == 241
    assert parameters(risk_model().parent / "zk" / f"{LARGE}.onnx") == 10_465


def test_a_line_that_only_counts_on_is_shown_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now, shown = [100.0], list[str]()
    monkeypatch.setattr("vouch.cli.zk_models.time.monotonic", lambda: now[0])
    show = sparse(shown.append, seconds=5)
    for second in range(7):
        now[0] = 100.0 + second
        show(f"compiles: {second} s of about 9 s")
    show("compiled in 7 s")
    show("compiled in 8 s")
    show("compiles: 9 s of about 9 s")
    assert shown == [
        "compiles: 0 s of about 9 s",
        "compiles: 5 s of about 9 s",
        "compiled in 7 s",
        "compiles: 9 s of about 9 s",
    ]


def test_programs_that_are_not_there_are_named_with_what_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOUCH_ZK_HOME", str(tmp_path))
    with pytest.raises(Failed, match=r"never installed.*\n.*`vouch zk setup --dev-srs`"):
        tools()
