"""What is in a key's way is named, costs no gas, and is over as soon as it is put right."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.enclave_world import (
    IMAGE,
    EnclaveNode,
    EnclaveWorld,
    enclave_world,
    health,
    says,
)
from tests.e2e.relayer_world import ended, until
from vouch.attestation.dev import DevAuthority
from vouch.attestation.document import parse
from vouch.chain.enclave import NitroAttestation
from vouch.chain.fees import FeePolicy
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Fees
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED
from vouch.relayer.job import JobStatus, TxKind
from vouch.relayer.store import Store
from vouch.web.ports import free_port

HOUR = 3600


def waits(store: Store, request: bytes, text: str) -> Callable[[], Awaitable[bool]]:
    async def now() -> bool:
        return says(store, request, text)

    return now


def in_trouble(port: int, node: EnclaveNode, text: str) -> Callable[[], Awaitable[bool]]:
    """The status server says so, and that all is not well."""

    async def now() -> bool:
        told = await health(port)
        trouble: str = told["enclaves"].get(node.url, {}).get("trouble", "")
        return text in trouble and not told["ok"]

    return now


async def test_a_revoked_key_says_that_the_node_has_to_be_started_again(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    async with enclave_world(tmp_path) as e, AsyncExitStack() as up:
        first = await up.enter_async_context(e.node(port=ports[0]))
        await e.register(first)
        async with e.w.relayer(e.config(first, status_port=ports[1])) as store:
            await ended(store, await e.ask())
            await e.revoke(first)
            await until(in_trouble(ports[1], first, "was revoked, and never counts again: restart the node"))
            asked = await e.ask(b"and now?")
            await until(waits(store, asked, "was revoked, and never counts again: restart the node"))
            assert (await health(ports[1]))["enclaves"][first.url]["revoked"]
            await up.aclose()
            async with e.node(port=ports[0]):
                await ended(store, asked, seconds=30)
                assert (await health(ports[1]))["ok"]


@pytest.mark.parametrize(
    ("changes", "asked", "why"),
    [
        (
            {},
            {"trust": b"\1" * 32},
            f"UntrustedImage: the terms trust the image 0x{'01' * 32}, our nodes run 0x",
        ),
        ({"enclaves": None}, {}, "NoEnclaveKeys: this deployment has no contract"),
    ],
)
async def test_what_no_key_could_settle_is_refused(
    tmp_path: Path, changes: dict[str, Any], asked: dict[str, Any], why: str
) -> None:
    async with enclave_world(tmp_path) as e, e.node() as node:
        config = e.w.config(node.url) if "enclaves" in changes else e.config(node)
        async with e.w.relayer(config) as store:
            job = await ended(store, await e.ask(**asked), JobStatus.REFUSED)
            assert job.reason.startswith(why)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("authority", "of no use: WrongRoot: "),
        ("pcr0", "of no use: DebugImage: its PCRs are zero, so start the enclave without --debug-mode"),
        ("clock", "s old, at most 900 s are accepted: is the enclave's clock right?"),
    ],
)
async def test_a_document_that_is_no_use_costs_no_gas(tmp_path: Path, change: str, why: str) -> None:
    port = free_port()
    started: dict[str, Any] = {}
    if change == "authority":
        DevAuthority.create(folder=tmp_path / "other")
        started = {"authority": tmp_path / "other"}
    if change == "pcr0":
        started = {"pcr0": bytes(48)}
    async with enclave_world(tmp_path) as e:
        if change == "clock":
            e.ahead = -1_000
        async with e.node(**started) as node, e.w.relayer(e.config(node, status_port=port)) as store:
            asked = await e.ask(trust=node.enclave.image_id)
            await until(in_trouble(port, node, why))
            await until(waits(store, asked, why))
            assert await e.w.fulfilments() == 0
            if change == "clock":
                e.ahead = 0
                await ended(store, asked, seconds=30)
                assert (await health(port))["ok"]


async def test_without_registration_somebody_else_has_to_do_it(tmp_path: Path) -> None:
    port = free_port()
    async with enclave_world(tmp_path) as e, e.node() as node:
        config = e.config(node, enclaves={"register": False}, status_port=port)
        async with e.w.relayer(config) as store:
            asked = await e.ask()
            await until(waits(store, asked, "is not registered yet (its document is not sent from here"))
            await e.register(node)
            await ended(store, asked)
            assert await e.w.fulfilments() == 1
            await e.later(3 * HOUR)
            late = await ended(store, await e.ask(b"too late?"), JobStatus.REFUSED)
            assert late.reason.startswith(
                f"EnclaveKeyExpires: node {node.url}: enclave key {node.key} expired"
            )
            assert node.source.documents == 2, "the node's start and the registration by hand"
            await until(in_trouble(port, node, f"enclave key {node.key} expired at "))


async def test_a_registration_that_is_under_way_survives_a_restart(tmp_path: Path) -> None:
    async with enclave_world(tmp_path) as e, e.node() as node:
        asked = await e.ask()
        await e.w.rpc.call("evm_setAutomine", False)
        async with e.w.relayer(e.config(node)) as store:
            await until(lambda: pending(store), 30)
        documents = node.source.documents
        async with e.w.relayer(e.config(node)) as store:
            seen = len(store.steps(asked))
            await until(lambda: more(store, asked, seen + 5))
            await e.w.rpc.call("evm_setAutomine", True)
            await e.w.rpc.call("evm_mine")
            await ended(store, asked, seconds=30)
            assert node.source.documents == documents, "nobody asked for another one"
            assert (len(await e.registrations()), await e.w.fulfilments()) == (1, 2)


async def more(store: Store, request: bytes, steps: int) -> bool:
    return len(store.steps(request)) >= steps


async def pending(store: Store) -> bool:
    return [tx.kind for tx in store.pending()] == [TxKind.REGISTER]


async def test_a_registration_that_was_taken_back_is_sent_again(tmp_path: Path) -> None:
    async with enclave_world(tmp_path) as e, e.node() as node, e.w.relayer(e.config(node)) as store:
        await until(lambda: closed(e, node, store), 30)
        await e.w.rpc.call("anvil_reorg", 1, [])
        assert not await e.is_in(node)
        await until(lambda: e.is_in(node))
        await ended(store, await e.ask())
        assert node.source.documents == 2, "the same bytes did"


async def closed(e: EnclaveWorld, node: EnclaveNode, store: Store) -> bool:
    return await e.is_in(node) and not store.pending()


async def test_a_document_younger_than_the_newest_block(tmp_path: Path) -> None:
    """A chain that makes no blocks: on its newest one the document's certificate does not count yet."""
    async with enclave_world(tmp_path) as e:
        await asyncio.sleep(4.5)  # leaves begin three seconds before they are made
        async with e.node() as node, e.w.relayer(e.config(node)):
            await until(lambda: e.is_in(node), 30)


