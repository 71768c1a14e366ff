"""From a document to a transaction: what is wrong with a document is named here, and nothing is sent."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.python.relayer import attesting
from tests.python.relayer.attesting import DEPTH, IMAGE, Bench
from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.node.enclave import DEV_PCRS
from vouch.node.enclave_key import make_key
from vouch.protocol.enclave import Curve, user_data
from vouch.relayer.errors import NothingNew, UselessDocument, WrongNodeAnswer

OTHER = make_key(Curve.P256).identity
STRANGER = "0x00000000000000000000000000000000000000EE"


@pytest_asyncio.fixture(loop_scope="session")
async def bench(
    rpc: Rpc,
    deployment: Deployment,
    accounts: tuple[LocalKey, ...],
    sender_of: Callable[[LocalKey], TxSender],
) -> AsyncIterator[Bench]:
    async with attesting.bench(rpc, deployment, accounts, sender_of) as made:
        yield made


async def test_a_good_document_lets_the_key_in(bench: Bench) -> None:
    evidence = await bench.evidence()
    assert evidence.life == 3 * 3600 + 3
    head = int(await bench.keys.rpc.call("eth_blockNumber"), 16)
    assert bench.source.asked["blockNumber"] == head - DEPTH, "a small fork leaves it where it is"
    await bench.send(evidence)
    key = await bench.keys.key_of(bench.source.key.id)
    assert (key.image_id, key.operator, key.expiry) == (IMAGE, bench.source.operator, evidence.expiry)


async def test_the_same_certificates_again_are_not_paid_for(bench: Bench) -> None:
    key = await bench.register()
    with pytest.raises(NothingNew) as same:
        await bench.evidence()
    assert (same.value.expiry, same.value.life) == (key.expiry, 3 * 3600 + 3)


async def test_certificates_that_are_verified_take_no_hints(bench: Bench) -> None:
    cold = await bench.evidence()
    await bench.send(cold)
    # A leaf that ends later; all above it is known.
    bench.source.late = -2 * 3600 - 3000
    known, later = await bench.keys.key_of(bench.source.key.id), bench.now() - bench.source.late
    warm = await bench.registrar.evidence(bench.nodes[0], bench.source.info, known, later)
    assert len(warm.call.data) < len(cold.call.data) * 0.6


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"public_key": OTHER.spki}, "the document's key"),
        ({"user_data": user_data(1, STRANGER, STRANGER)}, "the document's user data"),
        ({"user_data": b""}, "the document's user data"),
        ({"user_data": None}, "the document's user data"),
        ({"nonce": bytes(40)}, "the document's nonce"),
        ({"nonce": None}, "the document's nonce"),
        ({"pcrs": DEV_PCRS | {2: b"\1" * 48}}, "the document's image id"),
        ({"pcrs": DEV_PCRS | {2: b"\1" * 32}}, "the document's image id"),
    ],
)
async def test_a_document_about_something_else(bench: Bench, changes: dict[str, Any], field: str) -> None:
    bench.source.changes = changes
    with pytest.raises(WrongNodeAnswer) as wrong:
        await bench.evidence()
    assert wrong.value.field == field


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"raw": b"\xd2\x84"}, "Truncated: "),
        ({"changes": {"public_key": b"\1" * 88}}, "NotAKey: "),
        ({"changes": {"public_key": None}}, "NotAKey: "),
        ({"changes": {"pcrs": {}}}, "DebugImage: "),
        ({"late": 1_000}, "NotFresh: it is 100. s old, at most 900 s are accepted"),
        ({"late": -100}, "CertificateNotYetValid: "),
    ],
)
async def test_a_document_of_no_use(bench: Bench, change: dict[str, Any], why: str) -> None:
    for name, value in change.items():
        setattr(bench.source, name, value)
    with pytest.raises(UselessDocument, match=f"of no use: {why}"):
        await bench.evidence()


async def test_a_signature_that_is_not_the_leafs(bench: Bench) -> None:
    bench.source.spoil = True
    with pytest.raises(UselessDocument, match="of no use: WrongSignature: "):
        await bench.evidence()
