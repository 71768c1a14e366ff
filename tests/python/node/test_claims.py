from typing import Any

import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, OTHER, Watched, body
from tests.python.node.conftest import RunNode
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import Seal, recover_signer
from vouch.runtimes.base import ArtefactChanged, RuntimeUnavailable
from vouch.runtimes.echo import EchoRuntime, echo_manifest

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
    assert reply["operator"] == OPERATOR
    assert reply["elapsedMs"] > 0


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
        "routes": ["SIGN"],
        "hubs": [{"chainId": CHAIN_ID, "hub": HUB}],
        "maxInputBytes": 77,
        "models": [
            {
                "name": "echo",
                "modelId": f"0x{MODEL.hex()}",
                "kind": "text",
                "runtime": "EchoRuntime",
                "maxOutputBytes": 65_536,
            }
        ],
    }
