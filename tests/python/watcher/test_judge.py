"""Comparing with our own run, and what happens when there is none."""

import asyncio
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vouch.protocol.codec import decode_tensors, encode_tensors
from vouch.protocol.manifest import Artefact, Limits, Manifest, TensorSpec
from vouch.runtimes.base import RuntimeUnavailable
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.echo import EchoRuntime
from vouch.runtimes.onnx import OnnxRuntime
from vouch.watcher.errors import CannotJudge, NotNow
from vouch.watcher.finding import Kind
from vouch.watcher.judge import Judge, compare
from vouch.watcher.shelf import Shelf

TEXT = Manifest("echo", "text", Artefact("echo"), Limits(100))
MIXED = Manifest(
    "mixed",
    "tensor",
    Artefact("onnx", "0" * 64, 1),
    Limits(1000),
    inputs=(TensorSpec("x", "FP32", (1,)),),
    outputs=(TensorSpec("p", "FP64", (2,)), TensorSpec("label", "INT64", (1,), 0)),
)


def mixed(p: tuple[float, float], label: int) -> bytes:
    return encode_tensors(MIXED.outputs, {"p": np.array(p), "label": np.array([label])})


OURS = mixed((0.5, 1000.0), 3)


@pytest.mark.parametrize(
    ("theirs", "kind"),
    [
        (OURS, Kind.SAME),
        (mixed((0.5 + 1e-5, 1000.0), 3), Kind.CLOSE),
        (mixed((0.5, 1000.0 + 9e-3), 3), Kind.CLOSE),  # a part of the element
        (mixed((0.5 + 2e-5, 1000.0), 3), Kind.DIFFERENT),
        (mixed((0.5, 1000.0 + 2e-2), 3), Kind.DIFFERENT),
        (mixed((0.5, 1000.0), 4), Kind.DIFFERENT),  # whole numbers do not round
        (OURS[:-1], Kind.DIFFERENT),
        (OURS * 2, Kind.DIFFERENT),
        (b"", Kind.DIFFERENT),
    ],
)
def test_tensors(theirs: bytes, kind: Kind) -> None:
    assert compare(MIXED, OURS, theirs, 1e-5).kind is kind


def test_without_slack_every_bit_counts() -> None:
    assert compare(MIXED, OURS, mixed((0.5 + 1e-17, 1000.0), 3), 0.0).kind is Kind.SAME  # no other word
    assert compare(MIXED, OURS, mixed((0.5 + 1e-15, 1000.0), 3), 0.0).kind is Kind.DIFFERENT


def test_without_slack_a_word_counts_that_is_the_same_float() -> None:
    theirs = OURS[:63] + bytes([OURS[63] + 1]) + OURS[64:]
    assert decode_tensors(MIXED.outputs, theirs)["p"][1] == 1000.0
    assert compare(MIXED, OURS, theirs, 0.0).kind is Kind.DIFFERENT
    assert compare(MIXED, OURS, theirs, 1e-17).kind is Kind.CLOSE


@pytest.mark.parametrize("slack", [0.0, 1e-5, 1.0])
def test_slack_is_not_added_to_a_tolerance(slack: float) -> None:
    tight = replace(MIXED, deterministic=False, tolerance=1e-6)
    assert compare(tight, OURS, mixed((0.5 + 9e-7, 1000.0), 3), slack).kind is Kind.SAME
    assert compare(tight, OURS, mixed((0.5 + 2e-6, 1000.0), 3), slack).kind is Kind.DIFFERENT
    assert compare(tight, OURS, mixed((0.5, 1000.0 + 2e-6), 3), slack).kind is Kind.DIFFERENT


def test_a_tolerance_is_the_manifests_own() -> None:
    loose = replace(MIXED, deterministic=False, tolerance=0.25)
    assert compare(loose, OURS, mixed((0.75, 1000.0), 3), 0.0).kind is Kind.SAME
    assert compare(loose, OURS, mixed((0.76, 1000.0), 3), 0.0).kind is Kind.DIFFERENT


def test_text_has_no_slack() -> None:
    assert compare(TEXT, b"yes", b"yes", 1.0).kind is Kind.SAME
    assert compare(TEXT, b"yes", b"yes.", 1.0).kind is Kind.DIFFERENT


class Shelves(Shelf):
    """A shelf with one runtime, or one that is in trouble."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime

    async def runtime(self, model_id: bytes) -> Any:
        assert model_id == b"m"
        if isinstance(self._runtime, Exception):
            raise self._runtime
        return self._runtime


async def verdict(runtime: Any, given: bytes = b"in", theirs: bytes = b"in", limit: float = 5.0) -> Any:
    return await Judge(Shelves(runtime), 0.0, limit).judge(b"m", given, theirs)


async def test_the_model_is_run_on_the_input() -> None:
    assert (await verdict(EchoRuntime(TEXT))).kind is Kind.SAME
    assert (await verdict(EchoRuntime(TEXT), theirs=b"out")).kind is Kind.DIFFERENT


async def test_an_input_that_the_model_refuses_gives_no_verdict() -> None:
    path = Path(str(files("vouch").joinpath("models", "risk.onnx")))
    runtime = OnnxRuntime(path, manifest_from_onnx(path, "risk"))
    found = await verdict(runtime, given=b"not whole words")
    assert found.kind is Kind.UNJUDGED
    assert found.why.startswith("our own run failed: 15 bytes are not whole 32-byte words")


class Breaking(EchoRuntime):
    """A runtime that raises, sleeps, or answers in another codec."""

    def __init__(self, manifest: Manifest, how: Exception | float | bytes) -> None:
        super().__init__(manifest)
        self._how = how

    async def run(self, data: bytes, /) -> bytes:
        match self._how:
            case Exception():
                raise self._how
            case bytes():
                return self._how
            case seconds:
                await asyncio.sleep(seconds)
        return data


async def test_what_may_work_later_is_no_verdict_yet() -> None:
    with pytest.raises(NotNow, match="server down"):
        await verdict(Breaking(TEXT, RuntimeUnavailable("echo", "server down")))
    with pytest.raises(NotNow, match=r"the model took more than 0\.01 s"):
        await verdict(Breaking(TEXT, 5.0), limit=0.01)


async def test_a_run_that_breaks_in_an_unforeseen_way_is_no_verdict_and_no_end() -> None:
    found = await verdict(Breaking(TEXT, MemoryError("too much\x1b")))
    assert found.kind is Kind.UNJUDGED
    assert found.why == "our own run failed: MemoryError: too much\ufffd"


async def test_an_output_of_ours_that_is_none_is_no_reason_to_call_theirs_a_lie() -> None:
    found = await verdict(Breaking(MIXED, OURS[:-1]), theirs=OURS)
    assert found.kind is Kind.UNJUDGED


async def test_a_model_that_is_not_ours_gives_no_verdict() -> None:
    found = await verdict(CannotJudge("we have no copy"))
    assert (found.kind, found.why) == (Kind.UNJUDGED, "we have no copy")
