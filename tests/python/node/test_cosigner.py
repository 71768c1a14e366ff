"""Real models by onnxruntime where numbers are compared, and an echo that counts its runs where runs are."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, OTHER, OTHER_KEY, Watched, question
from tests.python.node.conftest import OpenParts
from tests.python.runtimes import graphs
from vouch.node.errors import (
    AlreadySigned,
    Disagrees,
    InputMismatch,
    NotAnswered,
    NotCosigning,
    NotReproducible,
    OperatorNotAdmitted,
    OutputTooLarge,
    UnknownHub,
    UnknownModel,
    UnsupportedRoute,
)
from vouch.node.question import Question
from vouch.protocol.codec import encode_tensors
from vouch.protocol.errors import VouchError
from vouch.protocol.fixed import NotFinite
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Manifest
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import ANYONE
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.runtimes.base import RuntimeUnavailable
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.echo import echo_manifest
from vouch.runtimes.onnx import OnnxRuntime

MODEL = echo_manifest("watched").model_id
THIRD = "0x3333333333333333333333333333333333333333"
COSIGNER: dict[str, Any] = {"key": OTHER_KEY, "cosign": True}
TOLERANCE = 0.01


def asked(data: bytes = b"hello", model: bytes = MODEL, **changes: Any) -> Question:
    return question(data, model, **{"route": QUORUM} | changes)


def loan(model: Manifest, **changes: Any) -> Question:
    rows = np.array([[60, 0.3, 1.1, 1, 5]], np.float32)
    return asked(encode_tensors(model.inputs, {"x": rows}), model.model_id, **changes)


def moved(output: bytes, by: float) -> bytes:
    """The first word of an output, moved by so much in the model's units (18 decimals)."""
    word = int.from_bytes(output[:32], "big", signed=True) + round(by * 10**6) * 10**12
    return word.to_bytes(32, "big", signed=True) + output[32:]


@pytest.fixture
def noisy(tmp_path: Path) -> OnnxRuntime:
    """y = x + noise of up to 0.001: no run is like another, and the manifest tolerates 0.01."""
    nodes = [
        onnx.helper.make_node("RandomUniformLike", ["x"], ["u"], low=0.0, high=0.001),
        onnx.helper.make_node("Add", ["x", "u"], ["y"]),
    ]
    path = graphs.save(tmp_path / "noisy.onnx", nodes, ["batch", 3], {})
    manifest = manifest_from_onnx(path, "noisy")
    assert not manifest.deterministic
    return OnnxRuntime(path, dataclasses.replace(manifest, tolerance=TOLERANCE))


def point(model: Manifest, **changes: Any) -> Question:
    return asked(encode_tensors(model.inputs, {"x": [[1.0, 2.0, 3.0]]}), model.model_id, **changes)


async def test_operator_and_cosigner_make_a_quorum(open_parts: OpenParts, risk: OnnxRuntime) -> None:
    policy = Policy.of(2, [OPERATOR, OTHER])
    about = loan(risk.manifest, trust=policy.trust)
    async with open_parts(risk) as parts:
        signed = await parts.answers.answer(about)
    async with open_parts(risk, **COSIGNER) as parts:
        given = await parts.cosigner.cosign(about, OPERATOR, signed.output)
    assert (given.signer, given.claim, given.claim.operator) == (OTHER, signed.claim, OPERATOR)
    assert recover_signer(Seal(SIGNED, given.signature), signed.claim, CHAIN_ID, HUB) == OTHER
    seals = [Seal(SIGNED, signed.signature), Seal(SIGNED, given.signature)]
    quorum = QuorumSeal.collect(policy, signed.claim, CHAIN_ID, HUB, seals)
    quorum.check(policy.trust, signed.claim, CHAIN_ID, HUB)


async def test_deterministic_models_are_compared_bit_for_bit(
    open_parts: OpenParts, risk: OnnxRuntime
) -> None:
    about = loan(risk.manifest)
    ours = await risk.run(about.input)
    theirs = (int.from_bytes(ours, "big") + 1).to_bytes(32, "big")
    async with open_parts(risk, **COSIGNER) as parts:
        with pytest.raises(Disagrees) as refused:
            await parts.cosigner.cosign(about, OPERATOR, theirs)
        error = refused.value
        assert (error.received, error.expected) == (keccak(theirs), keccak(ours))
        assert "tensor 'risk', element 0" in error.difference
        assert "differ by 1e-18" in str(error)
        assert await parts.journal.find_cosignature(OTHER, OPERATOR, about.request_id) is None
        # What was refused is not held against what is right.
        await parts.cosigner.cosign(about, OPERATOR, ours)


