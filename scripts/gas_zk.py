"""Gas of the zk route: one proven answer settled, and sixteen under one proven root.

The proofs are committed (tests/zk_proofs.json), since they take minutes to make and gas has to be measured
everywhere: they are of claims whose digests are the same on every fresh chain. When a claim changes,
`python -m scripts.gas_zk` compiles the circuits and proves anew.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from scripts.gas_bench import CALLBACK_GAS, CHAIN_ID, FEE, START, Bench, Figures, WrongMeasurement
from scripts.toolchain import paths
from vouch.chain.anvil import Anvil
from vouch.chain.batch_verifier import BatchVerifier
from vouch.chain.contracts import BoundCircuit, Call, Fulfilment, ModelRegistry, NodeRegistry, VerifierRouter
from vouch.chain.events import DeliveredLog, SettledLog, receipt_logs
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.protocol.batch import BATCHED, BatchSeal, trust_in
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import MerkleTree
from vouch.protocol.packing import Packing
from vouch.protocol.request import Request
from vouch.protocol.zk import ZK, BatchItem, Circuit, Row, ZkBatch, ZkSeal, context

COMMITTED: Final = paths.ROOT / "tests" / "zk_proofs.json"
MODEL: Final = "risk_mlp"
TOGETHER: Final = 16
DELIVER_BY: Final = START + 100_000
"""Fixed, like everything else that a digest is made of."""

Prove = Callable[[int, Sequence[tuple[bytes, bytes]], int], Awaitable[bytes]]
"""Inferences per proof, their inputs and outputs, context -> proof."""


class Vectors:
    """What is committed: the manifest, the circuits with their verifiers' code, rows, proofs by context."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.manifest: bytes = data["manifest"].encode()
        self.rows = [(bytes.fromhex(given), bytes.fromhex(output)) for given, output in data["rows"]]

    def circuit(self, batch: int) -> tuple[Circuit, bytes]:
        """The circuit, and the creation code of its verifier."""
        said = self.data["circuits"][str(batch)]
        packings = Packing(**said["input"]), Packing(**said["output"])
        circuit = Circuit(bytes.fromhex(said["code_hash"]), said["commitment"], batch, *packings)
        return circuit, bytes.fromhex(said["creation"])

    async def proof(self, batch: int, _rows: Sequence[tuple[bytes, bytes]], about: int) -> bytes:
        """The committed one. Raises WrongMeasurement if there is none of this claim."""
        found = self.data["proofs"].get(hex(about))
        if found is None:
            raise WrongMeasurement(
                f"no proof for {batch} with the context {about:#x}: the claims have changed since "
                f"{COMMITTED.name} was made; run python -m scripts.gas_zk"
            )
        return bytes.fromhex(found)


async def measure_zk(vectors: Vectors | None = None, prove: Prove | None = None) -> Figures:
    """On a chain of its own, so that no other figure moves its claims. Raises WrongMeasurement."""
    vectors = vectors or Vectors(json.loads(COMMITTED.read_text()))
    async with Anvil(args=("--timestamp", str(START))) as anvil, Rpc(anvil.http_url) as rpc:
        await rpc.call("anvil_setBlockTimestampInterval", 1)
        owner, operator, stranger = anvil.accounts[:3]
        bench = Bench(
            rpc, TxSender(rpc, owner), operator, TxSender(rpc, operator), TxSender(rpc, stranger), ()
        )
        scene = _Scene(bench, vectors, prove or vectors.proof)
        await scene.build()
        await scene.settle()
        await scene.root()
        return bench.figures


