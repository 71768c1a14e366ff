"""How long the way from a mined request to its mined callback takes: scripts/bench latency [--requests N]

One request after the other on an Anvil that mines at once: the demo's question, put to the RiskGate example,
answered by a real node with the risk model and a relayer in processes of their own. Beside it the floor: the
same two transactions, both signed before, the second one sent the moment the first one's block is announced.
"""

import argparse
import asyncio
import json
import socket as sockets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from vouch.chain.abi import function
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.deploy import create, deploy
from vouch.chain.fees import FeePolicy
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call, SentTx, Transaction
from vouch.cli.devnet import RISK, Plan, devnet, risk_model
from vouch.cli.sources import onnx_manifest
from vouch.protocol.claim import Claim
from vouch.protocol.codec import encode_tensors
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Gate, Status
from vouch.relayer.job import JobStatus
from vouch.relayer.store import Store

CALLBACK_GAS, PATIENCE = 60_000, 600
FEE = 10**15
GAS = 400_000
FEATURES = np.array([[0.62, 0.31, 1.0, 0.4, 0.12]], dtype=np.float32)
WARM_UP = 10
RITUAL_MS = 707.0
"""p50 of Ritual's infernet-node out of the box, measured earlier; not run here."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One request, in milliseconds: all of it, at the node, and between the relayer's own notes."""

    total: float
    node: float
    read: float
    decided: float
    asked: float
    signed: float
    mined: float


class Blocks:
    """Announcements of new blocks, with the time they came."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def next(self) -> int:
        """Unix nanoseconds of the next announcement."""
        while True:
            message = await self._socket.recv()
            # Anvil holds a second small message back until the first one is acknowledged, which takes 40 ms.
            if sys.platform == "linux":
                raw = self._socket.transport.get_extra_info("socket")
                raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_QUICKACK, 1)
            if "params" in json.loads(message):
                return time.time_ns()


@asynccontextmanager
async def blocks(url: str) -> AsyncIterator[Blocks]:
    """A subscription of its own, as the relayer has one."""
    async with connect(url, compression=None) as socket:
        await socket.send(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
        )
        await socket.recv()
        yield Blocks(socket)


def question() -> bytes:
    """The demo's features in the model's codec."""
    manifest = onnx_manifest(risk_model(), RISK)
    return encode_tensors(manifest.inputs, {manifest.inputs[0].name: FEATURES})


async def ask(rpc: Rpc, key: LocalKey, gate: str, operator: str, count: int, chain_id: int) -> list[SentTx]:
    """Signed requests for loans 0 to count - 1."""
    packed = question()
    words = [int.from_bytes(packed[i : i + 32], "big", signed=True) for i in range(0, len(packed), 32)]
    nonce = int(await rpc.call("eth_getTransactionCount", key.address, "latest"), 16)
    fees = await FeePolicy(rpc).current()
    codec = function("RiskGate", "ask")
    return [
        key.sign(
            Transaction(chain_id, nonce + i, GAS, fees, Call(gate, codec.encode((i, words, operator)), FEE))
        )
        for i in range(count)
    ]


async def relayed(count: int, folder: Path) -> list[Timing]:
    """Times of `count` requests through node and relayer."""
    async with devnet(Plan(folder, folder / "deployments"), lambda _: None) as net:
        gate, user = net.deployment.examples["RiskGate"], net.accounts["user"]
        operator = net.accounts["operator"].address
        signed = await ask(net.rpc, user, gate, operator, WARM_UP + count, net.deployment.chain_id)
        spans: list[tuple[int, int]] = []
        async with blocks(net.anvil.ws_url) as news:
            for tx in signed:
                await net.rpc.call("eth_sendRawTransaction", tx.raw)
                spans.append((await news.next(), await news.next()))
        ids = [terms_id for tx in signed for terms_id in await request_id(net.rpc, tx)]
        hub = Hub(net.rpc, net.deployment.hub)
        for request in ids:
            if await hub.status_of(request) is not Status.SETTLED:
                raise SystemExit(f"request 0x{request.hex()} was not settled")
        await asyncio.sleep(0.2)  # the relayer's note of the last one
        with Store(net.relayer_db, read_only=True) as store:
            return [timing(store, i, *span) for i, span in zip(ids, spans, strict=True)][WARM_UP:]


async def request_id(rpc: Rpc, tx: SentTx) -> list[bytes]:
    """Id in the request's log."""
    logs = (await rpc.call("eth_getTransactionReceipt", tx.hash))["logs"]
    return [bytes.fromhex(log["topics"][1][2:]) for log in logs if len(log["topics"]) == 3]


def timing(store: Store, request: bytes, asked: int, settled: int) -> Timing:
    """Where one request's time went."""
    at = {step.status: step.at for step in reversed(store.steps(request))}
    job = store.get(request)
    if job is None or job.answer is None:
        raise SystemExit(f"the relayer has no answer to request 0x{request.hex()}")
    seen, dispatched, answered, sending = (
        at[s] for s in (JobStatus.SEEN, JobStatus.DISPATCHED, JobStatus.ANSWERED, JobStatus.SENDING)
    )
    parts = (asked, seen, dispatched, answered, sending, settled)
    spans = [(b - a) / 1e6 for a, b in pairwise(parts)]
    return Timing((settled - asked) / 1e6, job.answer.node_ns / 1e6, *spans)


