import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, OTHER, Watched, question
from tests.python.node.conftest import OpenParts
from vouch.node.answers import Answers
from vouch.node.errors import (
    InputMismatch,
    InputTooLarge,
    NoOperatorKey,
    OtherOperator,
    OutputTooLarge,
    UnknownHub,
    UnknownModel,
    UnsupportedRoute,
)
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Limits
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import ANYONE
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.runtimes.base import RuntimeUnavailable
from vouch.runtimes.echo import echo_manifest

Open = Callable[..., AbstractAsyncContextManager[Answers]]
MODEL = echo_manifest("watched").model_id


@pytest.fixture
def opened(open_parts: OpenParts) -> Open:
    @asynccontextmanager
    async def opened(runtime: Watched, **config: Any) -> AsyncIterator[Answers]:
        async with open_parts(runtime, **config) as parts:
            yield parts.answers

    return opened


async def test_claim_names_everything_and_the_seal_proves_it(opened: Open) -> None:
    asked = question(b"hello", MODEL)
    async with opened(Watched()) as answers:
        signed = await answers.answer(asked)
    claim = signed.claim
    assert signed.output == b"hello\x01"
    assert claim.request_id == asked.terms.id(CHAIN_ID, HUB)
    assert (claim.model_id, claim.input_hash) == (MODEL, keccak(b"hello"))
    assert (claim.output_hash, claim.operator) == (keccak(signed.output), OPERATOR)
    assert recover_signer(Seal(SIGNED, signed.signature), claim, CHAIN_ID, HUB) == OPERATOR


async def test_the_quorum_route_is_answered_with_the_same_kind_of_signature(opened: Open) -> None:
    async with opened(Watched()) as answers:
        signed = await answers.answer(question(b"hello", MODEL, route=QUORUM))
    assert recover_signer(Seal(SIGNED, signed.signature), signed.claim, CHAIN_ID, HUB) == OPERATOR


async def test_terms_for_anyone_are_answered(opened: Open) -> None:
    async with opened(Watched()) as answers:
        signed = await answers.answer(question(b"hello", MODEL, operator=ANYONE))
    assert signed.claim.operator == OPERATOR


async def test_asking_again_repeats_the_answer_without_a_run(opened: Open) -> None:
    runtime = Watched()
    async with opened(runtime) as answers:
        first = await answers.answer(question(b"hello", MODEL))
        assert await answers.answer(question(b"hello", MODEL)) == first
    async with opened(runtime) as answers:
        assert await answers.answer(question(b"hello", MODEL)) == first
    assert runtime.runs == 1


async def test_other_requests_hubs_and_chains_are_other_claims(opened: Open) -> None:
    runtime = Watched()
    asked = question(b"hello", MODEL)
    async with opened(runtime) as answers:
        made = [
            await answers.answer(asked),
            await answers.answer(question(b"hello", MODEL, salt=2)),
            await answers.answer(dataclasses.replace(asked, chain_id=1)),
            await answers.answer(dataclasses.replace(asked, hub=OTHER)),
        ]
    assert len({signed.claim.request_id for signed in made}) == 4
    assert runtime.runs == 4


async def test_those_who_ask_at_once_share_one_run(opened: Open) -> None:
    runtime = Watched()
    runtime.go.clear()
    async with opened(runtime) as answers:
        asking = [asyncio.create_task(answers.answer(question(b"hello", MODEL))) for _ in range(10)]
        await runtime.begun.acquire()
        runtime.go.set()
        assert len(set(await asyncio.gather(*asking))) == 1
    assert runtime.runs == 1


async def test_client_that_goes_away_takes_nothing_from_the_others(opened: Open) -> None:
    runtime = Watched()
    runtime.go.clear()
    async with opened(runtime) as answers:
        gone, stays = (asyncio.create_task(answers.answer(question(b"hello", MODEL))) for _ in range(2))
        await runtime.begun.acquire()
        gone.cancel()
        runtime.go.set()
        assert (await stays).output == b"hello\x01"
        with pytest.raises(asyncio.CancelledError):
            await gone