async def test_too_dear_a_registration_holds_nothing_else_up(tmp_path: Path) -> None:
    port = free_port()
    async with enclave_world(tmp_path) as e, e.node() as node:
        await e.w.rpc.call("anvil_setBalance", e.w.anvil.accounts[2].address, hex(2 * 10**15))
        async with e.w.relayer(e.config(node, status_port=port)) as store:
            asked = await e.ask()
            await until(in_trouble(port, node, "cannot pay for this transaction"), 30)
            await ended(store, await e.w.ask(route=SIGNED))
            assert store.status(asked) is JobStatus.SEEN
            await e.w.rpc.call("anvil_setBalance", e.w.anvil.accounts[2].address, hex(10**18))
            await ended(store, asked, seconds=30)


async def test_a_registration_that_reverts_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The guard is a moment faster, and revokes the leaf."""
    async with enclave_world(tmp_path) as e, e.node() as node:
        nitro = NitroAttestation(e.w.rpc, e.w.deployment.enclaves["NitroAttestation"])
        document = parse(await node.source.attest(public_key=b"any", user_data=b"", nonce=b""))
        await e.w.rpc.call("evm_setAutomine", False)
        async with e.w.relayer(e.config(node)) as store:
            await until(lambda: pending(store), 30)
            (registration,) = store.pending()
            guard = TxSender(e.w.rpc, e.w.anvil.accounts[0], fees=Dear(e.w.rpc))
            await guard.send(nitro.revoke_certificate(keccak(document.certificates[-1])))
            await e.w.rpc.call("evm_mine")
            await until(lambda: logged(caplog, f"transaction 0x{registration.hash.hex()} reverted"))
            await until(lambda: logged(caplog, "CertificateIsRevoked(index=4"), 30)
            assert await e.w.fulfilments() == 1


async def logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return any(text in record.getMessage() for record in caplog.records)


class Dear(FeePolicy):
    """More than anybody else pays."""

    async def current(self) -> Fees:
        usual = await super().current()
        return Fees(3 * usual.max_fee, 2 * usual.max_fee)


async def test_what_others_deliver_of_ours_is_proven_with_a_key_that_counts(tmp_path: Path) -> None:
    port = free_port()
    async with enclave_world(tmp_path) as e, AsyncExitStack() as up:
        node = await up.enter_async_context(e.node(port=port))
        terms = e.w.terms(e.w.sender(4).address, b"hello", route=ENCLAVE, trust=IMAGE, prove_within=300)
        await e.w.sender(4).transact(e.w.hub.request(terms, b"hello"))
        question = {"chainId": e.w.anvil.chain_id, "hub": e.w.hub.address}
        question |= {"terms": to_hex(bytes(terms)), "input": to_hex(b"hello")}
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{node.url}/vouch/v1/answers", json=question) as reply:
                answer = await reply.json()
        output, signature = to_bytes(answer["output"]), to_bytes(answer["signature"])
        await e.w.sender(5).transact(e.w.hub.deliver(terms, e.w.operator, output, signature))
        asked = terms.id(e.w.anvil.chain_id, e.w.hub.address)
        async with e.w.relayer(e.config(node, enclaves={"register": False})) as store:
            await until(waits(store, asked, "stake at risk: settle: UnknownEnclaveKey"))
            await up.aclose()
            async with e.node(port=port) as second:
                await e.register(second)
                await ended(store, asked, seconds=30)
            assert [tx.kind for tx in store.transactions(asked)] == [TxKind.SETTLE]
