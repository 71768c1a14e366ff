"""An enclave's node over HTTP: what it says it is, its documents, its sealed answers."""

from typing import Any

import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, OTHER, Watched, body, question
from tests.python.node.conftest import RunNode, StartEnclave
from tests.python.node.sources import Twisted
from vouch.attestation.document import parse
from vouch.attestation.verify import verify
from vouch.node.enclave import Enclave
from vouch.node.enclave_key import EnclaveKind
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import (
    ENCLAVE,
    Binding,
    Curve,
    EnclaveIdentity,
    Freshness,
    parse_nonce,
    parse_user_data,
)
from vouch.protocol.keccak import keccak
from vouch.protocol.request import ANYONE
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.runtimes.echo import EchoRuntime, echo_manifest

MODEL = echo_manifest().model_id
KEYS = "0x2222222222222222222222222222222222222222"
BLOCK = b"\xbb" * 32


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def wanted(**changes: Any) -> dict[str, Any]:
    """JSON for /vouch/v1/attestations."""
    plain = {"chainId": CHAIN_ID, "keys": KEYS, "blockNumber": 2**40, "blockHash": f"0x{BLOCK.hex()}"}
    return plain | changes


@pytest.mark.parametrize("curve", list(Curve))
async def test_a_document_binds_the_key_to_the_operator(
    run_node: RunNode, start_enclave: StartEnclave, curve: Curve
) -> None:
    enclave = await start_enclave(curve)
    async with run_node(EchoRuntime(), enclave=enclave) as client:
        reply = await client.post("/vouch/v1/attestations", json=wanted())
    said = reply.json()
    assert (reply.status_code, set(said)) == (
        200,
        {"enclave", "key", "curve", "spki", "document", "timestamp"},
    )
    assert (said["enclave"], said["curve"]) == ("dev", curve.name.lower())
    identity = EnclaveIdentity.from_spki(unhex(said["spki"]))
    assert (identity, said["key"]) == (enclave.key.identity, identity.id)
    document = parse(unhex(said["document"]))
    verify(document, root_fingerprint=start_enclave.authority.fingerprint, at=said["timestamp"] // 1000)
    assert document.timestamp_ms == said["timestamp"]
    assert document.public_key == identity.spki
    assert parse_user_data(document.user_data or b"") == Binding(CHAIN_ID, KEYS, OPERATOR)
    assert parse_nonce(document.nonce or b"") == Freshness(2**40, BLOCK)
    assert document.image_id == enclave.image_id


async def test_each_document_is_another(run_node: RunNode, start_enclave: StartEnclave) -> None:
    async with run_node(EchoRuntime(), enclave=await start_enclave()) as client:
        replies = [
            (await client.post("/vouch/v1/attestations", json=wanted(**changes))).json()
            for changes in ({}, {"keys": OTHER}, {"chainId": 1}, {"blockNumber": 0})
        ]
    assert len({reply["document"] for reply in replies}) == 4
    assert len({reply["key"] for reply in replies}) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"chainId": None}, "chainId"),
        ({"chainId": 0}, "chainId"),
        ({"chainId": 1 << 256}, "chainId"),
        ({"keys": None}, "keys"),
        ({"keys": "0x22"}, "keys"),
        ({"keys": ANYONE}, "keys"),
        ({"blockNumber": None}, "blockNumber"),
        ({"blockNumber": "0x10"}, "blockNumber"),
        ({"blockNumber": True}, "blockNumber"),
        ({"blockNumber": -1}, "blockNumber"),
        ({"blockNumber": 1 << 64}, "blockNumber"),
        ({"blockHash": None}, "blockHash"),
        ({"blockHash": "0x" + "bb" * 31}, "blockHash"),
        ({"blockHash": "0x" + "bb" * 33}, "blockHash"),
    ],
)
async def test_malformed_bodies(
    run_node: RunNode, start_enclave: StartEnclave, changes: dict[str, Any], field: str
) -> None:
    async with run_node(EchoRuntime(), enclave=await start_enclave()) as client:
        reply = await client.post("/vouch/v1/attestations", json=wanted(**changes))
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["details"]["field"]) == (400, "MalformedBody", field)


async def test_the_largest_numbers_are_taken(run_node: RunNode, start_enclave: StartEnclave) -> None:
    most = {"chainId": (1 << 256) - 1, "blockNumber": (1 << 64) - 1}
    async with run_node(EchoRuntime(), enclave=await start_enclave()) as client:
        reply = (await client.post("/vouch/v1/attestations", json=wanted(**most))).json()
    document = parse(unhex(reply["document"]))
    assert parse_user_data(document.user_data or b"").chain_id == most["chainId"]
    assert parse_nonce(document.nonce or b"").block_number == most["blockNumber"]


