import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

from vouch.protocol.manifest import BadManifest, Manifest, TensorSpec
from vouch.runtimes.derive import ExternalData, NotOnnx, UnsupportedTensor, manifest_from_onnx

RISK = Path(__file__).parents[3] / "python" / "vouch" / "models" / "risk.onnx"
Shape = Sequence[int | str | None]


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[tuple[str, int, Shape | None]],
    outputs: Sequence[tuple[str, int, Shape | None]],
    **graph: Any,
) -> Path:
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        **graph,
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def identity(path: Path, dtype: int, shape: Shape | None) -> Path:
    return save(
        path,
        [helper.make_node("Identity", ["x"], ["y"], name="id")],
        [("x", dtype, shape)],
        [("y", dtype, shape)],
    )


def test_the_risk_model() -> None:
    made = manifest_from_onnx(RISK, "risk")
    assert made.inputs == (TensorSpec("x", "FP32", (None, 5)),)
    assert made.outputs == (TensorSpec("risk", "FP32", (None, 1)),)
    data = RISK.read_bytes()
    assert (made.artefact.sha256, made.artefact.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert made.limits.max_output == 64 * 32
    assert made.deterministic
    assert Manifest.parse(bytes(made)) == made


@pytest.mark.parametrize(
    ("dtype", "name", "scale"),
    [
        (TensorProto.FLOAT16, "FP16", 18),
        (TensorProto.FLOAT, "FP32", 18),
        (TensorProto.DOUBLE, "FP64", 18),
        (TensorProto.INT64, "INT64", 0),
        (TensorProto.UINT8, "UINT8", 0),
        (TensorProto.BOOL, "BOOL", 0),
    ],
)
def test_types(tmp_path: Path, dtype: int, name: str, scale: int) -> None:
    made = manifest_from_onnx(identity(tmp_path / "m.onnx", dtype, ["N", 3]), "m")
    assert made.inputs == (TensorSpec("x", name, (None, 3), scale),)


def test_scales_and_limit(tmp_path: Path) -> None:
    path = identity(tmp_path / "m.onnx", TensorProto.FLOAT, [2, 3])
    made = manifest_from_onnx(path, "m", scales={"x": 6}, max_output=999)
    assert (made.inputs[0].scale, made.outputs[0].scale, made.limits.max_output) == (6, 18, 999)
    assert manifest_from_onnx(path, "m").limits.max_output == 6 * 32
    with pytest.raises(UnsupportedTensor, match="its tensors are x, y"):
        manifest_from_onnx(path, "m", scales={"z": 6})
    with pytest.raises(BadManifest, match="maxOutput"):
        manifest_from_onnx(path, "m", max_output=0)


def test_weights_are_no_inputs(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [None, 2]), ("w", TensorProto.FLOAT, [2])],
        [("y", TensorProto.FLOAT, [None, 2])],
        initializer=[numpy_helper.from_array(np.ones(2, np.float32), "w")],
    )
    assert [spec.name for spec in manifest_from_onnx(path, "m").inputs] == ["x"]


def test_zipmap_is_refused_with_advice(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    classifier = LogisticRegression().fit(rng.normal(size=(20, 2)), np.arange(20) % 2)
    model = to_onnx(classifier, initial_types=[("x", FloatTensorType([None, 2]))], target_opset=17)
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnsupportedTensor, match="'zipmap': False") as caught:
        manifest_from_onnx(path, "m")
    assert caught.value.tensor == "output_probability"
    assert caught.value.node.startswith("ZipMap")
    assert caught.value.received == "a sequence"


def test_strings_are_refused_by_the_node_that_makes_them(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("Cast", ["x"], ["label"], name="to_text", to=TensorProto.STRING)],
        [("x", TensorProto.FLOAT, [None])],
        [("label", TensorProto.STRING, [None])],
    )
    with pytest.raises(UnsupportedTensor, match="class indices") as caught:
        manifest_from_onnx(path, "m")
    assert (caught.value.tensor, caught.value.node) == ("label", "Cast to_text")


@pytest.mark.parametrize(
    ("dtype", "shape", "says"),
    [
        (TensorProto.BFLOAT16, [1], "a tensor of BFLOAT16"),
        (TensorProto.COMPLEX64, [1], "a tensor of COMPLEX64"),
        (TensorProto.FLOAT, ["N", "M"], "2 dynamic axes"),
        (TensorProto.FLOAT, None, "unknown rank"),
    ],
)
def test_tensors_without_a_fixed_point_form(
    tmp_path: Path, dtype: int, shape: Shape | None, says: str
) -> None:
    path = identity(tmp_path / "m.onnx", dtype, shape)
    with pytest.raises(UnsupportedTensor, match=says):
        manifest_from_onnx(path, "m")


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [4096])],
        [("y", TensorProto.FLOAT, [4096])],
        initializer=[numpy_helper.from_array(np.ones(4096, np.float32), "w")],
    )
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (tmp_path / "w.bin").exists()
    for gone in (False, True):
        if gone:
            (tmp_path / "w.bin").unlink()
        with pytest.raises(ExternalData) as caught:
            manifest_from_onnx(path, "m")
        assert (caught.value.tensor, caught.value.location) == ("w", "w.bin")


def test_weights_in_other_files_are_found_in_subgraphs(tmp_path: Path) -> None:
    hidden = TensorProto(name="hidden", data_type=TensorProto.FLOAT, dims=[4096])
    hidden.data_location = TensorProto.EXTERNAL
    hidden.external_data.add(key="location", value="w.bin")
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, [4096])
    const = helper.make_node("Constant", [], ["z"], value=hidden)
    branch = helper.make_graph([const], "b", [], [out])
    (tmp_path / "w.bin").write_bytes(b"\0" * 4 * 4096)
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)],
        [("c", TensorProto.BOOL, [])],
        [("y", TensorProto.FLOAT, [4096])],
    )
    with pytest.raises(ExternalData, match="hidden"):
        manifest_from_onnx(path, "m")


def test_random_operators_are_marked(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("RandomNormalLike", ["x"], ["y"])],
        [("x", TensorProto.FLOAT, [None])],
        [("y", TensorProto.FLOAT, [None])],
    )
    assert not manifest_from_onnx(path, "m").deterministic


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x08\x09", b"\xff" * 64])
def test_not_onnx(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(NotOnnx) as caught:
        manifest_from_onnx(path, "m")
    assert caught.value.path == path


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        manifest_from_onnx(tmp_path / "none.onnx", "m")
