"""Integer models as a node runs them: exact, one row at a time, from the file that was published."""

import asyncio
import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.python.runtimes.circuits import manifest_of, small_model, write
from vouch.circuit.artefact import SALT
from vouch.circuit.errors import InputOutOfRange
from vouch.circuit.model import IntegerModel
from vouch.protocol.codec import NotWholeWords, WrongSize, decode_tensors, encode_tensors
from vouch.protocol.manifest import Manifest
from vouch.runtimes.base import ArtefactChanged, ArtefactUnreadable, SignatureMismatch, TensorRuntime
from vouch.runtimes.integer import IntegerRuntime

MODEL = small_model()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path, MODEL)


def load(path: Path, model: IntegerModel = MODEL) -> IntegerRuntime:
    return IntegerRuntime(path, manifest_of(model))


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big", signed=True) for value in values)


async def test_output_words_are_exactly_the_models(path: Path) -> None:
    runtime = load(path)
    assert isinstance(runtime, TensorRuntime)
    for row in np.random.default_rng(1).integers(-(1 << 15), 1 << 15, (50, 3)).tolist():
        expected = MODEL.run(np.array(row)).tolist()
        assert await runtime.run(words(*row)) == words(*expected)


async def test_secret_weights_are_read_from_behind_their_salt(tmp_path: Path) -> None:
    salt = b"\7" * SALT
    runtime = IntegerRuntime(write(tmp_path, MODEL, salt), manifest_of(MODEL, salt=salt))
    assert await runtime.run(words(1, 2, 3)) == words(*MODEL.run(np.array([1, 2, 3])).tolist())
    write(tmp_path, MODEL, b"\10" * SALT)
    with pytest.raises(ArtefactChanged):
        await runtime.run(words(1, 2, 3))
    with pytest.raises(ArtefactChanged):
        IntegerRuntime(write(tmp_path, MODEL), manifest_of(MODEL, salt=salt))


async def test_the_same_input_gives_the_same_output_in_parallel(path: Path) -> None:
    runtime = load(path)
    outputs = await asyncio.gather(*(runtime.run(words(5, -7, 9)) for _ in range(16)))
    assert len(set(outputs)) == 1


async def test_tensors_without_the_codec_are_the_same_words(path: Path) -> None:
    runtime = load(path)
    given = {"x": np.array([[0.25, -1.5, 3.0]], np.float32)}
    specs = runtime.manifest.inputs, runtime.manifest.outputs
    answer = await runtime.run(encode_tensors(specs[0], given))
    inferred = await runtime.infer(given)
    assert inferred["y"].tolist() == decode_tensors(specs[1], answer)["y"].tolist()
    assert inferred["y"].shape == (1, 2)


async def test_an_input_that_no_circuit_proves(path: Path) -> None:
    runtime = load(path)
    with pytest.raises(InputOutOfRange, match=r"input 'x', element 1: 32768 is not in \[-32768, 32767\]"):
        await runtime.run(words(0, 1 << 15, 0))
    with pytest.raises(InputOutOfRange):
        await runtime.run(words(0, 0, -(1 << 255)))
    for data, error in ((words(1, 2), WrongSize), (words(*range(6)), WrongSize), (b"1", NotWholeWords)):
        with pytest.raises(error):
            await runtime.run(data)


async def test_changed_file_is_noticed_before_the_next_use(path: Path) -> None:
    runtime = load(path)
    before = await runtime.run(words(1, 2, 3))
    write(path.parent, small_model(seed=2))
    for use in (runtime.run(words(1, 2, 3)), runtime.verify_artefact()):
        with pytest.raises(ArtefactChanged):
            await use
    write(path.parent, MODEL)
    assert await runtime.run(words(1, 2, 3)) == before
    os.utime(path, (1, 1))
    await runtime.verify_artefact()
    await runtime.aclose()


def test_files_that_are_not_the_published_one(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtefactChanged):
        load(path, small_model(seed=2))
    with pytest.raises(ArtefactUnreadable, match="No such file"):
        load(tmp_path / "none.circuit")


def test_file_that_is_no_model(tmp_path: Path) -> None:
    (broken := tmp_path / "model.circuit").write_bytes(b"not a model")
    with pytest.raises(ArtefactUnreadable, match="integer model"):
        IntegerRuntime(broken, _hashed(b"not a model"))


@pytest.mark.parametrize(
    "change", [{"name": "features"}, {"dtype": "FP64"}, {"scale": 4}, {"shape": (None, 4)}]
)
def test_manifest_with_other_tensors(path: Path, change: dict[str, Any]) -> None:
    manifest = manifest_of(MODEL)
    other = dataclasses.replace(manifest.inputs[0], **change)
    with pytest.raises(SignatureMismatch) as mismatch:
        IntegerRuntime(path, dataclasses.replace(manifest, inputs=(other,)))
    assert mismatch.value.received == ["x: FP32 [1, 3], 3 decimals", "y: FP32 [1, 2], 4 decimals"]


def test_a_batch_axis_in_the_manifest_is_one_row(path: Path) -> None:
    manifest = manifest_of(MODEL)
    batched = dataclasses.replace(manifest.inputs[0], shape=(None, 3))
    IntegerRuntime(path, dataclasses.replace(manifest, inputs=(batched,)))


def _hashed(data: bytes) -> Manifest:
    manifest = manifest_of(MODEL)
    sha256 = hashlib.sha256(data).hexdigest()
    artefact = dataclasses.replace(manifest.artefact, sha256=sha256, size=len(data))
    return dataclasses.replace(manifest, artefact=artefact)
