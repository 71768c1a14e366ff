"""Answers that a prover will prove: signed by the operator, with no seal, and only of what can be proven."""

from pathlib import Path

import pytest

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, body, question
from tests.python.node.conftest import OpenParts, RunNode
from tests.python.runtimes.circuits import CIRCUITS, manifest_of, small_model, write
from vouch.circuit.codec import run_bytes
from vouch.circuit.errors import InputOutOfRange
from vouch.node.errors import OtherCircuit, UnknownModel, UnsupportedRoute, status_of
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.protocol.zk import ZK
from vouch.runtimes.echo import EchoRuntime
from vouch.runtimes.integer import IntegerRuntime

MODEL = manifest_of(small_model())
INPUT = b"".join(value.to_bytes(32, "big", signed=True) for value in (5, -7, 900))
TOO_LARGE = INPUT[:-2] + b"\x80\x00"


@pytest.fixture
def proven(tmp_path: Path) -> IntegerRuntime:
    return IntegerRuntime(write(tmp_path, small_model()), MODEL)


@pytest.mark.parametrize("circuit", CIRCUITS)
async def test_an_answer_has_a_signature_and_no_seal(
    run_node: RunNode, proven: IntegerRuntime, circuit: bytes
) -> None:
    terms = {"route": ZK, "trust": circuit}
    asked = question(INPUT, MODEL.model_id, **terms)
    async with run_node(proven) as client:
        assert (await client.get("/vouch/v1/info")).json()["routes"] == ["SIGN", "QRUM", "ZKUH"]
        reply = (await client.post("/vouch/v1/answers", json=body(INPUT, MODEL.model_id, **terms))).json()
    output = run_bytes(small_model(), INPUT)
    assert reply["output"] == "0x" + output.hex()
    assert reply["seal"] is None
    claim = Claim(asked.request_id, MODEL.model_id, keccak(INPUT), keccak(output), OPERATOR)
    signature = bytes.fromhex(reply["signature"][2:])
    assert recover_signer(Seal(SIGNED, signature), claim, CHAIN_ID, HUB) == OPERATOR


async def test_a_circuit_that_does_not_prove_the_model(open_parts: OpenParts, proven: IntegerRuntime) -> None:
    async with open_parts(proven, EchoRuntime()) as parts:
        asked = question(INPUT, MODEL.model_id, route=ZK, trust=b"\7" * 32)
        with pytest.raises(OtherCircuit, match=f"proven by 0x{CIRCUITS[0].hex()}, 0x{CIRCUITS[1].hex()}"):
            await parts.answers.answer(asked)
        echo = EchoRuntime().manifest.model_id
        with pytest.raises(OtherCircuit, match="the model is proven by no circuit") as other:
            await parts.answers.answer(question(b"hello", echo, route=ZK, trust=CIRCUITS[0]))
        assert status_of(other.value) == 422
        with pytest.raises(UnknownModel):
            await parts.answers.answer(question(INPUT, b"\1" * 32, route=ZK, trust=CIRCUITS[0]))


async def test_a_node_without_such_a_model_does_not_answer_on_the_route(open_parts: OpenParts) -> None:
    echo = EchoRuntime()
    async with open_parts(echo) as parts:
        asked = question(b"hello", echo.manifest.model_id, route=ZK, trust=CIRCUITS[0])
        with pytest.raises(UnsupportedRoute):
            await parts.answers.answer(asked)


async def test_an_input_that_no_proof_is_about_is_refused_for_good(
    run_node: RunNode, proven: IntegerRuntime
) -> None:
    asked = body(TOO_LARGE, MODEL.model_id, route=ZK, trust=CIRCUITS[0])
    async with run_node(proven) as client:
        reply = await client.post("/vouch/v1/answers", json=asked)
    assert reply.status_code == 422
    error = reply.json()["error"]
    assert (error["name"], error["retryable"]) == (InputOutOfRange.__name__, False)
    assert "element 2: 32768 is not in [-32768, 32767]" in error["message"]
