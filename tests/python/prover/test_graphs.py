"""Random ONNX graphs, all the way: onnxruntime, the integer model in NumPy, and the compiled circuit."""

import asyncio

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.python.prover.lowering.graphs import chains
from tests.python.prover.lowering.onnxes import close, rows_of
from tests.support.noir_programs import build
from vouch.circuit.model import IntegerModel
from vouch.prover.lowering.emit import lower
from vouch.prover.lowering.read import load
from vouch.prover.lowering.scales import Scales

SCALES = Scales(10, 10, 24, 6)


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(chain=chains(), seed=st.integers(0, 2**16))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_graphs(chain: tuple[bytes, tuple[int, ...]], seed: int) -> None:
    """NumPy is as close to onnxruntime as its bits allow; the circuit accepts that answer and no other."""
    data, shape = chain
    rows = rows_of(seed, 3, x=shape)
    close(data, rows, SCALES)
    model = lower(load(data), SCALES)
    built = asyncio.run(build(model))
    for row in rows:
        run = built.run(_words(model, row["x"]).tolist())
        built.check(run)
        first = built.layout.input.fields
        for index in range(first, len(run.public) - 1):
            assert not built.accepts(run.with_public(index, run.public[index] + 1))


def _words(model: IntegerModel, x: np.ndarray) -> np.ndarray:
    return np.rint(np.asarray(x, float).reshape(-1) * 10.0 ** model.inputs[0].decimals).astype(np.int64)
