"""Names, manifests and values in a model's codec."""

import numpy as np
import pytest

from tests.python.client.conftest import World
from vouch.chain.contracts import ModelRegistry
from vouch.chain.sender import TxSender
from vouch.client.errors import UnknownModel, WrongInput
from vouch.client.models import decode_output, encode_input
from vouch.protocol.manifest import Artefact, Limits, Manifest, TensorSpec

TENSOR = Manifest(
    "t",
    "tensor",
    Artefact("onnx", "0" * 64, 1),
    Limits(1000),
    inputs=(TensorSpec("a", "FP32", (None, 2)), TensorSpec("b", "INT64", (1,), 0)),
    outputs=(TensorSpec("y", "FP32", (None, 1)),),
)
TEXT = Manifest("c", "text", Artefact("openai", model="m"), Limits(1000))
CHAT = Manifest("c", "text", Artefact("openai", model="m"), Limits(1000), prompt="messages")


def test_tensors_in_manifest_order() -> None:
    data = encode_input(TENSOR, {"b": [3], "a": [[1.5, -2.0]]})
    words = [int.from_bytes(data[i : i + 32], "big", signed=True) for i in range(0, len(data), 32)]
    assert words == [15 * 10**17, -2 * 10**18, 3]


def test_text_and_messages() -> None:
    assert encode_input(TEXT, "é") == b"\xc3\xa9"
    assert encode_input(CHAT, "hi") == b'{"messages":[{"content":"hi","role":"user"}]}'
    messages = {"messages": [{"role": "system", "content": "x"}]}
    assert encode_input(CHAT, messages) == b'{"messages":[{"content":"x","role":"system"}]}'


@pytest.mark.parametrize(("manifest", "inputs"), [(TENSOR, "text"), (TEXT, {"a": [1]})])
def test_the_wrong_kind(manifest: Manifest, inputs: object) -> None:
    with pytest.raises(WrongInput):
        encode_input(manifest, inputs)  # type: ignore[arg-type] # what callers without a type checker do


def test_outputs() -> None:
    output = decode_output(TENSOR, (25 * 10**16).to_bytes(32, "big"))
    assert isinstance(output, dict)
    assert output["y"].dtype == np.float32
    assert output["y"].tolist() == [[0.25]]
    assert decode_output(TEXT, b"\xc3\xa9") == "é"


async def test_three_ways_to_name_a_model(world: World) -> None:
    model_id, publisher = world.risk.model_id, world.anvil.accounts[0].address
    async with world.client() as client:
        for reference in (
            "risk",
            f"{publisher}/risk",
            f"{publisher.lower()}/risk",
            f"0x{model_id.hex()}",
            model_id,
        ):
            assert await client.resolve(reference) == model_id
            assert await client.manifest(reference) == world.risk
        for wrong in ("Risk", f"{client.address}/risk", "0x12", ""):
            with pytest.raises(UnknownModel):
                await client.resolve(wrong)


async def test_a_name_moves_and_the_list_follows(world: World) -> None:
    newer = Manifest("echo", "text", Artefact("echo"), Limits(77))
    registry, own = (
        ModelRegistry(world.rpc, world.deployment.models),
        TxSender(world.rpc, world.anvil.accounts[0]),
    )
    await own.transact(registry.publish("echo", bytes(newer)))
    await own.transact(registry.publish("junk", b"no manifest"))
    async with world.client() as client:
        listed = {model.name: model for model in await client.models()}
        assert listed["echo"].manifest == newer
        assert listed["echo"].model_id == await client.resolve("echo") == newer.model_id
        assert listed["junk"].manifest is None
        assert await client.manifest(world.echo.model_id) == world.echo
