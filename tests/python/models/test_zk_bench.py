"""What scripts/bench zk compares with: the Circom program computes the network, and a change is noticed."""

from __future__ import annotations

import json
import struct

import numpy as np
import onnx
import pytest

from scripts import bench_zk
from scripts.gallery.models import GALLERY, random_mlp
from scripts.zk_bench import baseline, circom, with_snarkjs

SHIPPED = baseline.layers(onnx.load(GALLERY["risk_mlp"].path))


def float_logit(layers: circom.Layers, x: np.ndarray) -> float:
    """The network without its sigmoid."""
    for weights, bias in layers[:-1]:
        x = np.maximum(0, weights @ x + bias)
    weights, bias = layers[-1]
    return float((weights @ x + bias)[0])


def test_whole_numbers_give_the_networks_logit() -> None:
    rng, numbers = np.random.default_rng(4), circom.quantised(SHIPPED)
    for x in rng.normal(size=(50, 10)):
        logit = circom.run(numbers, np.rint(x * 2**circom.SCALE).astype(np.int64))
        assert logit / 2 ** (2 * circom.SCALE) == pytest.approx(float_logit(SHIPPED, x), abs=0.02)


def test_a_sum_too_wide_for_the_circuit_is_refused() -> None:
    layers = [(np.full((1, 1), 2**20), np.zeros(1, np.int64))]
    with pytest.raises(ValueError, match="needs more than 36 bits"):
        circom.run(layers, np.array([2**17]))


def test_the_program_holds_every_weight() -> None:
    numbers = circom.quantised(baseline.layers(random_mlp((3, 4, 1))))
    source = circom.source(numbers)
    for i, (weights, bias) in enumerate(numbers):
        rows = ", ".join(f"[{', '.join(map(str, row))}]" for row in weights.tolist())
        assert f"var w{i}[{len(weights)}][{weights.shape[1]}] = [{rows}];" in source
        assert f"var b{i}[{len(bias)}] = [{', '.join(map(str, bias.tolist()))}];" in source


def test_constraints_are_read_from_circoms_file() -> None:
    header = struct.pack("<I32sIIIIQI", 32, b"", 900, 1, 11, 0, 1_000, 7_431)
    other = struct.pack("<IQ", 2, 5) + b"12345"
    file = b"r1cs" + struct.pack("<II", 1, 2) + other + struct.pack("<IQ", 1, len(header)) + header
    assert with_snarkjs.constraints(file) == 7_431
    with pytest.raises(ValueError, match="no header"):
        with_snarkjs.constraints(b"r1cs" + struct.pack("<II", 1, 1) + other)


def test_only_what_is_the_same_everywhere_is_compared() -> None:
    before = {"10k": {"gates": 7_954, "gas": 666_041, "prove_cpu_seconds": 0.5}}
    now = {
        "10k": {"gates": 7_955, "gas": 666_041, "prove_cpu_seconds": 0.6},
        "100k": {"gates": 60_000},
    }
    assert bench_zk.same(before, now) == ["10k: gates 7,954 -> 7,955"]


def test_the_committed_figures_are_of_every_case() -> None:
    committed = json.loads(bench_zk.COMMITTED.read_bytes())
    assert set(committed["circuits"]) == {*bench_zk.CASES, "smallest"}
    lines = list(bench_zk.report(committed["circuits"]))
    assert len(lines) == 2 + len(bench_zk.CASES)
    small, many = committed["circuits"]["10k"], committed["circuits"]["10k-batch16"]
    assert small["gates"] < 10_000
    assert many["gates"] < 16 * small["gates"]
    assert many["prove_cpu_seconds"] / 16 < small["prove_cpu_seconds"]
    assert list(bench_zk.compared(committed["baselines"], bench_zk.ours(small)))