@pytest.mark.parametrize("by", [0.009, -0.009, 0.0])
async def test_what_the_tolerance_allows(open_parts: OpenParts, noisy: OnnxRuntime, by: float) -> None:
    about = point(noisy.manifest)
    # the cosigner's own noise is up to 0.001, and so is what is left of the tolerance
    theirs = encode_tensors(noisy.manifest.outputs, {"y": [[1.0005 + by, 2.0005, 3.0005]]})
    async with open_parts(noisy, **COSIGNER) as parts:
        given = await parts.cosigner.cosign(about, OPERATOR, theirs)
    assert given.claim.output_hash == keccak(theirs)


@pytest.mark.parametrize("by", [0.012, -0.012, 1e9])
async def test_what_the_tolerance_does_not_allow(
    open_parts: OpenParts, noisy: OnnxRuntime, by: float
) -> None:
    about = point(noisy.manifest)
    theirs = encode_tensors(noisy.manifest.outputs, {"y": [[1.0005, 2.0005 + by, 3.0005]]})
    async with open_parts(noisy, **COSIGNER) as parts:
        with pytest.raises(Disagrees, match=r"tensor 'y', element 1: .* allowed is 0\.01"):
            await parts.cosigner.cosign(about, OPERATOR, theirs)


async def test_a_second_output_is_never_signed(open_parts: OpenParts, noisy: OnnxRuntime) -> None:
    about = point(noisy.manifest)
    first, second = (
        encode_tensors(noisy.manifest.outputs, {"y": [[1.0005 + by, 2.0, 3.0]]}) for by in (0.0, 0.001)
    )
    async with open_parts(noisy, **COSIGNER) as parts:
        given = await parts.cosigner.cosign(about, OPERATOR, first)
    for _ in range(2):
        async with open_parts(noisy, **COSIGNER) as parts:
            with pytest.raises(AlreadySigned) as refused:
                await parts.cosigner.cosign(about, OPERATOR, second)
            assert tuple(vars(refused.value).values()) == (OPERATOR, keccak(second), keccak(first))
            assert await parts.cosigner.cosign(about, OPERATOR, first) == given


async def test_of_two_outputs_at_once_one_is_signed(open_parts: OpenParts, noisy: OnnxRuntime) -> None:
    about = point(noisy.manifest)
    outputs = [
        encode_tensors(noisy.manifest.outputs, {"y": [[1.0005 + by / 1000, 2.0, 3.0]]}) for by in range(4)
    ]
    async with open_parts(noisy, **COSIGNER) as parts:
        outcomes = await asyncio.gather(
            *(parts.cosigner.cosign(about, OPERATOR, output) for output in outputs), return_exceptions=True
        )
    refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadySigned)]
    assert len(refused) == 3
    assert len({error.expected for error in refused}) == 1


async def test_different_operators_may_have_different_outputs(
    open_parts: OpenParts, noisy: OnnxRuntime
) -> None:
    about = point(noisy.manifest, operator=ANYONE)
    outputs = {
        who: encode_tensors(noisy.manifest.outputs, {"y": [[1.0005 + by, 2.0, 3.0]]})
        for who, by in ((OPERATOR, 0.0), (THIRD, 0.001))
    }
    async with open_parts(noisy, **COSIGNER) as parts:
        for who, output in outputs.items():
            given = await parts.cosigner.cosign(about, who, output)
            assert (given.claim.operator, given.claim.output_hash) == (who, keccak(output))


async def test_asking_again_repeats_the_signature_without_a_run(open_parts: OpenParts) -> None:
    runtime = Watched()
    async with open_parts(runtime, **COSIGNER) as parts:
        given = await parts.cosigner.cosign(asked(), OPERATOR, b"hello\x01")
    async with open_parts(runtime, **COSIGNER) as parts:
        assert await parts.cosigner.cosign(asked(), OPERATOR, b"hello\x01") == given
    # even when the model is not served any more
    async with open_parts(**COSIGNER) as parts:
        assert await parts.cosigner.cosign(asked(), OPERATOR, b"hello\x01") == given
    assert runtime.runs == 1


