import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.python.prover.lowering.onnxes import f32, make, node
from vouch.prover.lowering.errors import BadOnnxFile, UnsupportedTensor
from vouch.prover.lowering.read import load


def test_shapes_are_those_of_one_item() -> None:
    data = make([node("Gemm", ["x", "w"], ["y"], name="g")], {"x": ["N", 3]}, {"w": f32(3, 2)})
    graph = load(data)
    (tensor,), (output,) = graph.inputs, graph.outputs
    assert (tensor.name, tensor.dtype, tensor.shape, tensor.batched, tensor.size) == (
        "x",
        "FP32",
        (1, 3),
        True,
        3,
    )
    assert (output.name, output.dtype, output.shape, output.batched) == ("y", "FP32", (1, 2), True)
    assert [(made.name, made.operator, made.inputs, made.version) for made in graph.nodes] == [
        ("g", "Gemm", ("x", "w"), 17)
    ]
    assert np.array_equal(graph.constants["w"], f32(3, 2))


def test_fixed_shapes_are_not_batched() -> None:
    graph = load(make([node("Relu", ["x"], ["y"])], {"x": [2, 3]}))
    assert graph.inputs[0].shape == (2, 3)
    assert not graph.inputs[0].batched
    assert not graph.outputs[0].batched


def test_what_does_not_depend_on_the_input_is_a_constant() -> None:
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Constant", [], ["two"], value_int=2),
        node("Add", ["two", "two"], ["four"]),
        node("Cast", ["four"], ["f"], to=TensorProto.FLOAT),
        node("Mul", ["x", "f"], ["m"]),
        node("Reshape", ["m", "s"], ["y"]),
    ]
    graph = load(make(nodes, {"x": ["N", 3]}))
    assert [made.operator for made in graph.nodes] == ["Mul", "Reshape"]
    assert graph.constants["f"] == 4
    assert graph.constants["s"].tolist() == [1, 3]


def test_only_what_the_chosen_outputs_need() -> None:
    nodes = [node("Relu", ["x"], ["r"]), node("Exp", ["x"], ["e"])]
    data = make(nodes, {"x": ["N", 3]}, outputs=["e", "r"])
    assert [made.operator for made in load(data).nodes] == ["Relu", "Exp"]
    graph = load(data, outputs=["r"])
    assert [made.operator for made in graph.nodes] == ["Relu"]
    assert [tensor.name for tensor in graph.outputs] == ["r"]
    with pytest.raises(UnsupportedTensor, match="'z' is no output of the graph; its outputs are e, r"):
        load(data, outputs=["z"])


def test_functions_are_written_out() -> None:
    function = helper.make_function(
        "own", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    model = onnx.ModelProto()
    model.ParseFromString(make([node("Twice", ["x"], ["y"], domain="own")], {"x": ["N", 3]}))
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("own", 1))
    assert [made.operator for made in load(model.SerializeToString()).nodes] == ["Add"]


def test_random_numbers_are_no_constants() -> None:
    nodes = [node("RandomNormal", [], ["r"], shape=[1, 3]), node("Add", ["x", "r"], ["y"])]
    assert [made.operator for made in load(make(nodes, {"x": ["N", 3]})).nodes] == ["RandomNormal", "Add"]


@pytest.mark.parametrize("data", [b"nonsense", b"\x08\x09"])
def test_no_onnx(data: bytes) -> None:
    with pytest.raises(BadOnnxFile, match="the model cannot be used as an ONNX model"):
        load(data)


def test_a_graph_that_does_not_run() -> None:
    with pytest.raises(BadOnnxFile):
        load(make([node("MatMul", ["x", "w"], ["y"])], {"x": ["N", 3]}, {"w": f32(4, 2)}))


@pytest.mark.parametrize(
    ("shape", "reason"), [(["N", "M"], "fix all axes but the first"), (["N", 0], "at least one element")]
)
def test_shapes_that_are_refused(shape: list[int | str], reason: str) -> None:
    with pytest.raises(UnsupportedTensor, match=reason):
        load(make([node("Relu", ["x"], ["y"])], {"x": shape}))


def test_inputs_and_outputs_are_numbers() -> None:
    identity = [node("Identity", ["x"], ["y"])]
    with pytest.raises(UnsupportedTensor, match="take float or integer tensors"):
        load(make(identity, {"x": ["N", 3]}, dtypes={"x": TensorProto.STRING, "y": TensorProto.STRING}))
    compared = [node("Greater", ["x", "x"], ["y"])]
    with pytest.raises(UnsupportedTensor, match="a tensor of bool"):
        load(make(compared, {"x": ["N", 3]}, dtypes={"y": TensorProto.BOOL}))


def test_unknown_rank() -> None:
    model = onnx.ModelProto()
    model.ParseFromString(make([node("Relu", ["x"], ["y"])], {"x": ["N", 3]}))
    model.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(UnsupportedTensor, match="unknown rank"):
        load(model.SerializeToString())
