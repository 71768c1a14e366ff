"""Answers on the enclave's route: one claim per request, and keys that seal what their enclave saw."""

import asyncio
import sqlite3
from collections.abc import Awaitable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, Watched, question
from tests.python.node.conftest import OpenParts, StartEnclave
from vouch.node.enclave import Enclave
from vouch.node.enclave_key import EnclaveKind
from vouch.node.errors import NotSealed, OtherImage, UnsupportedRoute
from vouch.node.journal import SignedAnswer
from vouch.node.question import Question
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import ENCLAVE, Curve, P256Seal, Secp256k1Seal, parse_seal
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.runtimes.echo import echo_manifest

MODEL = echo_manifest("watched").model_id


class Steady(Watched):
    """The same output each time."""

    async def run(self, data: bytes, /) -> bytes:
        await super().run(data)
        return data


def asked(enclave: Enclave, **changes: Any) -> Question:
    return question(b"hello", MODEL, **{"route": ENCLAVE, "trust": enclave.image_id} | changes)


def sealed_by(answer: SignedAnswer) -> str:
    """Id of the key whose signature the seal is; for P-256, whose key it names."""
    assert answer.sealed is not None
    parsed = parse_seal(Seal.parse(answer.sealed.seal))
    if isinstance(parsed, P256Seal):
        return parsed.identity.id
    assert isinstance(parsed, Secp256k1Seal)
    return recover_signer(Seal(SIGNED, parsed.signature), answer.claim, CHAIN_ID, HUB)


async def refusal(answering: Awaitable[SignedAnswer]) -> NotSealed:
    with pytest.raises(NotSealed) as refused:
        await answering
    return refused.value


@pytest.mark.parametrize("curve", list(Curve))
async def test_the_enclave_seals_the_claim_that_the_operator_signs(
    open_parts: OpenParts, start_enclave: StartEnclave, curve: Curve
) -> None:
    enclave = await start_enclave(curve)
    about = asked(enclave)
    async with open_parts(Watched(), enclave=enclave) as parts:
        answer = await parts.answers.answer(about)
    assert answer.claim == Claim(about.request_id, MODEL, keccak(b"hello"), keccak(b"hello\x01"), OPERATOR)
    assert recover_signer(Seal(SIGNED, answer.signature), answer.claim, CHAIN_ID, HUB) == OPERATOR
    assert answer.sealed == enclave.seal(answer.claim, CHAIN_ID, HUB)
    assert sealed_by(answer) == enclave.key.identity.id != OPERATOR
    assert answer.sealed.kind == EnclaveKind.DEV


