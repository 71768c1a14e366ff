import asyncio
import dataclasses
from typing import Any

import pytest

from tests.python.node.asking import OPERATOR, Watched, question
from tests.python.node.conftest import OpenParts
from vouch.node.errors import OutputTooLarge, UnknownModel
from vouch.node.question import Question
from vouch.protocol.manifest import Limits
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED
from vouch.runtimes.base import Runtime, RuntimeUnavailable
from vouch.runtimes.echo import EchoRuntime, echo_manifest
from vouch.runtimes.onnx import OnnxRuntime

MODEL = echo_manifest("watched").model_id


def asked(route: bytes = QUORUM, **changes: Any) -> Question:
    return question(b"hello", MODEL, route=route, **changes)


async def test_those_who_ask_at_once_share_one_run(open_parts: OpenParts) -> None:
    runtime = Watched()
    runtime.go.clear()
    async with open_parts(runtime) as parts:
        waiting = [asyncio.create_task(parts.runs.output(asked())) for _ in range(5)]
        await runtime.begun.acquire()
        runtime.go.set()
        assert await asyncio.gather(*waiting) == [b"hello\x01"] * 5


@pytest.mark.parametrize(
    ("route", "cosign", "runs"), [(QUORUM, True, 1), (QUORUM, False, 2), (SIGNED, True, 2)]
)
async def test_a_node_that_cosigns_keeps_the_runs_of_quorums(
    open_parts: OpenParts, route: bytes, cosign: bool, runs: int
) -> None:
    runtime = Watched()
    for last in (1, runs):
        async with open_parts(runtime, cosign=cosign) as parts:
            assert await parts.runs.output(asked(route)) == b"hello" + bytes([last])
    assert runtime.runs == runs


async def test_the_own_answer_is_the_run(open_parts: OpenParts) -> None:
    runtime = Watched()
    async with open_parts(runtime) as parts:
        await parts.answers.answer(asked())
    async with open_parts(runtime, cosign=True) as parts:
        assert await parts.runs.output(asked()) == b"hello\x01"


async def test_failures_are_not_kept(open_parts: OpenParts) -> None:
    runtime = Watched()
    runtime.failure = RuntimeUnavailable("watched", "down")
    async with open_parts(runtime, cosign=True) as parts:
        with pytest.raises(RuntimeUnavailable):
            await parts.runs.output(asked())
        runtime.failure = None
        assert await parts.runs.output(asked()) == b"hello\x02"


async def test_outputs_that_are_too_large_are_not_kept(open_parts: OpenParts) -> None:
    manifest = dataclasses.replace(echo_manifest("watched"), limits=Limits(5))
    large = question(b"hello", manifest.model_id, route=QUORUM)
    async with open_parts(Watched(manifest), cosign=True) as parts:
        with pytest.raises(OutputTooLarge):
            await parts.runs.output(large)
        assert await parts.journal.find_output(OPERATOR, large.request_id) is None


async def test_models_by_id(open_parts: OpenParts, risk: OnnxRuntime) -> None:
    text = EchoRuntime()
    noisy = EchoRuntime(dataclasses.replace(risk.manifest, name="noisy", deterministic=False))
    expected: list[tuple[Runtime, bool]] = [(text, False), (risk, True), (noisy, False)]
    async with open_parts(text, risk, noisy) as parts:
        for runtime, repeatable in expected:
            model = runtime.manifest.model_id
            assert parts.runs.manifest(model) == runtime.manifest
            assert parts.runs.repeatable(model) is repeatable
        with pytest.raises(UnknownModel) as unknown:
            parts.runs.manifest(b"m" * 32)
    assert unknown.value.served == [f"0x{runtime.manifest.model_id.hex()}" for runtime, _ in expected]