async def test_a_node_outside_says_how_to_start_one(run_node: RunNode) -> None:
    async with run_node(EchoRuntime()) as client:
        # Whatever was asked: there is nothing to correct in it.
        for asked in (wanted(), {}):
            reply = await client.post("/vouch/v1/attestations", json=asked)
            error = reply.json()["error"]
            assert (reply.status_code, error["name"], error["retryable"]) == (404, "NotInEnclave", False)
            assert "--enclave nitro" in error["message"]
            assert "--enclave dev --dev-authority FOLDER" in error["message"]


async def test_a_source_that_fails_can_be_asked_again(run_node: RunNode, start_enclave: StartEnclave) -> None:
    faulty = Twisted((await start_enclave()).attester)
    enclave = await Enclave.start(EnclaveKind.DEV, Curve.SECP256K1, faulty)
    async with run_node(EchoRuntime(), enclave=enclave) as client:
        faulty.part = "nonce"
        reply = await client.post("/vouch/v1/attestations", json=wanted())
        faulty.part = ""
        assert (await client.post("/vouch/v1/attestations", json=wanted())).status_code == 200
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (503, "NotAttested", True)
    assert "dev enclave" in error["message"]


@pytest.mark.parametrize("curve", list(Curve))
async def test_info(run_node: RunNode, start_enclave: StartEnclave, curve: Curve) -> None:
    enclave = await start_enclave(curve)
    async with run_node(EchoRuntime(), enclave=enclave) as client:
        info = (await client.get("/vouch/v1/info")).json()
    assert info["routes"] == ["SIGN", "QRUM", "ENCL"]
    assert info["enclave"] == {
        "kind": "dev",
        "key": enclave.key.identity.id,
        "curve": curve.name.lower(),
        "imageId": f"0x{enclave.image_id.hex()}",
    }


async def test_a_sealed_answer_can_be_verified_by_who_asked(
    run_node: RunNode, start_enclave: StartEnclave
) -> None:
    enclave = await start_enclave()
    terms: dict[str, Any] = {"route": ENCLAVE, "trust": enclave.image_id}
    async with run_node(EchoRuntime(), enclave=enclave) as client:
        reply = (await client.post("/vouch/v1/answers", json=body(b"hello", MODEL, **terms))).json()
    about = question(b"hello", MODEL, **terms)
    claim = Claim(about.request_id, MODEL, keccak(b"hello"), keccak(b"hello"), OPERATOR)
    seal = Seal.parse(unhex(reply["seal"]))
    assert (seal.route, len(bytes(seal))) == (ENCLAVE, 69)
    # Whose key it is stands in the info and in the document; that it signed stands in the seal alone.
    assert recover_signer(seal, claim, CHAIN_ID, HUB) == enclave.key.identity.id
    assert reply["enclave"] == {"kind": "dev", "key": enclave.key.identity.id}
    assert recover_signer(Seal(SIGNED, unhex(reply["signature"])), claim, CHAIN_ID, HUB) == OPERATOR


async def test_other_routes_name_no_enclave(run_node: RunNode, start_enclave: StartEnclave) -> None:
    async with run_node(EchoRuntime(), enclave=await start_enclave()) as client:
        reply = (await client.post("/vouch/v1/answers", json=body(b"hello", MODEL))).json()
    assert (reply["enclave"], reply["seal"][:10]) == (None, f"0x{SIGNED.hex()}")


async def test_terms_that_trust_another_image(run_node: RunNode, start_enclave: StartEnclave) -> None:
    enclave = await start_enclave()
    asked = body(b"hello", MODEL, route=ENCLAVE, trust=b"t" * 32)
    async with run_node(EchoRuntime(), enclave=enclave) as client:
        reply = await client.post("/vouch/v1/answers", json=asked)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (422, "OtherImage", False)
    assert error["details"] == {"received": "0x" + "74" * 32, "expected": f"0x{enclave.image_id.hex()}"}


async def test_the_next_start_repeats_what_the_operator_signed(
    run_node: RunNode, start_enclave: StartEnclave
) -> None:
    runtime, replies = Watched(), []
    first, later = await start_enclave(), await start_enclave()
    for enclave in (first, later):
        asked = body(b"hello", runtime.manifest.model_id, route=ENCLAVE, trust=enclave.image_id)
        async with run_node(runtime, enclave=enclave) as client:
            replies.append((await client.post("/vouch/v1/answers", json=asked)).json())
            del replies[-1]["elapsedMs"]
    # The second run gave another output, so what stands is the first key's seal.
    assert replies[0] == replies[1]
    assert replies[1]["enclave"]["key"] == first.key.identity.id