async def test_one_run_is_what_all_outputs_of_a_request_are_compared_with(open_parts: OpenParts) -> None:
    runtime = Watched()
    about = asked(operator=ANYONE)
    async with open_parts(runtime, **COSIGNER) as parts:
        with pytest.raises(Disagrees):
            await parts.cosigner.cosign(about, OPERATOR, b"hello\x02")
    async with open_parts(runtime, **COSIGNER) as parts:
        with pytest.raises(Disagrees):
            await parts.cosigner.cosign(about, OPERATOR, b"hello\x02")
        await parts.cosigner.cosign(about, THIRD, b"hello\x01")
        # and it is the own answer too
        assert (await parts.answers.answer(about)).output == b"hello\x01"
    assert runtime.runs == 1


async def test_those_who_ask_at_once_share_one_run(open_parts: OpenParts) -> None:
    runtime = Watched()
    runtime.go.clear()
    about = asked(operator=ANYONE)
    async with open_parts(runtime, **COSIGNER) as parts:
        cosigning = [
            asyncio.create_task(parts.cosigner.cosign(about, who, b"hello\x01")) for who in (OPERATOR, THIRD)
        ]
        answering = asyncio.create_task(parts.answers.answer(about))
        await runtime.begun.acquire()
        runtime.go.set()
        assert {(await task).claim.operator for task in cosigning} == {OPERATOR, THIRD}
        assert (await answering).output == b"hello\x01"
    assert runtime.runs == 1


async def test_an_asker_that_goes_away_does_not_lose_the_run(open_parts: OpenParts) -> None:
    runtime = Watched()
    runtime.go.clear()
    async with open_parts(runtime, **COSIGNER) as parts:
        gone = asyncio.create_task(parts.cosigner.cosign(asked(), OPERATOR, b"hello\x01"))
        await runtime.begun.acquire()
        gone.cancel()
        runtime.go.set()
    async with open_parts(runtime, **COSIGNER) as parts:
        await parts.cosigner.cosign(asked(), OPERATOR, b"hello\x01")
    assert runtime.runs == 1


async def test_a_run_that_fails_is_no_verdict(open_parts: OpenParts) -> None:
    runtime = Watched()
    runtime.failure = RuntimeUnavailable("watched", "down")
    async with open_parts(runtime, **COSIGNER) as parts:
        with pytest.raises(RuntimeUnavailable):
            await parts.cosigner.cosign(asked(), OPERATOR, b"hello\x02")
        runtime.failure = None
        await parts.cosigner.cosign(asked(), OPERATOR, b"hello\x02")


async def test_the_own_operators_claim_is_repeated_and_never_signed_here(open_parts: OpenParts) -> None:
    runtime = Watched()
    about = asked(operator=ANYONE)
    async with open_parts(runtime, cosign=True) as parts:
        with pytest.raises(NotAnswered, match="/vouch/v1/answers"):
            await parts.cosigner.cosign(about, OPERATOR, b"hello\x01")
        assert runtime.runs == 0
        signed = await parts.answers.answer(about)
        given = await parts.cosigner.cosign(about, OPERATOR, signed.output)
        assert (given.signer, given.claim, given.signature) == (OPERATOR, signed.claim, signed.signature)
        with pytest.raises(AlreadySigned) as refused:
            await parts.cosigner.cosign(about, OPERATOR, b"hello\x02")
        assert (refused.value.received, refused.value.expected) == (
            keccak(b"hello\x02"),
            keccak(b"hello\x01"),
        )
        assert await parts.journal.find_cosignature(OPERATOR, OPERATOR, about.request_id) is None


async def test_a_tolerance_does_not_hold_for_the_own_operator(
    open_parts: OpenParts, noisy: OnnxRuntime
) -> None:
    about = point(noisy.manifest)
    async with open_parts(noisy, cosign=True) as parts:
        signed = await parts.answers.answer(about)
        with pytest.raises(AlreadySigned):
            await parts.cosigner.cosign(about, OPERATOR, moved(signed.output, 0.0001))
    async with open_parts(noisy, **COSIGNER) as parts:
        await parts.cosigner.cosign(about, OPERATOR, moved(signed.output, 0.0001))