async def test_work_without_a_client_is_still_stored(opened: Open) -> None:
    runtime = Watched()
    runtime.go.clear()
    async with opened(runtime) as answers:
        gone = asyncio.create_task(answers.answer(question(b"hello", MODEL)))
        await runtime.begun.acquire()
        gone.cancel()
        runtime.go.set()
    async with opened(runtime) as answers:
        assert (await answers.answer(question(b"hello", MODEL))).output == b"hello\x01"
    assert runtime.runs == 1


async def test_failure_reaches_all_who_wait_and_is_not_stored(opened: Open) -> None:
    runtime = Watched()
    runtime.failure = RuntimeUnavailable("watched", "down")
    async with opened(runtime) as answers:
        outcomes = await asyncio.gather(
            *(answers.answer(question(b"hello", MODEL)) for _ in range(3)), return_exceptions=True
        )
        assert outcomes == [runtime.failure] * 3
        assert runtime.runs == 1
        runtime.failure = None
        assert (await answers.answer(question(b"hello", MODEL))).output == b"hello\x02"


async def test_defect_of_a_runtime_fails_its_question_only(opened: Open) -> None:
    runtime = Watched()
    runtime.failure = ZeroDivisionError()
    async with opened(runtime) as answers:
        with pytest.raises(ZeroDivisionError):
            await answers.answer(question(b"hello", MODEL))
        runtime.failure = None
        assert (await answers.answer(question(b"hello", MODEL))).output == b"hello\x02"


async def test_shutdown_does_not_wait_for_ever(opened: Open) -> None:
    runtime = Watched()
    runtime.go.clear()
    async with asyncio.timeout(30):
        async with opened(runtime, shutdown_seconds=0.05) as answers:
            asking = asyncio.create_task(answers.answer(question(b"hello", MODEL)))
            await runtime.begun.acquire()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize(
    ("changes", "error", "values"),
    [
        ({"operator": OTHER}, OtherOperator, (OTHER, OPERATOR)),
        ({"route": b"NITR"}, UnsupportedRoute, (b"NITR", (b"SIGN", b"QRUM"))),
        ({"input_hash": b"x" * 32}, InputMismatch, (keccak(b"hello"), b"x" * 32)),
        ({"model_id": b"m" * 32}, UnknownModel, ("0x" + "6d" * 32, [f"0x{MODEL.hex()}"])),
    ],
)
async def test_wrong_terms(
    opened: Open, changes: dict[str, Any], error: type[VouchError], values: tuple[Any, ...]
) -> None:
    runtime = Watched()
    async with opened(runtime) as answers:
        with pytest.raises(error) as refused:
            await answers.answer(question(b"hello", MODEL, **changes))
    assert tuple(vars(refused.value).values()) == values
    assert runtime.runs == 0


async def test_input_that_is_too_large(opened: Open) -> None:
    async with opened(Watched(), max_input_bytes=4) as answers:
        await answers.answer(question(b"1234", MODEL))
        with pytest.raises(InputTooLarge) as refused:
            await answers.answer(question(b"12345", MODEL))
    assert (refused.value.received, refused.value.limit) == (5, 4)


async def test_output_that_is_too_large_is_never_signed(opened: Open) -> None:
    manifest = dataclasses.replace(echo_manifest("watched"), limits=Limits(4))
    runtime = Watched(manifest)
    async with opened(runtime) as answers:
        await answers.answer(question(b"123", manifest.model_id))
        for _ in range(2):
            with pytest.raises(OutputTooLarge) as refused:
                await answers.answer(question(b"1234", manifest.model_id))
            assert (refused.value.received, refused.value.limit) == (5, 4)
    assert runtime.runs == 3


async def test_node_without_a_key(opened: Open) -> None:
    async with opened(Watched(), key=None) as answers:
        with pytest.raises(NoOperatorKey):
            await answers.answer(question(b"hello", MODEL))


async def test_node_that_signs_for_certain_hubs_only(opened: Open) -> None:
    async with opened(Watched(), hubs=((CHAIN_ID, HUB),)) as answers:
        asked = question(b"hello", MODEL)
        await answers.answer(asked)
        for foreign in (dataclasses.replace(asked, chain_id=1), dataclasses.replace(asked, hub=OTHER)):
            with pytest.raises(UnknownHub):
                await answers.answer(foreign)