async def test_other_routes_are_answered_without_the_enclave(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    enclave = await start_enclave()
    async with open_parts(Watched(), enclave=enclave) as parts:
        assert (await parts.answers.answer(asked(enclave, route=SIGNED))).sealed is None


async def test_a_node_outside_does_not_take_the_route(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    async with open_parts(Watched()) as parts:
        with pytest.raises(UnsupportedRoute):
            await parts.answers.answer(asked(await start_enclave()))


async def test_terms_that_trust_another_image_are_signed_by_nobody(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    enclave, runtime = await start_enclave(), Watched()
    about = asked(enclave, trust=b"t" * 32)
    async with open_parts(runtime, enclave=enclave) as parts:
        with pytest.raises(OtherImage) as refused:
            await parts.answers.answer(about)
        assert await parts.journal.find(OPERATOR, about.request_id) is None
    assert (refused.value.received, refused.value.expected) == (b"t" * 32, enclave.image_id)
    assert runtime.runs == 0


async def test_asking_again_repeats_the_answer_and_the_seal(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    enclave, runtime = await start_enclave(), Watched()
    async with open_parts(runtime, enclave=enclave) as parts:
        first = await parts.answers.answer(asked(enclave))
        again = await asyncio.gather(*(parts.answers.answer(asked(enclave)) for _ in range(5)))
    assert again == [first] * 5
    assert runtime.runs == 1


async def test_the_key_of_the_next_start_seals_the_same_claim_after_a_run_of_its_own(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    runtime, answers, stored = Steady(), [], []
    enclaves = [await start_enclave() for _ in range(2)]
    keys = [enclave.key.identity.id for enclave in enclaves]
    for enclave in enclaves:
        async with open_parts(runtime, enclave=enclave) as parts:
            answers += [await parts.answers.answer(asked(enclave)) for _ in range(2)]
            stored = list(await parts.journal.find_seals(OPERATOR, answers[-1].claim.request_id))
    assert len({(answer.claim, answer.output, answer.signature) for answer in answers}) == 1
    assert [sealed_by(answer) for answer in answers] == [keys[0], keys[0], keys[1], keys[1]]
    assert [sealed.key for sealed in stored] == keys
    assert runtime.runs == 2


async def test_a_key_whose_run_gives_something_else_seals_nothing_and_does_not_try_again(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    first, later, runtime = await start_enclave(), await start_enclave(), Watched()
    async with open_parts(runtime, enclave=first) as parts:
        answer = await parts.answers.answer(asked(first))
    async with open_parts(runtime, enclave=later) as parts:
        assert [await parts.answers.answer(asked(later)) for _ in range(3)] == [answer] * 3
        assert len(await parts.journal.find_seals(OPERATOR, answer.claim.request_id)) == 1
    assert sealed_by(answer) == first.key.identity.id
    assert runtime.runs == 2


async def test_the_last_earlier_seal_is_the_one_that_is_repeated(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    first, second, third = [await start_enclave() for _ in range(3)]
    for enclave in (first, second):
        async with open_parts(Steady(), enclave=enclave) as parts:
            await parts.answers.answer(asked(first))
    async with open_parts(Watched(), enclave=third) as parts:
        assert sealed_by(await parts.answers.answer(asked(first))) == second.key.identity.id


async def test_an_output_that_was_put_into_the_journal_is_not_sealed(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    """The journal may lie outside: an enclave that believed it would seal whatever somebody writes there."""
    enclave, runtime = await start_enclave(), Steady()
    about = asked(enclave)
    claim = Claim(about.request_id, MODEL, keccak(b"hello"), keccak(b"lie"), OPERATOR)
    async with open_parts(runtime, enclave=enclave) as parts:
        await parts.journal.record(SignedAnswer(claim, b"lie", b"s" * 65), CHAIN_ID, HUB, repeatable=True)
        refused = [await refusal(parts.answers.answer(about)) for _ in range(2)]
    hashes = (keccak(b"lie"), keccak(b"hello"))
    assert [(error.received, error.expected) for error in refused] == [hashes] * 2
    assert runtime.runs == 1


async def test_a_claim_about_another_model_in_the_journal_is_not_sealed(
    open_parts: OpenParts, start_enclave: StartEnclave, tmp_path: Path
) -> None:
    first, later = await start_enclave(), await start_enclave()
    async with open_parts(Steady(), enclave=first) as parts:
        answer = await parts.answers.answer(asked(first))
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as db:
        db.execute("UPDATE claims SET model_id = ?", (b"x" * 32,))
    async with open_parts(Steady(), enclave=later) as parts:
        assert (await parts.answers.answer(asked(later))).sealed == answer.sealed


async def test_two_enclaves_with_one_journal_answer_once(
    open_parts: OpenParts, start_enclave: StartEnclave
) -> None:
    enclaves, runtimes = [await start_enclave() for _ in range(2)], [Watched(), Watched()]
    # Whoever is second to finish gives another output.
    runtimes[1].runs = 1
    for runtime in runtimes:
        runtime.go.clear()
    async with (
        open_parts(runtimes[0], enclave=enclaves[0]) as one,
        open_parts(runtimes[1], enclave=enclaves[1]) as two,
    ):
        asking = [asyncio.create_task(parts.answers.answer(asked(enclaves[0]))) for parts in (one, two)]
        for runtime in runtimes:
            await runtime.begun.acquire()
        runtimes[0].go.set()
        first = await asking[0]
        runtimes[1].go.set()
        second = await asking[1]
        assert await two.answers.answer(asked(enclaves[0])) == first
    assert first == second
    assert sealed_by(first) == enclaves[0].key.identity.id
    assert [runtime.runs for runtime in runtimes] == [1, 2]
