"""The enclave route from end to end: a real node that a development authority attests, a relayer, a chain."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.enclave_world import IMAGE, EnclaveNode, EnclaveWorld, enclave_world, health, says
from tests.e2e.relayer_world import QUICK, ended, until
from tests.support.contract import Contract, creation
from tests.support.terms import FEE
from vouch.chain.transaction import SentTx
from vouch.protocol.enclave import ENCLAVE, Curve
from vouch.protocol.status import Status
from vouch.relayer.config import Limits
from vouch.relayer.job import JobStatus
from vouch.relayer.store import Store
from vouch.runtimes.echo import EchoRuntime
from vouch.web.ports import free_port

HOUR = 3600


async def ask_contract(e: EnclaveWorld) -> tuple[Contract, bytes]:
    """A contract asks, and is called back."""
    asker = e.w.sender(4)
    created = await asker.transact(creation("HostileConsumer", e.w.hub.address))
    consumer = Contract(e.w.rpc, "HostileConsumer", created.contract or "")
    changes = {"route": ENCLAVE, "trust": IMAGE, "callback_gas": 500_000}
    terms = e.w.terms(consumer.address, b"hello", **changes)
    await asker.transact(consumer.call("ask", terms.to_abi(), b"hello", value=FEE))
    return consumer, terms.id(e.w.anvil.chain_id, e.w.hub.address)


@pytest.mark.parametrize("curve", Curve)
async def test_a_request_waits_for_the_key_and_settles_attested(tmp_path: Path, curve: Curve) -> None:
    async with enclave_world(tmp_path) as e, e.node(curve) as node:
        consumer, asked = await ask_contract(e)
        async with e.w.relayer(e.config(node)) as store:
            job = await ended(store, asked, seconds=30)
            assert job.answer is not None
            assert len(job.answer.seal or b"") == (69 if curve == Curve.SECP256K1 else 132)
            assert says(store, asked, f"node {node.url}: enclave key {node.key} is not registered yet")
            assert await consumer.read("calls") == 1
            assert await consumer.read("lastStatus") == Status.SETTLED
            assert (await e.w.hub.assurance_of(asked)).proven
            assert await e.w.router.name_of(ENCLAVE) == "Attested"
            key = await e.key(node)
            assert (key.curve, key.operator, key.image_id) == (curve, e.w.operator, IMAGE)
            # The next one does not wait, and what it takes more than a signature is in its gas limit.
            asked, signed = await e.ask(b"and now?"), await e.w.ask(b"and now?")
            await ended(store, asked)
            await ended(store, signed)
            assert not says(store, asked, "waits")
            (used, limit), (least, low) = [await gas_of(e, store, request) for request in (asked, signed)]
            assert used - least <= limit - low < 3 * (used - least)


async def gas_of(e: EnclaveWorld, store: Store, request: bytes) -> tuple[int, int]:
    """What the transaction that carried a request used, and its limit."""
    (tx,) = store.transactions(request)
    receipt = await e.w.rpc.call("eth_getTransactionReceipt", tx.hash)
    return int(receipt["gasUsed"], 16), SentTx.parse(tx.raw).transaction.gas


async def test_a_key_is_attested_anew_before_it_expires(tmp_path: Path) -> None:
    port = free_port()
    async with enclave_world(tmp_path) as e, e.node() as node:
        async with e.w.relayer(e.config(node, status_port=port)):
            await until(lambda: e.is_in(node), 30)
            first, documents = await e.key(node), node.source.documents
            await until(lambda: reports(port, node, {"expiry": first.expiry}))
            assert (await health(port))["enclaves"][node.url] == {
                "kind": "dev",
                "key": node.key,
                "curve": "secp256k1",
                "imageId": f"0x{IMAGE.hex()}",
                "registered": True,
                "revoked": False,
                "expiry": first.expiry,
                "renewal": first.expiry - round((3 * HOUR + 3) / 4),
                "trouble": "",
            }
            # Some 40 minutes are left: a new document has the same certificates, and is not paid for.
            await e.later(2 * HOUR + 20 * 60)
            await until(lambda: asked_for_document(node, documents + 1))
            assert (len(await e.registrations()), await e.w.fulfilments()) == (1, 1)
            # Some 10 minutes are left: now the authority has made a new leaf.
            await e.later(30 * 60)
            await until(lambda: registered_times(e, 2), 30)
            assert (await e.key(node)).expiry > first.expiry + 2 * HOUR
            # The certificates above the leaf are known, so two signatures are paid for instead of five.
            cold, warm = await e.registrations()
            assert warm < 0.6 * cold
        # What the first relayer knew, the next one reads from the chain.
        async with e.w.relayer(e.config(node, name="another")) as store:
            await ended(store, await e.ask())
            assert (len(await e.registrations()), await e.w.fulfilments()) == (2, 3)


async def reports(port: int, node: EnclaveNode, what: dict[str, object]) -> bool:
    told: dict[str, object] = (await health(port))["enclaves"].get(node.url, {})
    return what.items() <= told.items()


async def registered_times(e: EnclaveWorld, times: int) -> bool:
    return len(await e.registrations()) == times


async def asked_for_document(node: EnclaveNode, times: int) -> bool:
    return node.source.documents >= times


async def test_a_node_that_is_started_again_has_its_new_key_let_in(tmp_path: Path) -> None:
    port = free_port()
    async with enclave_world(tmp_path) as e, AsyncExitStack() as up:
        first = await up.enter_async_context(e.node(port=port))
        # What nodes are is not asked again in this time: the answer tells.
        patience = replace(QUICK, nodes=60.0)
        async with e.w.relayer(e.config(first, patience=patience)) as store:
            await ended(store, await e.ask(), seconds=30)
            await up.aclose()
            async with e.node(port=port) as second:
                asked = await e.ask(b"are you still there?")
                await ended(store, asked, seconds=30)
                assert second.key != first.key
                assert (await e.key(second)).known
                assert says(store, asked, f"enclave key {second.key} is not registered yet")
                assert not says(store, asked, "another seal is needed"), "its seal was not kept"


async def test_an_answer_whose_key_ended_gets_another_seal(tmp_path: Path) -> None:
    port = free_port()
    async with enclave_world(tmp_path) as e:
        async with e.node(port=port) as first:
            await e.register(first)
            async with e.w.relayer(e.config(first, limits=Limits(unconfirmed=0))) as store:
                asked = await e.ask()
                before = await ended(store, asked, JobStatus.ANSWERED)
        await e.revoke(first)
        async with e.node(port=port) as second, e.w.relayer(e.config(second)) as store:
            after = await ended(store, asked, seconds=30)
            assert says(store, asked, "another seal is needed: EnclaveKeyRevoked")
            assert before.answer is not None
            assert after.answer is not None
            assert before.answer.seal != after.answer.seal
            assert replace(before.answer, seal=None, node_ns=0) == replace(after.answer, seal=None, node_ns=0)
            assert len(store.transactions(asked)) == 1, "no gas was spent on the seal that does not count"


class Fickle(EchoRuntime):
    """A model that never gives the same output twice."""

    async def run(self, data: bytes, /) -> bytes:
        return data + secrets.token_bytes(8)


async def test_an_answer_that_no_key_seals_any_more(tmp_path: Path) -> None:
    """The model gave something else inside of the new enclave, so all that there is is the old one's seal."""
    port = free_port()
    async with enclave_world(tmp_path) as e:
        async with e.node(port=port, runtime=Fickle()) as first:
            await e.register(first)
            async with e.w.relayer(e.config(first, limits=Limits(unconfirmed=0))) as store:
                asked = await e.ask()
                await ended(store, asked, JobStatus.ANSWERED)
        await e.revoke(first)
        async with e.node(port=port, runtime=Fickle()) as second:
            await e.register(second)
            async with e.w.relayer(e.config(second)) as store:
                job = await ended(store, asked, JobStatus.FAILED)
                wrong = f"the seal's key is {first.key} (enclave key {first.key} was revoked, "
                assert wrong in job.reason
                assert job.reason.endswith(f"not {second.key}")
                assert await e.w.fulfilments() == 0