async def floor(count: int) -> list[float]:
    """Milliseconds of the same two transactions, both signed beforehand."""
    async with Anvil() as anvil, Rpc(anvil.http_url) as rpc, blocks(anvil.ws_url) as news:
        owner, operator, user, relayer = anvil.accounts[:4]
        sender = TxSender(rpc, owner)
        deployment = await deploy(rpc, sender)
        nodes, model = NodeRegistry(rpc, deployment.nodes), onnx_manifest(risk_model(), RISK)
        # The gate only checks that the model exists, so any bytes do as its manifest.
        await sender.transact(_publish(deployment.models, RISK, bytes(model)))
        await TxSender(rpc, operator).transact(nodes.register("http://node.invalid"))
        created = await create(sender, "RiskGate", deployment.hub, model.model_id, SIGNED, bytes(32), 10**17)
        gate = created.contract or ""
        requests = await ask(rpc, user, gate, operator.address, WARM_UP + count, deployment.chain_id)
        start = int((await rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"], 16) + 100
        hub, fees, packed = Hub(rpc, deployment.hub), await FeePolicy(rpc).current(), question()
        output = (10**17).to_bytes(32, "big")
        fulfilments = []
        for i in range(len(requests)):
            terms = Request(
                consumer=gate,
                operator=operator.address,
                refund_to=user.address,
                token=NATIVE,
                fee=FEE,
                exposure=0,
                bond=0,
                deliver_by=start + 100 * i + PATIENCE,
                prove_within=0,
                window=0,
                callback_gas=CALLBACK_GAS,
                gate=Gate.ON_SETTLEMENT,
                route=SIGNED,
                trust=bytes(32),
                model_id=model.model_id,
                input_hash=keccak(packed),
                salt=i,
            )
            request = terms.id(deployment.chain_id, hub.address)
            claim = Claim(request, model.model_id, keccak(packed), keccak(output), operator.address)
            seal = bytes(operator.sign_claim(claim, deployment.chain_id, hub.address))
            call = hub.fulfil(terms, operator.address, output, seal)
            fulfilments.append(relayer.sign(Transaction(deployment.chain_id, i, GAS, fees, call)))
        while True:  # the announcements of what was mined so far
            try:
                async with asyncio.timeout(0.2):
                    await news.next()
            except TimeoutError:
                break
        times = []
        for i, (request_tx, fulfilment) in enumerate(zip(requests, fulfilments, strict=True)):
            await rpc.call("evm_setNextBlockTimestamp", start + 100 * i)
            await rpc.call("eth_sendRawTransaction", request_tx.raw)
            asked = await news.next()
            await rpc.call("eth_sendRawTransaction", fulfilment.raw)
            times.append((await news.next() - asked) / 1e6)
        receipts = [await rpc.call("eth_getTransactionReceipt", tx.hash) for tx in fulfilments]
        if any(receipt["status"] != "0x1" for receipt in receipts):
            raise SystemExit("a fulfilment signed beforehand reverted")
        return times[WARM_UP:]


def _publish(models: str, name: str, manifest: bytes) -> Call:
    return Call(models, function("ModelRegistry", "publish").encode((name, manifest)))


def line(name: str, values: Sequence[float], base: float) -> str:
    """p50, p99, and p50 as a part of `base`."""
    p50, p99 = statistics.median(values), statistics.quantiles(values, n=100)[98]
    return f"  {name:<44} {p50:8.2f} {p99:8.2f} {p50 / base:8.2f}×"


def report(timings: Sequence[Timing], floors: Sequence[float]) -> list[str]:
    """The table."""
    base = statistics.median(floors)
    own = [t.total - t.node - base for t in timings]
    total = statistics.median(t.total for t in timings)
    return [
        f"{len(timings)} requests, one after the other, milliseconds:",
        f"  {'':<44} {'p50':>8} {'p99':>8} {'÷ floor':>9}",
        line("request mined → callback mined", [t.total for t in timings], base),
        line("  floor: both transactions signed before", floors, base),
        line("  in the node, by its own clock", [t.node for t in timings], base),
        line("  the relayer's own share (the rest)", own, base),
        "where it goes, by the relayer's notes:",
        line("  block announced and read", [t.read for t in timings], base),
        line("  taken: operator, model, price", [t.decided for t in timings], base),
        line("  asked the node, checked its seal", [t.asked for t in timings], base),
        line("  encoded, tried, signed, stored", [t.signed for t in timings], base),
        line("  broadcast and mined", [t.mined for t in timings], base),
        f"Ritual's infernet-node, measured earlier, not now: {RITUAL_MS:.0f} ms, {RITUAL_MS / total:.0f}×",
    ]


async def measure(count: int) -> list[str]:
    """Runs both and gives the report."""
    with tempfile.TemporaryDirectory(prefix="vouch-latency-") as folder:
        timings = await relayed(count, Path(folder))
    return report(timings, await floor(count))


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench latency", description=__doc__)
    parser.add_argument("--requests", type=int, default=200, metavar="N", help="default: 200")
    options = parser.parse_args(words)
    print("\n".join(asyncio.run(measure(options.requests))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