def undecidable(kind: str, risk: OnnxRuntime) -> Manifest:
    if kind == "tensor":
        return dataclasses.replace(risk.manifest, deterministic=False)
    return dataclasses.replace(
        echo_manifest("watched"), deterministic=False, tolerance=0.0 if kind == "text" else 0.5
    )


@pytest.mark.parametrize("kind", ["tensor", "text", "text with a tolerance"])
async def test_models_that_cannot_be_checked(open_parts: OpenParts, risk: OnnxRuntime, kind: str) -> None:
    runtime = Watched(undecidable(kind, risk))
    manifest = runtime.manifest
    async with open_parts(runtime, **COSIGNER) as parts:
        with pytest.raises(NotReproducible, match="not deterministic and its manifest gives no tolerance"):
            await parts.cosigner.cosign(asked(b"hello", manifest.model_id), OPERATOR, b"hello\x01")
    assert runtime.runs == 0


@pytest.mark.parametrize(
    ("changes", "error", "values"),
    [
        ({"operator": THIRD}, OperatorNotAdmitted, (OPERATOR, THIRD)),
        ({"operator": OTHER}, OperatorNotAdmitted, (OPERATOR, OTHER)),
        ({"route": SIGNED}, UnsupportedRoute, (SIGNED, (QUORUM,))),
        ({"input_hash": b"x" * 32}, InputMismatch, (keccak(b"hello"), b"x" * 32)),
        ({"model_id": b"m" * 32}, UnknownModel, ("0x" + "6d" * 32, [f"0x{MODEL.hex()}"])),
    ],
)
async def test_wrong_terms(
    open_parts: OpenParts, changes: dict[str, Any], error: type[VouchError], values: tuple[Any, ...]
) -> None:
    runtime = Watched()
    async with open_parts(runtime, **COSIGNER) as parts:
        with pytest.raises(error) as refused:
            await parts.cosigner.cosign(asked(**changes), OPERATOR, b"hello\x01")
    assert tuple(vars(refused.value).values()) == values
    assert runtime.runs == 0


async def test_output_that_no_model_may_give_costs_no_run(open_parts: OpenParts) -> None:
    runtime = Watched()
    limit = runtime.manifest.limits.max_output
    async with open_parts(runtime, **COSIGNER) as parts:
        with pytest.raises(OutputTooLarge) as refused:
            await parts.cosigner.cosign(asked(), OPERATOR, bytes(limit + 1))
    assert (refused.value.received, refused.value.limit, runtime.runs) == (limit + 1, limit, 0)


async def test_hubs_of_others(open_parts: OpenParts) -> None:
    async with open_parts(Watched(), hubs=((CHAIN_ID, HUB),), **COSIGNER) as parts:
        await parts.cosigner.cosign(asked(), OPERATOR, b"hello\x01")
        foreign = dataclasses.replace(asked(), chain_id=1)
        with pytest.raises(UnknownHub):
            await parts.cosigner.cosign(foreign, OPERATOR, b"hello\x01")


async def test_a_node_that_was_not_told_to(open_parts: OpenParts) -> None:
    runtime = Watched()
    async with open_parts(runtime, key=OTHER_KEY) as parts:
        with pytest.raises(NotCosigning, match="--cosign"):
            await parts.cosigner.cosign(asked(), OPERATOR, b"hello\x01")
    assert runtime.runs == 0


async def test_a_model_that_gives_nan_vouches_for_nothing(open_parts: OpenParts, tmp_path: Path) -> None:
    path = graphs.logarithm(tmp_path / "log.onnx")
    runtime = OnnxRuntime(
        path, dataclasses.replace(manifest_from_onnx(path, "log"), deterministic=False, tolerance=1e30)
    )
    about = asked(
        encode_tensors(runtime.manifest.inputs, {"x": [[-1.0, 1.0, 1.0]]}), runtime.manifest.model_id
    )
    async with open_parts(runtime, **COSIGNER) as parts:
        with pytest.raises(NotFinite):
            await parts.cosigner.cosign(about, OPERATOR, bytes(96))
