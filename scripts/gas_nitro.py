"""Gas of attestation: a key let in under a development authority, and the same work on a real document."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from coincurve import PublicKey

from scripts.gas_bench import CALLBACK_GAS, CHAIN_ID, FEE, Bench, Figures, question
from scripts.toolchain import paths
from vouch.attestation.deploy import MAX_AGE, REVOCATION_DELAY, SKEW
from vouch.attestation.dev import DevAuthority
from vouch.attestation.document import Document, parse
from vouch.attestation.evidence import hints
from vouch.attestation.p384.tables import creation_code
from vouch.attestation.verify import AWS_ROOT
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Call, VerifierRouter
from vouch.chain.enclave import EnclaveKeys, NitroAttestation
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import MAX_TX_GAS
from vouch.protocol.enclave import ENCLAVE, Curve, EnclaveIdentity, image_id, nonce, user_data
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import Seal

PCRS: Final = {number: keccak(b"pcr %d" % number) + keccak(b"pcr")[:16] for number in range(3)}
IMAGE: Final = image_id(PCRS[0], PCRS[1], PCRS[2])
BESIDE: Final = paths.ROOT.parent / "shared" / "nitro"
CHAIN: Final = 4
"""Certificates after the root."""


async def create_attestation(bench: Bench, root: bytes) -> NitroAttestation:
    """With P-384 and its tables, which cost what they cost once a chain."""
    tables = [(await bench.send(bench.owner, Call(None, creation_code(i)))).contract for i in (0, 1)]
    p384 = await bench.create("P384", *tables)
    parts = (await bench.create("NitroReader"), await bench.create("Sha384Hash"), p384)
    address = await bench.create("NitroAttestation", *parts, root, bench.owner.address)
    return NitroAttestation(bench.rpc, address)


async def enclaves(bench: Bench) -> None:
    """Cold: a chain and a document that nobody has seen. Then a new leaf with its document, as every three
    hours; then another key under a leaf that is known."""
    authority = DevAuthority.create(seed=b"bench")
    attestation = await create_attestation(bench, authority.fingerprint)
    hub = bench.hub.address
    address = await bench.create("EnclaveKeys", attestation.address, hub, MAX_AGE, SKEW, REVOCATION_DELAY)
    keys = EnclaveKeys(bench.rpc, address)
    verifier = await bench.create("EnclaveVerifier", hub, address)
    router = VerifierRouter(bench.rpc, bench.address["VerifierRouter"])
    await bench.send(bench.owner, router.add(ENCLAVE, verifier, "Attested"))

    latest = await _latest(bench.rpc)
    machine = authority.instance(at=int(latest["timestamp"], 16))
    first, second = (keccak(b"enclave %d" % i) for i in (1, 2))

    async def register(secret: bytes, name: str, known: int) -> None:
        block = await _latest(bench.rpc)
        document = parse(
            machine.document(
                PCRS,
                public_key=_identity(secret).spki,
                user_data=user_data(CHAIN_ID, address, bench.operator.address),
                nonce=nonce(int(block["number"], 16), to_bytes(block["hash"])),
                at_ms=1000 * int(block["timestamp"], 16),
            )
        )
        await bench.send(bench.stranger, keys.register(document.raw, hints(document, skip=known)), name)

    await register(first, "nitro.cold", 0)
    await register(second, "nitro.warm", CHAIN)
    later = int((await _latest(bench.rpc))["timestamp"], 16) + 10_000
    await bench.rpc.call("evm_setNextBlockTimestamp", later)
    await bench.rpc.call("evm_mine")
    await register(first, "nitro.leafAndDocument", CHAIN - 1)

    await bench.create("WordKeeper", hub, keep=False)
    terms = await bench.terms(callback_gas=CALLBACK_GAS, route=ENCLAVE, trust=IMAGE, salt=12)
    call = bench.call("WordKeeper", "ask", terms.to_abi(), question(12), value=FEE)
    terms, output = await bench.ask(call), keccak(b"answer 12")
    signed = bench.sign(LocalKey(first), bench.claim(terms, output))
    item = bench.answer(terms, output, Seal(ENCLAVE, signed.proof))
    await bench.fulfil(item, "nitro.fulfil")
    await bench.stored(item, "WordKeeper", "words")


def real_document() -> Path | None:
    """The newest of the AWS-signed documents in $NITRO_DOCUMENTS or beside the project; None without them."""
    place = Path(os.environ.get("NITRO_DOCUMENTS") or BESIDE)
    return max((place / "documents").glob("*_prod.bin"), default=None)


async def measure_real(raw: bytes) -> Figures:
    """The same three on a document that AWS signed, by NitroAttestation alone: its key is not ours."""
    document = parse(raw)
    proof = hints(document)
    at = document.timestamp_ms // 1000
    used = {}
    for name, known in (("nitro.cold", 0), ("nitro.leafAndDocument", CHAIN - 1), ("nitro.warm", CHAIN)):
        async with Anvil(args=("--timestamp", str(at))) as anvil, Rpc(anvil.http_url) as rpc:
            await rpc.call("anvil_setBlockTimestampInterval", 1)
            sender = TxSender(rpc, anvil.accounts[0])
            bench = Bench(rpc, sender, anvil.accounts[1], sender, sender, ())
            attestation = await create_attestation(bench, AWS_ROOT)
            if known:
                chain = document.certificates[: known + 1]
                await bench.send(sender, attestation.verify_certificates(chain, proof[:known]))
            used[name] = await _used(sender, attestation, document, [b""] * known + proof[known:])
    return used


async def _used(
    sender: TxSender, attestation: NitroAttestation, document: Document, given: Sequence[bytes]
) -> int:
    call = attestation.verify(document.raw, given)
    return (await sender.transact(call, gas=MAX_TX_GAS, simulate=False)).gas_used


async def _latest(rpc: Rpc) -> dict[str, str]:
    found: dict[str, str] = await rpc.call("eth_getBlockByNumber", "latest", False)
    return found


def _identity(secret: bytes) -> EnclaveIdentity:
    point = PublicKey.from_secret(secret).format(compressed=False)
    return EnclaveIdentity(Curve.SECP256K1, point[1:33], point[33:])
