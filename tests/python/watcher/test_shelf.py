"""Our copies of models, found by what the chain says they are."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from vouch.chain.contracts import ModelRegistry
from vouch.chain.sender import TxSender
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.onnx import OnnxRuntime
from vouch.runtimes.openai import OpenAiRuntime
from vouch.watcher import shelf as shelves
from vouch.watcher.config import Models
from vouch.watcher.errors import CannotJudge, NoModels
from vouch.watcher.shelf import Shelf

RISK = Path(str(files("vouch").joinpath("models", "risk.onnx")))
DERIVED = manifest_from_onnx(RISK, "risk")
ONE = Models(onnx=((None, RISK),))


@pytest.fixture
def publish(models: ModelRegistry, sender: TxSender) -> Callable[[bytes], object]:
    async def published(manifest: bytes) -> bytes:
        await sender.transact(models.publish("some name", manifest))
        return keccak(manifest)

    return published


async def refused(shelf: Shelf, model_id: bytes) -> str:
    with pytest.raises(CannotJudge) as caught:
        await shelf.runtime(model_id)
    return str(caught.value)


async def test_a_file_is_found_by_its_content_whatever_it_is_called(
    models: ModelRegistry, publish: Callable[[bytes], object], tmp_path: Path
) -> None:
    shutil.copy(RISK, tmp_path / "x.onnx")
    published = replace(DERIVED, name="credit", limits=Limits(9_999), deterministic=False, tolerance=0.5)
    model_id = await publish(bytes(published))  # type: ignore[misc]
    async with Shelf(Models(onnx=((None, tmp_path / "x.onnx"),)), models) as shelf:
        runtime = await shelf.runtime(model_id)
        assert isinstance(runtime, OnnxRuntime)
        assert runtime.manifest == published
        assert await shelf.runtime(model_id) is runtime
        assert len(shelf) == 1


async def test_unpublished_models_by_their_own_manifests(models: ModelRegistry, tmp_path: Path) -> None:
    other = replace(DERIVED, name="other")
    (tmp_path / "other.json").write_bytes(bytes(other) + b"\n")
    named = Models(onnx=(("mine", RISK),), manifests=(tmp_path / "other.json",))
    async with Shelf(named, models) as shelf:
        for manifest in (replace(DERIVED, name="mine"), other):
            assert (await shelf.runtime(manifest.model_id)).manifest == manifest
        assert "was never published" in await refused(shelf, DERIVED.model_id)


async def test_what_cannot_be_judged(models: ModelRegistry, publish: Callable[[bytes], object]) -> None:
    async with Shelf(ONE, models) as shelf:
        random = replace(DERIVED, name="random", deterministic=False)
        chat = Manifest("chat", "text", Artefact("openai", model="gpt"), Limits(100), deterministic=False)
        foreign = replace(DERIVED, artefact=replace(DERIVED.artefact, sha256="1" * 64))
        lying = replace(DERIVED, name="lying", outputs=(replace(DERIVED.outputs[0], name="safety"),))
        for manifest, why in (
            (random, "not deterministic and names no tolerance"),
            (chat, "not deterministic and names no tolerance"),
            (foreign, "we have no copy of model 'risk'"),
            (lying, "has tensors ['x', 'risk'], the manifest says ['x', 'safety']"),
        ):
            model_id = await publish(bytes(manifest))  # type: ignore[misc]
            assert why in await refused(shelf, model_id)
        nonsense = await publish(b"{}")  # type: ignore[misc]
        assert "makes no sense" in await refused(shelf, nonsense)
        assert "was never published" in await refused(shelf, b"\1" * 32)


async def test_a_text_model_runs_on_its_server(models: ModelRegistry, tmp_path: Path) -> None:
    exact = Manifest("exact", "text", Artefact("openai", model="gpt"), Limits(100))
    (tmp_path / "exact.json").write_bytes(bytes(exact))
    served = Models(texts=((tmp_path / "exact.json", "http://127.0.0.1:9"),))
    async with Shelf(served, models) as shelf:
        assert isinstance(await shelf.runtime(exact.model_id), OpenAiRuntime)
        assert len(shelf) == 1


async def test_one_file_under_many_manifests_does_not_fill_the_memory(
    models: ModelRegistry, publish: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "_LOADED", 2)
    async with Shelf(ONE, models) as shelf:
        ids = [await publish(bytes(replace(DERIVED, name=str(i)))) for i in range(4)]  # type: ignore[misc]
        made = [await shelf.runtime(model_id) for model_id in ids]
        assert list(shelf._loaded) == ids[2:]
        assert await shelf.runtime(ids[3]) is made[3]
        assert await shelf.runtime(ids[0]) is not made[0]


async def test_files_that_are_no_models(models: ModelRegistry, tmp_path: Path) -> None:
    with pytest.raises(NoModels, match=r"is no file: name an \.onnx file"):
        Shelf(Models(onnx=((None, tmp_path / "none.onnx"),)), models)
    (tmp_path / "bad.onnx").write_bytes(b"bad")
    # Somebody may have published a manifest for it; but it does not load.
    shelf = Shelf(Models(onnx=((None, tmp_path / "bad.onnx"),)), models)
    assert len(shelf) == 1
