"""What `vouch attest register` finds wrong before it costs anything is what the contracts would refuse."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.python.cli.attesting import IMAGE, Machine, machine
from vouch.attestation.deploy import deploy_enclaves
from vouch.attestation.dev import DevAuthority
from vouch.attestation.document import Document
from vouch.attestation.evidence import hints
from vouch.chain.deployment import Deployment
from vouch.chain.hexes import to_bytes
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.cli.enclave_chain import (
    DEPTH,
    EnclaveChain,
    NoEnclaveRoute,
    NotAccepted,
    enclave_chain,
    enclaves_of,
)
from vouch.node.enclave import DEV_PCRS
from vouch.node.enclave_key import make_key
from vouch.protocol.enclave import Curve, NotAKey, WrongNonce, WrongUserData, nonce, user_data
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak


@dataclass
class Desk:
    """A chain that trusts the machine's authority; account 0 is guard, and the operator of the documents."""

    chain: EnclaveChain
    sender: TxSender
    made: Machine

    async def bound(self, **changes: Any) -> Document:
        """What the chain would take, unless something is changed."""
        named = await self.chain.recent_block()
        fields: dict[str, Any] = {
            "user_data": user_data(
                self.chain.deployment.chain_id, self.chain.keys.address, self.sender.address
            ),
            "nonce": nonce(named.block_number, named.block_hash),
        }
        return self.made.document(**fields | changes)

    async def register(self, document: Document) -> None:
        """As it is, whatever `check` says. Certificates that are known get no hints."""
        done = await self.chain.verified([*map(_hash, document.certificates)])
        call = self.chain.keys.register(document.raw, hints(document, skip=done))
        gas = await self.chain.gas(call, self.sender.address)
        await self.sender.transact(call, gas=gas, simulate=False)


def _hash(der: bytes) -> bytes:
    return keccak(der)


async def now(rpc: Rpc) -> int:
    """Unix seconds of the next block."""
    return int((await rpc.call("eth_getBlockByNumber", "pending", False))["timestamp"], 16)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(rpc: Rpc, sender: TxSender, deployment: Deployment) -> Desk:
    made = machine(at=await now(rpc))
    named = replace(deployment, name="vouch-dev")
    chain = enclaves_of(rpc, await deploy_enclaves(rpc, sender, named, root=made.authority.fingerprint))
    return Desk(chain, sender, made)


async def both_refuse(desk: Desk, document: Document, name: str, error: type[VouchError]) -> VouchError:
    """`check` by this name, and so do the contracts."""
    with pytest.raises(error) as caught:
        await desk.chain.check(document)
    assert getattr(caught.value, "name", type(caught.value).__name__) == name
    with pytest.raises(Reverted) as reverted:
        await desk.register(document)
    assert reverted.value.error.name == name
    return caught.value


async def test_a_good_document_is_taken_by_both(desk: Desk) -> None:
    document = await desk.bound()
    checked = await desk.chain.check(document)
    assert (checked.key, checked.known.known, checked.changes) == (desk.made.key.identity, False, True)
    assert await desk.chain.verified(checked.attestation.certificates) == 0
    await desk.register(document)
    known = await desk.chain.keys.key_of(checked.key.id)
    assert (known.image_id, known.operator, known.expiry) == (
        IMAGE,
        desk.sender.address,
        checked.attestation.expiry,
    )
    again = await desk.chain.check(document)
    assert (again.known, again.changes) == (known, False)
    assert await desk.chain.verified(checked.attestation.certificates) == 4


