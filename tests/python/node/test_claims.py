import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.python.node.asking import (
    CHAIN_ID,
    HUB,
    KEY,
    OPERATOR,
    OTHER,
    OTHER_KEY,
    Watched,
    body,
    cosign_body,
    question,
)
from tests.python.node.conftest import RISK, RunNode
from vouch.protocol.claim import Claim
from vouch.protocol.codec import encode_tensors
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import ANYONE
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.runtimes.base import ArtefactChanged, RuntimeUnavailable
from vouch.runtimes.echo import EchoRuntime, echo_manifest
from vouch.runtimes.onnx import OnnxRuntime

MODEL = echo_manifest().model_id


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


async def test_answer_can_be_verified_by_who_asked(run_node: RunNode) -> None:
    async with run_node(EchoRuntime()) as client:
        reply = (await client.post("/vouch/v1/answers", json=body(b"hello", MODEL))).json()
    claim = Claim(
        unhex(reply["claim"]["requestId"]),
        unhex(reply["claim"]["modelId"]),
        unhex(reply["claim"]["inputHash"]),
        unhex(reply["claim"]["outputHash"]),
        reply["claim"]["operator"],
    )
    assert unhex(reply["output"]) == b"hello"
    assert (claim.output_hash, claim.model_id) == (keccak(b"hello"), MODEL)
    assert recover_signer(Seal.parse(unhex(reply["seal"])), claim, CHAIN_ID, HUB) == OPERATOR
    assert unhex(reply["seal"]) == b"SIGN" + unhex(reply["signature"])
    assert reply["operator"] == OPERATOR
    assert reply["elapsedMs"] > 0


async def test_an_answer_on_the_quorum_route_has_a_signature_and_no_seal(run_node: RunNode) -> None:
    asked = question(b"hello", MODEL, route=QUORUM)
    async with run_node(EchoRuntime()) as client:
        reply = (await client.post("/vouch/v1/answers", json=body(b"hello", MODEL, route=QUORUM))).json()
    claim = Claim(asked.request_id, MODEL, keccak(b"hello"), keccak(b"hello"), OPERATOR)
    assert recover_signer(Seal(SIGNED, unhex(reply["signature"])), claim, CHAIN_ID, HUB) == OPERATOR
    assert (reply["seal"], reply["operator"]) == (None, OPERATOR)


async def test_two_nodes_make_a_quorum(run_node: RunNode, risk: OnnxRuntime, tmp_path: Path) -> None:
    policy = Policy.of(2, [OPERATOR, OTHER])
    model = risk.manifest.model_id
    data = encode_tensors(risk.manifest.inputs, {"x": [60, 0.3, 1.1, 1, 5]})
    terms: dict[str, Any] = {"route": QUORUM, "trust": policy.trust}
    other: dict[str, Any] = {"key": OTHER_KEY, "cosign": True, "journal": tmp_path / "other.sqlite"}
    async with run_node(risk) as operator, run_node(risk, **other) as cosigner:
        signed = (await operator.post("/vouch/v1/answers", json=body(data, model, **terms))).json()
        about = cosign_body(data, model, unhex(signed["output"]), **terms)
        reply = await cosigner.post("/vouch/v1/cosignatures", json=about)
    given = reply.json()
    assert (reply.status_code, set(given)) == (200, {"signer", "signature", "claim"})
    assert (given["signer"], given["claim"]) == (OTHER, signed["claim"])
    asked = question(data, model, **terms)
    claim = Claim(asked.request_id, model, keccak(data), keccak(unhex(signed["output"])), OPERATOR)
    seals = [Seal(SIGNED, unhex(answer["signature"])) for answer in (signed, given)]
    QuorumSeal.collect(policy, claim, CHAIN_ID, HUB, seals).check(policy.trust, claim, CHAIN_ID, HUB)


