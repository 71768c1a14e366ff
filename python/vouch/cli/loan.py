"""The demo's question: a loan, put to the RiskGate example by an account."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from vouch.chain.abi import function
from vouch.chain.contracts import NodeRegistry
from vouch.chain.errors import RpcError
from vouch.chain.events import RequestedLog, receipt_logs
from vouch.chain.hexes import to_bytes
from vouch.chain.reverts import reverted
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.cli.devnet import RISK, Devnet, risk_model
from vouch.client import Answer, Client
from vouch.protocol.codec import WORD, encode_tensors
from vouch.protocol.manifest import Manifest

CALLBACK_GAS = 60_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What the RiskGate contract stored; risk has 18 decimals."""

    borrower: str
    decided: bool
    approved: bool
    risk: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The loan's request; `started` and `mined` are unix nanoseconds around its transaction."""

    id: bytes
    fee: int
    gas: int
    tx_hash: bytes
    started: int
    mined: int


async def ask(net: Devnet, loan_id: int, features: np.ndarray[Any, Any], operator: str = "operator") -> Asked:
    """The user asks RiskGate for a decision, at an operator's price. Raises as TxSender.transact."""
    nodes, answering = NodeRegistry(net.rpc, net.deployment.nodes), net.accounts[operator].address
    fee = await nodes.quote(answering, net.models[RISK].model_id, CALLBACK_GAS)
    data = function("RiskGate", "ask").encode((loan_id, words(net.models[RISK], features), answering))
    return await send(net, Call(net.deployment.examples["RiskGate"], data, fee))


async def send(net: Devnet, call: Call) -> Asked:
    """The user sends a transaction in which one request is made. Raises as TxSender.transact."""
    sender = TxSender(net.rpc, net.accounts["user"])
    started = time.time_ns()
    receipt = await sender.transact(call)
    mined = time.time_ns()
    (log,) = receipt_logs(receipt, net.deployment.hub, (RequestedLog,))
    assert isinstance(log, RequestedLog), "the hub emits well-formed events"
    return Asked(log.id, log.request.fee, receipt.gas_used, receipt.tx_hash, started, mined)


def words(manifest: Manifest, features: np.ndarray[Any, Any]) -> list[int]:
    """Features as the examples take them, 18 decimals."""
    packed = encode_tensors(manifest.inputs, {manifest.inputs[0].name: features})
    return [int.from_bytes(packed[i : i + WORD], "big", signed=True) for i in range(0, len(packed), WORD)]


async def answer(net: Devnet, request_id: bytes) -> Answer:
    """Waits for the answer and reads it with its claim and seal. Raises as Client.wait."""
    async with Client(net.rpc, net.accounts["user"], deployment=net.deployment) as client:
        return await client.wait(request_id, timeout=30)


async def decision(net: Devnet, loan_id: int) -> Decision:
    """What the contract decided."""
    codec = function("RiskGate", "decisions")
    call = Call(net.deployment.examples["RiskGate"], codec.encode((loan_id,)))
    try:
        return Decision(*codec.decode(to_bytes(await net.rpc.call("eth_call", call.to_rpc(), "latest"))))
    except RpcError as refused:
        raise (reverted(refused) or refused) from refused


def directly(manifest: Manifest, features: np.ndarray[Any, Any]) -> bytes:
    """The model's output bytes when onnxruntime is called directly, without anything of Vouch in between."""
    session = onnxruntime.InferenceSession(str(risk_model()), providers=["CPUExecutionProvider"])
    row = np.asarray(features, dtype=np.float32).reshape(1, -1)
    names = [spec.name for spec in manifest.outputs]
    found = session.run(names, {manifest.inputs[0].name: row})
    return encode_tensors(manifest.outputs, dict(zip(names, found, strict=True)))