async def test_content_that_lets_no_key_in(desk: Desk) -> None:
    await desk.register(await desk.bound())
    chain_id, keys, me = desk.chain.deployment.chain_id, desk.chain.keys.address, desk.sender.address
    fresh = await desk.chain.recent_block()
    number, block_hash = fresh.block_number, fresh.block_hash
    other = make_key(Curve.P256).identity.spki
    for name, error, changes in (
        ("DebugImage", NotAccepted, {"pcrs": {}}),
        ("PcrMissing", NotAccepted, {"pcrs": DEV_PCRS | {2: bytes(64)}}),
        ("NotAKey", NotAKey, {"public_key": other[:-1]}),
        ("NotAKey", NotAKey, {"public_key": None}),
        ("WrongUserData", WrongUserData, {"user_data": user_data(chain_id, keys, me)[:-1]}),
        ("WrongUserData", WrongUserData, {"user_data": None}),
        ("WrongChain", NotAccepted, {"user_data": user_data(chain_id + 1, keys, me)}),
        ("WrongContract", NotAccepted, {"user_data": user_data(chain_id, me, me)}),
        ("WrongNonce", WrongNonce, {"nonce": nonce(number, block_hash)[:-1]}),
        ("WrongNonce", WrongNonce, {"nonce": None}),
        ("UnknownBlock", NotAccepted, {"nonce": nonce(number, b"\x01" * 32)}),
        ("UnknownBlock", NotAccepted, {"nonce": nonce(number + 1_000, block_hash)}),
        ("KeyTaken", NotAccepted, {"user_data": user_data(chain_id, keys, "0x" + "99" * 20)}),
        ("KeyTaken", NotAccepted, {"pcrs": DEV_PCRS | {0: b"\x01" * 48}}),
    ):
        await both_refuse(desk, await desk.bound(**changes), name, error)


async def test_a_document_of_another_root(desk: Desk) -> None:
    stranger = Machine(DevAuthority.create(), desk.made.at)
    desk.made = stranger
    await both_refuse(desk, await desk.bound(), "WrongRoot", VouchError)


async def test_too_old(desk: Desk) -> None:
    await desk.register(await desk.bound())
    document = await desk.bound(at_ms=1000 * (desk.made.at - 3))
    await desk.chain.check(document)
    await desk.chain.rpc.call("evm_increaseTime", 905)
    await desk.chain.rpc.call("evm_mine")
    refused = await both_refuse(desk, document, "NotFresh", NotAccepted)
    assert "900 s are the most: fetch a new one" in str(refused)
    await desk.chain.rpc.call("evm_increaseTime", 4 * 3600)
    await desk.chain.rpc.call("evm_mine")
    await both_refuse(desk, document, "CertificateExpired", VouchError)


async def test_a_block_that_no_chain_remembers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vouch.cli.enclave_chain.REMEMBERED", 10)
    document = await desk.bound()
    behind = 1 + DEPTH
    await desk.chain.rpc.call("anvil_mine", hex(10 - behind), hex(0))
    await desk.chain.check(document)
    await desk.chain.rpc.call("evm_mine")
    with pytest.raises(NotAccepted, match="UnknownBlock: its block is 11 blocks back"):
        await desk.chain.check(document)


async def test_revoked(desk: Desk) -> None:
    document = await desk.bound()
    await desk.register(document)
    await desk.sender.transact(desk.chain.keys.revoke(desk.made.key.identity.id))
    refused = await both_refuse(desk, document, "KeyIsRevoked", NotAccepted)
    assert "start the enclave anew" in str(refused)
    zone = _hash(document.certificates[2])
    await desk.sender.transact(desk.chain.attestation.revoke_certificate(zone))
    refused = await both_refuse(desk, document, "CertificateIsRevoked", NotAccepted)
    assert f"certificate 2, 0x{zone.hex()}" in str(refused)


async def test_certificates_younger_than_the_newest_block(desk: Desk) -> None:
    """As on a chain at rest: in the newest block they do not count yet, in the next one they do."""
    head = await desk.chain.rpc.call("eth_getBlockByNumber", "latest", False)
    desk.made = Machine(desk.made.authority, int(head["timestamp"], 16) + 100)
    await desk.chain.rpc.call("evm_increaseTime", 101)
    document = await desk.bound()
    call = desk.chain.keys.register(document.raw, hints(document))
    with pytest.raises(Reverted, match="CertificateNotYetValid"):
        await desk.sender.simulate(call)
    await desk.chain.check(document)
    await desk.register(document)


async def test_the_block_to_name_is_not_the_head(desk: Desk) -> None:
    named = await desk.chain.recent_block()
    assert named.block_number == int(await desk.chain.rpc.call("eth_blockNumber"), 16) - DEPTH
    block = await desk.chain.rpc.call("eth_getBlockByNumber", hex(named.block_number), False)
    assert to_bytes(block["hash"]) == named.block_hash


async def test_a_deployment_without_the_route(rpc: Rpc, deployment: Deployment, tmp_path: Path) -> None:
    deployment.save(tmp_path)
    with pytest.raises(NoEnclaveRoute, match="has no enclave route: deploy one with `vouch deploy`"):
        async with enclave_chain(rpc.url, tmp_path):
            pass
