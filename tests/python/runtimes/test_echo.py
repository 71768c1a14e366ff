import numpy as np
import pytest

from vouch.protocol.manifest import Artefact, Limits, Manifest, TensorSpec
from vouch.runtimes.base import ModelFailed, StreamingUnsupported, TensorRuntime, TextRuntime
from vouch.runtimes.echo import EchoRuntime, echo_manifest


async def test_gives_back_any_bytes() -> None:
    assert await EchoRuntime().run(b"\xff\x00") == b"\xff\x00"


def test_default_manifest_is_valid_and_parses() -> None:
    manifest = EchoRuntime().manifest
    assert Manifest.parse(bytes(manifest)) == manifest
    assert echo_manifest("other").model_id != manifest.model_id


async def test_gives_back_tensors_under_the_names_of_the_outputs() -> None:
    given, made = TensorSpec("x", "INT64", (None,), 0), TensorSpec("y", "INT64", (None,), 0)
    runtime = EchoRuntime(Manifest("echo", "tensor", Artefact("echo"), Limits(32), (given,), (made,)))
    array = np.array([1, 2])
    assert (await runtime.infer({"x": array}))["y"] is array


async def test_chat_repeats_the_last_message() -> None:
    reply = await EchoRuntime().chat({"messages": [{"role": "user", "content": "hello"}]})
    assert reply["choices"][0]["message"] == {"role": "assistant", "content": "hello"}


async def test_chat_without_text() -> None:
    with pytest.raises(ModelFailed):
        await EchoRuntime().chat({"messages": [{"role": "user"}]})


def test_refuses_to_stream() -> None:
    with pytest.raises(StreamingUnsupported):
        EchoRuntime().stream({})


async def test_speaks_both_protocols_and_has_nothing_to_verify_or_free() -> None:
    runtime = EchoRuntime()
    assert isinstance(runtime, TextRuntime)
    assert isinstance(runtime, TensorRuntime)
    await runtime.verify_artefact()
    await runtime.aclose()
