import asyncio
import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from tests.python.runtimes import graphs
from vouch.protocol.codec import WrongSize, decode_tensors, encode_tensors
from vouch.protocol.errors import VouchError
from vouch.protocol.fixed import NotFinite, OutOfRange
from vouch.protocol.manifest import Limits
from vouch.runtimes.base import (
    ArtefactChanged,
    ArtefactUnreadable,
    ModelFailed,
    SignatureMismatch,
    TensorRuntime,
)
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.onnx import OnnxRuntime

RISK = Path(__file__).parents[3] / "python/vouch/models/risk.onnx"
ROWS = np.random.default_rng(7).normal(size=(16, 3)).astype(np.float32)


def load(path: Path) -> OnnxRuntime:
    return OnnxRuntime(path, manifest_from_onnx(path, path.stem))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return graphs.layers(tmp_path / "layers.onnx")


async def test_output_is_bit_for_bit_that_of_onnxruntime_called_directly(path: Path) -> None:
    runtime = load(path)
    specs = runtime.manifest.inputs, runtime.manifest.outputs
    for rows in (ROWS[:1], ROWS):
        data = encode_tensors(specs[0], {"x": rows})
        decoded = decode_tensors(specs[0], data)["x"]
        session = ort.InferenceSession(str(path), providers=list(runtime.providers))
        direct = session.run(["y"], {"x": decoded})[0]
        assert await runtime.run(data) == encode_tensors(specs[1], {"y": direct})
        inferred = await runtime.infer({"x": decoded})
        assert inferred["y"].tobytes() == direct.tobytes()


async def test_risk_model_is_bit_for_bit_that_of_onnxruntime_called_directly() -> None:
    runtime = load(RISK)
    inputs, outputs = runtime.manifest.inputs, runtime.manifest.outputs
    session = ort.InferenceSession(str(RISK), providers=list(runtime.providers))
    batches = np.random.default_rng(3).uniform(0, 5, size=(20, 4, 5)).astype(np.float32)
    for batch in batches:
        data = encode_tensors(inputs, {inputs[0].name: batch})
        decoded = decode_tensors(inputs, data)
        direct = dict(zip([o.name for o in outputs], session.run(None, decoded), strict=True))
        assert await runtime.run(data) == encode_tensors(outputs, direct)


async def test_the_same_input_gives_the_same_output_in_parallel(path: Path) -> None:
    runtime = load(path)
    data = encode_tensors(runtime.manifest.inputs, {"x": ROWS})
    assert len(set(await asyncio.gather(*(runtime.run(data) for _ in range(16))))) == 1


def test_is_a_tensor_runtime(path: Path) -> None:
    assert isinstance(load(path), TensorRuntime)


async def test_changed_file_is_noticed_before_the_next_use(path: Path) -> None:
    runtime = load(path)
    data = encode_tensors(runtime.manifest.inputs, {"x": ROWS})
    before = await runtime.run(data)
    original = graphs.read(path)

    graphs.layers(path, seed=2)
    with pytest.raises(ArtefactChanged) as changed:
        await runtime.run(data)
    assert changed.value.expected == runtime.manifest.artefact.sha256
    assert changed.value.received == manifest_from_onnx(path, "other").artefact.sha256
    with pytest.raises(ArtefactChanged):
        await runtime.verify_artefact()
    with pytest.raises(ArtefactChanged):
        await runtime.infer({"x": ROWS})

    graphs.write(path, original)
    assert await runtime.run(data) == before


async def test_change_that_keeps_size_and_name_is_noticed(path: Path) -> None:
    runtime = load(path)
    swapped = bytearray(graphs.read(path))
    swapped[-40] ^= 1
    graphs.swap(path, bytes(swapped))
    with pytest.raises(ArtefactChanged):
        await runtime.verify_artefact()


async def test_touched_file_is_the_same_model(path: Path) -> None:
    runtime = load(path)
    os.utime(path, (1, 1))
    await runtime.verify_artefact()


async def test_removed_file(path: Path) -> None:
    runtime = load(path)
    graphs.remove(path)
    with pytest.raises(ArtefactUnreadable, match="No such file"):
        await runtime.verify_artefact()


def test_file_that_is_another_model_is_not_loaded(path: Path, tmp_path: Path) -> None:
    other = graphs.layers(tmp_path / "other.onnx", seed=9)
    with pytest.raises(ArtefactChanged):
        OnnxRuntime(other, manifest_from_onnx(path, "layers"))


def test_missing_file(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtefactUnreadable, match="No such file"):
        OnnxRuntime(tmp_path / "none.onnx", manifest_from_onnx(path, "layers"))


def test_file_that_is_no_model(path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    manifest = manifest_from_onnx(path, "layers")
    sha256 = hashlib.sha256(b"not a model").hexdigest()
    artefact = dataclasses.replace(manifest.artefact, sha256=sha256, size=11)
    with pytest.raises(ArtefactUnreadable):
        OnnxRuntime(broken, dataclasses.replace(manifest, artefact=artefact))


def test_manifest_with_other_tensors(path: Path) -> None:
    manifest = manifest_from_onnx(path, "layers")
    features = dataclasses.replace(manifest.inputs[0], name="features")
    renamed = dataclasses.replace(manifest, inputs=(features,))
    with pytest.raises(SignatureMismatch) as mismatch:
        OnnxRuntime(path, renamed)
    assert (mismatch.value.received, mismatch.value.expected) == (["x", "y"], ["features", "y"])


async def test_input_of_a_wrong_size(path: Path) -> None:
    with pytest.raises(WrongSize):
        await load(path).run(bytes(4 * 32))


async def test_input_beyond_float32(path: Path) -> None:
    huge = (2**255 - 1).to_bytes(32, "big")
    with pytest.raises(OutOfRange):
        await load(path).run(huge * 3)


@pytest.mark.parametrize(
    ("make", "value"), [(graphs.logarithm, -1.0), (graphs.exponential, 1000.0)], ids=["NaN", "infinity"]
)
async def test_output_that_is_no_number(tmp_path: Path, make: object, value: float) -> None:
    assert callable(make)
    runtime = load(make(tmp_path / "model.onnx"))
    data = encode_tensors(runtime.manifest.inputs, {"x": [[0.5, value, 0.5]]})
    with pytest.raises(NotFinite) as found:
        await runtime.run(data)
    assert found.value.tensor == "y"
    assert found.value.index == 1


async def test_model_that_fails_on_an_input_says_why(tmp_path: Path) -> None:
    runtime = load(graphs.only_two_rows(tmp_path / "model.onnx"))
    good = encode_tensors(runtime.manifest.inputs, {"x": ROWS[:2]})
    assert await runtime.run(good) == good
    with pytest.raises(ModelFailed, match="Reshape"):
        await runtime.run(encode_tensors(runtime.manifest.inputs, {"x": ROWS[:3]}))


async def test_the_event_loop_runs_on_while_the_model_does(tmp_path: Path) -> None:
    runtime = load(graphs.layers(tmp_path / "wide.onnx", width=4096))
    rows = np.zeros((20_000, 3), np.float32)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await runtime.infer({"x": rows})
    ticking.cancel()
    assert ticks > 10


async def test_every_error_is_a_vouch_error(path: Path) -> None:
    limits = Limits(1)
    runtime = OnnxRuntime(path, dataclasses.replace(manifest_from_onnx(path, "layers"), limits=limits))
    for bad in (b"", b"\x01", bytes(32), b"\xff" * 96 * 2 + b"\x7f" * 32):
        with pytest.raises(VouchError):
            await runtime.run(bad)
