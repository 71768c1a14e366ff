"""What the chain's history shows of enclaves: how their keys were let in, and what a seal's check calls."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vouch.chain.abi import event, function
from vouch.chain.errors import RpcError
from vouch.chain.hexes import checksum, to_bytes, to_hex
from vouch.chain.reverts import Reverted, reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Call
from vouch.cli.enclave_chain import EnclaveChain
from vouch.protocol.claim import Claim

ECRECOVER = checksum("0x" + "01".rjust(40, "0"))


@dataclass(frozen=True, slots=True)
class LetIn:
    """One transaction that let a key in or prolonged it, with the document and the hints that it had.

    `at` is its block's time, unix seconds; `certificates` counts those that it verified.
    """

    document: bytes
    hints: tuple[bytes, ...]
    sender: str
    gas: int
    at: int
    certificates: int


async def let_in(chain: EnclaveChain) -> list[LetIn]:
    """All such transactions, in order. Raises RpcError, RpcUnavailable, and BadAbiData for indirect ones."""
    registered = event("EnclaveKeys", "KeyRegistered").topic0
    query = {
        "address": chain.keys.address,
        "fromBlock": hex(chain.deployment.block),
        "topics": [to_hex(registered)],
    }
    return [await _let_in(chain, log) for log in await chain.rpc.call("eth_getLogs", query)]


async def _let_in(chain: EnclaveChain, log: Mapping[str, Any]) -> LetIn:
    sent = await chain.rpc.call("eth_getTransactionByHash", log["transactionHash"])
    receipt = await chain.rpc.call("eth_getTransactionReceipt", log["transactionHash"])
    block = await chain.rpc.call("eth_getBlockByNumber", log["blockNumber"], False)
    document, hints = function("EnclaveKeys", "register").decode_input(to_bytes(sent["input"]))
    verified = to_hex(event("NitroAttestation", "CertificateVerified").topic0)
    return LetIn(
        bytes(document),
        tuple(map(bytes, hints)),
        checksum(sent["from"]),
        int(receipt["gasUsed"], 16),
        int(block["timestamp"], 16),
        sum(each["topics"][0] == verified for each in receipt["logs"]),
    )


async def called(rpc: Rpc, tx_hash: bytes) -> list[str]:
    """Addresses that a transaction called, in order, as the chain's node traces it."""
    trace = await rpc.call("debug_traceTransaction", to_hex(tx_hash), {"tracer": "callTracer"})
    return [checksum(each["to"]) for each in _flat(trace)]


async def refusal(
    rpc: Rpc, verifier: str, seal: bytes, trust: bytes, claim: Claim, at: int | None = None
) -> str:
    """Name of the error with which the enclave route's verifier refuses a seal; empty if it takes it.

    Now, or in a block of the time `at` (unix seconds).
    """
    fields = (claim.request_id, claim.model_id, claim.input_hash, claim.output_hash, claim.operator)
    call = Call(verifier, function("EnclaveVerifier", "verify").encode((seal, trust, fields)))
    try:
        then = [] if at is None else [{}, {"time": hex(at)}]
        await rpc.call("eth_call", call.to_rpc(), "latest", *then)
    except RpcError as refused:
        named: Reverted | None = reverted(refused)
        if named is None:
            raise
        return named.error.name
    return ""


def _flat(call: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield call
    for inner in call.get("calls", ()):
        yield from _flat(inner)