@pytest.mark.parametrize(
    "theirs", [b"", b"\xff" * 31, b"\xff" * 32, bytes(64), b"\x7f" * 32, bytes.fromhex("7fc00000" * 8)]
)
@pytest.mark.parametrize("deterministic", [True, False])
async def test_disagreement_is_final_whatever_the_bytes(
    run_node: RunNode, risk: OnnxRuntime, deterministic: bool, theirs: bytes
) -> None:
    manifest = risk.manifest
    if not deterministic:
        manifest = dataclasses.replace(manifest, deterministic=False, tolerance=1e-6)
    data = encode_tensors(manifest.inputs, {"x": [60, 0.3, 1.1, 1, 5]})
    runtime = OnnxRuntime(RISK, manifest)
    about = cosign_body(data, manifest.model_id, theirs)
    async with run_node(runtime, key=OTHER_KEY, cosign=True) as client:
        reply = await client.post("/vouch/v1/cosignatures", json=about)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (409, "Disagrees", False)
    ours, hashed = keccak(await risk.run(data)), keccak(theirs)
    assert f"0x{ours.hex()}" in error["message"]
    assert f"0x{hashed.hex()}" in error["message"]
    assert error["details"]["difference"]
    del error["details"]["difference"]
    assert error["details"] == {"received": f"0x{hashed.hex()}", "expected": f"0x{ours.hex()}"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"operator": None}, "operator"),
        ({"operator": "0x12"}, "operator"),
        ({"operator": ANYONE}, "operator"),
        ({"output": None}, "output"),
        ({"output": "0x1"}, "output"),
        ({"terms": "0x"}, "terms"),
    ],
)
async def test_malformed_bodies_about_others(run_node: RunNode, change: dict[str, Any], field: str) -> None:
    about = cosign_body(b"hello", MODEL, b"hello") | change
    async with run_node(EchoRuntime(), key=OTHER_KEY, cosign=True) as client:
        reply = await client.post("/vouch/v1/cosignatures", json=about)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["details"]["field"]) == (400, "MalformedBody", field)


@pytest.mark.parametrize(
    ("config", "changes", "status", "name"),
    [
        ({"cosign": False}, {}, 403, "NotCosigning"),
        ({}, {"operator": OTHER}, 422, "OperatorNotAdmitted"),
        ({}, {"route": b"SIGN"}, 422, "UnsupportedRoute"),
        ({"key": KEY}, {}, 409, "NotAnswered"),
        ({"hubs": ((1, HUB),)}, {}, 403, "UnknownHub"),
    ],
)
async def test_refusals_to_cosign(
    run_node: RunNode, config: dict[str, Any], changes: dict[str, Any], status: int, name: str
) -> None:
    settings = {"key": OTHER_KEY, "cosign": True} | config
    async with run_node(EchoRuntime(), **settings) as client:
        about = cosign_body(b"hello", MODEL, b"hello", **changes)
        reply = await client.post("/vouch/v1/cosignatures", json=about)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (status, name, False)


async def test_text_that_no_other_run_can_check(run_node: RunNode) -> None:
    manifest = dataclasses.replace(echo_manifest(), deterministic=False)
    about = cosign_body(b"hello", manifest.model_id, b"hello")
    async with run_node(EchoRuntime(manifest), key=OTHER_KEY, cosign=True) as client:
        reply = await client.post("/vouch/v1/cosignatures", json=about)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (422, "NotReproducible", False)
    assert "two honest runs may differ" in error["message"]


async def test_cosignature_survives_a_restart_of_the_node(run_node: RunNode) -> None:
    runtime = Watched()
    about = cosign_body(b"hello", runtime.manifest.model_id, b"hello\x01")
    replies = []
    for _ in range(2):
        async with run_node(runtime, key=OTHER_KEY, cosign=True) as client:
            replies.append((await client.post("/vouch/v1/cosignatures", json=about)).json())
    assert replies[0]["signer"] == OTHER
    assert replies[0] == replies[1]
    assert runtime.runs == 1


