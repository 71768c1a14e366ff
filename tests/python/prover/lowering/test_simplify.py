import numpy as np
import onnx

from tests.python.prover.lowering.onnxes import FINE, f32, in_floats, make, node
from vouch.prover.lowering.network import Add, Join, Linear, Network, Pick, Rectify
from vouch.prover.lowering.read import load
from vouch.prover.lowering.simplify import simplify
from vouch.prover.lowering.translate import translate


def kinds(network: Network) -> list[str]:
    return [type(layer.operation).__name__ for layer in network.layers]


def same(network: Network) -> Network:
    """The simplified network, which computes what the network does."""
    smaller = simplify(network)
    x = np.random.default_rng(1).normal(size=network.sizes[0])
    for made in (network, smaller):
        assert len(made.sizes) == len(made.layers) + 1
    before, after = (in_floats(made, x, np.zeros(len(x)), FINE, {})[0] for made in (network, smaller))
    assert np.allclose(before, after, atol=1e-9)
    assert weights(smaller) <= weights(network)
    return smaller


def weights(network: Network) -> int:
    layers = [layer.operation for layer in network.layers]
    return sum(layer.weights.size for layer in layers if isinstance(layer, Linear))


def read(nodes: list[onnx.NodeProto], shape: list[int | str], constants: dict[str, np.ndarray]) -> Network:
    return translate(load(make(nodes, {"x": shape}, constants)))


def test_a_scaler_goes_into_the_first_dense_layer() -> None:
    scale = node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[1.0, 2.0, 3.0], scale=[0.5, 2.0, 4.0])
    network = read([scale, node("Gemm", ["s", "w", "b"], ["y"])], ["N", 3], {"w": f32(3, 4), "b": f32(4)})
    smaller = same(network)
    assert kinds(smaller) == ["Linear"]
    layer = smaller.layers[0].operation
    assert isinstance(layer, Linear)
    assert layer.index is None


def test_batch_normalisation_goes_into_the_convolution() -> None:
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"]),
        node("Relu", ["n"], ["y"]),
    ]
    v = np.ones(3, np.float32)
    constants = {"w": f32(3, 2, 2, 2), "s": f32(3), "b": f32(3), "m": f32(3), "v": v}
    assert kinds(same(read(nodes, ["N", 2, 4, 4], constants))) == ["Linear", "Rectify"]


def test_moves_go_into_the_sums() -> None:
    nodes = [
        node("Reshape", ["x", "to"], ["r"]),
        node("Transpose", ["r"], ["t"], perm=[0, 2, 1]),
        node("Flatten", ["t"], ["f"]),
        node("MatMul", ["f", "w"], ["y"]),
    ]
    network = read(nodes, ["N", 6], {"to": np.array([1, 2, 3]), "w": f32(6, 2)})
    smaller = same(network)
    assert kinds(smaller) == ["Linear"]
    layer = smaller.layers[0].operation
    assert isinstance(layer, Linear)
    assert layer.index is None


def test_two_dense_layers_become_one_only_if_that_is_smaller() -> None:
    for inner, merged in ((4, True), (2, False)):
        nodes = [node("MatMul", ["x", "v"], ["h"]), node("MatMul", ["h", "w"], ["y"])]
        network = read(nodes, ["N", 6], {"v": f32(6, inner), "w": f32(inner, 6)})
        assert (len(same(network).layers) == 1) is merged


def test_a_layer_that_is_read_twice_stays() -> None:
    weights = f32(3, 3).astype(float)
    for reader in (
        Linear(np.full((3, 1), 2.0), np.ones(3), np.arange(3)[:, None]),
        Linear(weights, np.ones(3)),
        Pick(np.array([2, 0, 1])),
    ):
        network = Network([3])
        dense = network.add(Linear(weights, np.zeros(3)), [0], "d")
        twice = network.add(reader, [dense], "s")
        network.outputs = [network.add(Add(1.0, 1.0), [dense, twice], "a")]
        assert kinds(same(network)) == ["Linear", type(reader).__name__, "Add"]


def test_parts_of_one_value_are_one_choice_and_a_choice_of_one_part_needs_no_join() -> None:
    network = Network([4])
    left = network.add(Pick(np.array([0, 1])), [0], "l")
    right = network.add(Pick(np.array([3])), [0], "r")
    network.outputs = [network.add(Rectify(), [network.add(Join(), [left, right], "j")], "y")]
    assert kinds(same(network)) == ["Pick", "Rectify"]

    network = Network([4])
    positive = network.add(Rectify(), [0], "p")
    joined = network.add(Join(), [0, positive], "j")
    network.outputs = [network.add(Pick(np.array([5, 4])), [joined], "y")]
    assert kinds(same(network)) == ["Rectify", "Pick"]


def test_nothing_is_kept_that_no_output_reads() -> None:
    network = Network([2])
    network.add(Rectify(), [0], "unused")
    network.outputs = [network.add(Pick(np.array([0, 1])), [0], "same")]
    assert kinds(same(network)) == []
    assert simplify(network).outputs == [0]


def test_two_dense_layers_stay_two_if_the_first_is_needed_anyway() -> None:
    network = Network([6])
    first = network.add(Linear(f32(4, 6).astype(float), np.zeros(4)), [0], "f")
    second = network.add(Linear(f32(6, 4).astype(float), np.zeros(6)), [first], "s")
    network.outputs = [second, first]
    assert weights(same(network)) == 4 * 6 + 6 * 4