class _Scene:
    """A deployment with one proven model."""

    def __init__(self, bench: Bench, vectors: Vectors, prove: Prove) -> None:
        self.bench, self.vectors, self.prove = bench, vectors, prove
        self.trust = {batch: vectors.circuit(batch)[0].id for batch in (1, TOGETHER)}

    async def build(self) -> None:
        bench = self.bench
        await bench.create("VerifierRouter", bench.owner.address, keep=False)
        await bench.create("ModelRegistry", keep=False)
        parts = bench.address["VerifierRouter"], bench.address["ModelRegistry"], 86_400
        await bench.create("InferenceHub", *parts, keep=False)
        router = VerifierRouter(bench.rpc, bench.address["VerifierRouter"])
        verifier = await bench.create("ZkVerifier", bench.hub.address)
        await bench.send(bench.owner, router.add(ZK, verifier, "Proven"))
        verifier = await bench.create("BatchVerifier", bench.hub.address, keep=False)
        await bench.send(bench.owner, router.add(BATCHED, verifier, "Batched"))
        nodes = NodeRegistry(bench.rpc, await bench.hub.nodes())
        await bench.send(bench.relayer, nodes.register("https://node.example"))
        # An operator at work has credit: every later fee changes a slot that is not zero.
        await bench.send(bench.owner, bench.hub.deposit(1, bench.operator.address))
        await bench.create("WordKeeper", bench.hub.address, keep=False)

        models = ModelRegistry(bench.rpc, bench.address["ModelRegistry"])
        await bench.send(bench.owner, models.publish(MODEL, self.vectors.manifest), "zk.publish")
        ids = tuple(self.trust.values())
        for batch in self.trust:
            circuit, creation = self.vectors.circuit(batch)
            name = f"zk.deployVerifier{'10k' if batch == 1 else f'Batch{batch}'}"
            receipt = await bench.send(bench.owner, Call(None, creation), name)
            bound = BoundCircuit.of(circuit, receipt.contract or "")
            call = models.bind_circuit(self.vectors.manifest, ids, bound)
            await bench.send(bench.stranger, call, "zk.bindCircuit" if batch == 1 else None)

    async def settle(self) -> None:
        """Delivered, then proven."""
        bench, row = self.bench, self.vectors.rows[0]
        terms = await self._ask(1, row, route=ZK, trust=self.trust[1], prove_within=3600)
        claim = self._claim(terms, row)
        signature = bench.operator.sign_claim(claim, CHAIN_ID, bench.hub.address).proof
        deliver = bench.hub.deliver(terms, bench.operator.address, row[1], signature)
        await self._step(deliver, "zk.deliver10k", DeliveredLog)
        proof = await self.prove(1, [row], context(claim.digest(CHAIN_ID, bench.hub.address)))
        seal = ZkSeal(self._row(1, row), proof).seal
        settle = bench.hub.settle(terms, bench.operator.address, row[1], bytes(seal))
        await self._step(settle, "zk.settle10k", SettledLog)
        await bench.stored(Fulfilment(terms, bench.operator.address, row[1], b""), "WordKeeper", "words")

    async def root(self) -> None:
        """Sixteen questions, one proof of all answers, then one of them settled under the root."""
        bench, trust = self.bench, self.trust[TOGETHER]
        circuit = self.vectors.circuit(TOGETHER)[0]
        asked = {}
        for salt, row in enumerate(self.vectors.rows, 100):
            terms = await self._ask(salt, row, route=BATCHED, trust=trust_in(ZK, trust))
            asked[terms.id(CHAIN_ID, bench.hub.address)] = terms, row
        items = [BatchItem(key, self._row(TOGETHER, row)) for key, (_, row) in asked.items()]
        model, place = keccak(self.vectors.manifest), (CHAIN_ID, bench.hub.address)
        batch = ZkBatch.of(circuit, model, bench.operator.address, items, *place)
        rows = [asked[item.request_id][1] for item in batch.items]
        proof = await self.prove(TOGETHER, rows, context(batch.claim.digest(*place)))
        roots = BatchVerifier(bench.rpc, bench.address["BatchVerifier"])
        call = roots.seal_root(batch.root, batch.operator, trust, batch.seal(proof))
        receipt = await bench.send(bench.relayer, call, "zk.root16")
        bench.figures["zk.batch16"] = -(-receipt.gas_used // TOGETHER)

        claim = batch.claims[0]
        terms, row = asked[claim.request_id]
        tree = MerkleTree.of(each.digest(*place) for each in batch.claims)
        leaf = BatchSeal(ZK, trust, tree.proof(claim.digest(*place))).seal
        item = Fulfilment(terms, bench.operator.address, row[1], bytes(leaf))
        await bench.fulfil(item, "zk.claimOf16")
        await bench.stored(item, "WordKeeper", "words")

    async def _ask(self, salt: int, row: tuple[bytes, bytes], **changes: Any) -> Request:
        terms = await self.bench.terms(
            **{
                "callback_gas": CALLBACK_GAS,
                "deliver_by": DELIVER_BY,
                "model_id": keccak(self.vectors.manifest),
                "input_hash": keccak(row[0]),
                "salt": salt,
            }
            | changes
        )
        call = self.bench.call("WordKeeper", "ask", terms.to_abi(), row[0], value=FEE)
        return await self.bench.ask(call)

    async def _step(self, call: Call, name: str, kind: type) -> None:
        receipt = await self.bench.send(self.bench.relayer, call, name)
        logged = [type(log) for log in receipt_logs(receipt, self.bench.hub.address)]
        if logged != [kind]:
            raise WrongMeasurement(f"{name} logged {logged}")

    def _row(self, batch: int, row: tuple[bytes, bytes]) -> Row:
        return self.vectors.circuit(batch)[0].row(*row)

    def _claim(self, terms: Request, row: tuple[bytes, bytes]) -> Claim:
        here = terms.id(CHAIN_ID, self.bench.hub.address)
        return Claim(here, terms.model_id, terms.input_hash, keccak(row[1]), self.bench.operator.address)


async def remake(folder: Path) -> None:
    """Compiles both circuits, proves both claims, and writes the file."""
    from scripts.gallery.models import GALLERY
    from scripts.gallery.proofs import STRINGS, words
    from vouch.circuit.codec import to_words
    from vouch.prover import proving, srs, toolchain
    from vouch.prover.build import build
    from vouch.prover.lowering.quantise import quantise

    entry, tools = GALLERY[MODEL], toolchain.find(paths.ZK)
    string = await asyncio.to_thread(srs.ensure_dev, STRINGS, 1 << 18, _say)
    unseen = entry.unseen()
    made = await asyncio.to_thread(
        lambda: quantise(
            entry.path,
            unseen.inputs,
            labels=unseen.labels,
            max_error=entry.max_error,
            input_decimals=entry.input_decimals,
        )
    )
    files = await build(
        made, folder / MODEL, name=MODEL, srs=string, toolchain=tools, batches=(1, TOGETHER), progress=_say
    )
    given = words(unseen.inputs[:TOGETHER], entry.input_decimals)
    rows = [(to_words(x), to_words(y)) for x, y in zip(given, files.model.run_many(given), strict=True)]
    proofs: dict[str, str] = {}

    async def prove(batch: int, of: Sequence[tuple[bytes, bytes]], about: int) -> bytes:
        proof = await proving.prove(files, batch, of, about, srs=string, toolchain=tools, progress=_say)
        _say(f"{batch} at once: {proof.cpu_seconds:.2f} CPU-s, {proof.peak_bytes / 2**20:.0f} MB")
        proofs[hex(about)] = proof.data.hex()
        return proof.data

    data = {
        "srs": files.srs,
        "manifest": bytes(files.manifest).decode(),
        "circuits": {
            str(batch): {
                "code_hash": built.circuit.code_hash.hex(),
                "commitment": built.circuit.commitment,
                "input": asdict(built.circuit.input),
                "output": asdict(built.circuit.output),
                "creation": built.verifier.creation.hex(),
            }
            for batch, built in files.circuits.items()
        },
        "rows": [[x.hex(), y.hex()] for x, y in rows],
        "proofs": proofs,
    }
    for name, gas in (await measure_zk(Vectors(data), prove)).items():
        _say(f"{name}: {gas:,}")
    COMMITTED.write_text(json.dumps(data, indent=1) + "\n")


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="vouch-gas-zk-") as folder:
        asyncio.run(remake(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