async def test_answer_survives_a_restart_of_the_node(run_node: RunNode) -> None:
    runtime = Watched()
    asked = body(b"hello", runtime.manifest.model_id)
    replies = []
    for _ in range(2):
        async with run_node(runtime) as client:
            replies.append((await client.post("/vouch/v1/answers", json=asked)).json())
            del replies[-1]["elapsedMs"]
    assert replies[0] == replies[1]
    assert (runtime.runs, runtime.closed) == (1, 2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"chainId": "1"}, "chainId"),
        ({"chainId": 0}, "chainId"),
        ({"chainId": True}, "chainId"),
        ({"chainId": 1 << 256}, "chainId"),
        ({"hub": "0x11"}, "hub"),
        ({"hub": None}, "hub"),
        ({"terms": None}, "terms"),
        ({"terms": "0x"}, "terms"),
        ({"terms": "0x" + "00" * 545}, "terms"),
        ({"terms": "0x" + "ff" * 544}, "terms"),
        ({"terms": "0x" + "00" * 11 * 32 + "07".rjust(64, "0") + "00" * 5 * 32}, "terms"),
        ({"input": "68656c6c6f"}, "input"),
        ({"input": "0x6"}, "input"),
        ({"input": "0xzz"}, "input"),
        ({"input": "0x68 65"}, "input"),
    ],
)
async def test_malformed_bodies(run_node: RunNode, change: dict[str, Any], field: str) -> None:
    async with run_node(EchoRuntime()) as client:
        reply = await client.post("/vouch/v1/answers", json=body(b"hello", MODEL) | change)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (400, "MalformedBody", False)
    assert error["details"]["field"] == field


@pytest.mark.parametrize(
    ("changes", "status", "name", "details"),
    [
        ({"operator": OTHER}, 403, "OtherOperator", {"received": OTHER, "expected": OPERATOR}),
        (
            {"model_id": b"m" * 32},
            404,
            "UnknownModel",
            {"received": "0x" + "6d" * 32, "served": [f"0x{MODEL.hex()}"]},
        ),
        (
            {"input_hash": b"x" * 32},
            422,
            "InputMismatch",
            {"received": f"0x{keccak(b'hello').hex()}", "expected": "0x" + "78" * 32},
        ),
    ],
)
async def test_refusals_are_final_and_carry_their_values(
    run_node: RunNode, changes: dict[str, Any], status: int, name: str, details: dict[str, Any]
) -> None:
    async with run_node(EchoRuntime()) as client:
        reply = await client.post("/vouch/v1/answers", json=body(b"hello", MODEL, **changes))
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (status, name, False)
    assert error["details"] == details
    assert error["message"]


@pytest.mark.parametrize(
    "failure", [RuntimeUnavailable("watched", "down"), ArtefactChanged("model.onnx", "a" * 64, "b" * 64)]
)
async def test_troubles_of_the_node_are_retryable(run_node: RunNode, failure: Exception) -> None:
    runtime = Watched()
    asked = body(b"hello", runtime.manifest.model_id)
    async with run_node(runtime) as client:
        runtime.failure = failure
        reply = await client.post("/vouch/v1/answers", json=asked)
        error = reply.json()["error"]
        assert (reply.status_code, error["name"], error["retryable"]) == (503, type(failure).__name__, True)
        assert int(reply.headers["retry-after"]) > 0
        runtime.failure = None
        assert (await client.post("/vouch/v1/answers", json=asked)).status_code == 200


async def test_node_without_a_key(run_node: RunNode) -> None:
    async with run_node(EchoRuntime(), key=None) as client:
        reply = await client.post("/vouch/v1/answers", json=body(b"hello", MODEL))
        assert (reply.status_code, reply.json()["error"]["name"]) == (503, "NoOperatorKey")
        assert (await client.get("/vouch/v1/info")).json()["operator"] is None


async def test_info(run_node: RunNode) -> None:
    async with run_node(EchoRuntime(), hubs=((CHAIN_ID, HUB),), max_input_bytes=77) as client:
        info = (await client.get("/vouch/v1/info")).json()
    assert info == {
        "operator": OPERATOR,
        "routes": ["SIGN", "QRUM"],
        "cosigns": False,
        "enclave": None,
        "hubs": [{"chainId": CHAIN_ID, "hub": HUB}],
        "maxInputBytes": 77,
        "models": [
            {
                "name": "echo",
                "modelId": f"0x{MODEL.hex()}",
                "kind": "text",
                "runtime": "EchoRuntime",
                "maxOutputBytes": 65_536,
                "reproducible": True,
            }
        ],
    }


async def test_info_of_a_node_that_cosigns(run_node: RunNode) -> None:
    async with run_node(EchoRuntime(), cosign=True) as client:
        assert (await client.get("/vouch/v1/info")).json()["cosigns"] is True
