"""Gas of whole transactions and bytes of code, measured on a fresh Anvil.

Keys, salts, inputs and block times are fixed: the same contracts give the same figures to the last unit.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from scripts.gas_bench import (
    BATCH,
    CALLBACK_GAS,
    CHAIN_ID,
    FEE,
    LEAVES,
    MANIFEST,
    START,
    Bench,
    Figures,
    WrongMeasurement,
    question,
)
from scripts.gas_gap import gap, lending
from scripts.gas_nitro import enclaves
from scripts.p384.measure import FIXED, signature
from vouch.attestation.p384 import prove
from vouch.chain.anvil import Anvil
from vouch.chain.batch_verifier import BatchVerifier
from vouch.chain.contracts import (
    Fulfilment,
    ModelRegistry,
    NodeRegistry,
    VerifierRouter,
)
from vouch.chain.events import (
    SettledLog,
    receipt_logs,
)
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.protocol.batch import BATCHED, Batch, trust_in
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Status


async def deploy(bench: Bench) -> None:
    owner = bench.owner.address
    await bench.create("VerifierRouter", owner)
    await bench.create("ModelRegistry")
    await bench.create(
        "InferenceHub", bench.address["VerifierRouter"], bench.address["ModelRegistry"], 86_400
    )
    bench.address["NodeRegistry"] = await bench.hub.nodes()
    await bench.size("NodeRegistry")
    verifier = await bench.create("SignatureVerifier", bench.hub.address)
    router = VerifierRouter(bench.rpc, bench.address["VerifierRouter"])
    await bench.send(bench.owner, router.add(SIGNED, verifier, "Signed"), "router.add")


async def registries(bench: Bench) -> None:
    nodes = NodeRegistry(bench.rpc, bench.address["NodeRegistry"])
    models = ModelRegistry(bench.rpc, bench.address["ModelRegistry"])
    await bench.send(bench.relayer, nodes.register("https://node.example"), "registry.register")
    await bench.send(bench.owner, models.publish("bench", MANIFEST), "models.publish1k")
    await bench.send(bench.relayer, nodes.set_price(keccak(MANIFEST), FEE, 1), "registry.setPrice")
    await bench.send(bench.relayer, nodes.stake(FEE), "registry.stake")


async def ledger(bench: Bench) -> None:
    # An operator at work has credit: every later fee changes a slot that is not zero.
    await bench.send(bench.owner, bench.hub.deposit(1, bench.operator.address))
    await bench.send(bench.owner, bench.hub.deposit(1, bench.owner.address), "hub.depositFirst")
    await bench.send(bench.owner, bench.hub.deposit(FEE, bench.owner.address), "hub.deposit")
    await bench.send(bench.owner, bench.hub.withdraw(FEE, bench.stranger.address), "hub.withdraw")


async def hub(bench: Bench) -> None:
    """The main path: one question and its answer, then a batch."""
    await bench.create("BenchConsumer", bench.hub.address, keccak(MANIFEST), SIGNED, CALLBACK_GAS, keep=False)

    async def ask(salt: int, name: str | None = None) -> Fulfilment:
        call = bench.call("BenchConsumer", "ask", salt, question(salt), value=FEE)
        return bench.answer(await bench.ask(call, name), keccak(b"answer %d" % salt))

    await ask(1)
    item = await ask(2, "hub.request")
    await bench.fulfil(item, "hub.fulfil")
    await bench.stored(item)

    items = [await ask(salt) for salt in range(100, 100 + BATCH)]
    receipt = await bench.send(bench.relayer, bench.hub.fulfil_many(items))
    kinds = [type(log) for log in receipt_logs(receipt, bench.hub.address)]
    if kinds != [SettledLog] * BATCH:
        raise WrongMeasurement(f"hub.fulfilMany50 logged {kinds}")
    await bench.stored(items[-1])
    bench.figures["hub.fulfilMany50"] = -(-receipt.gas_used // BATCH)


async def endings(bench: Bench) -> None:
    """Other currencies and other ends, asked by an account without code."""
    token = await bench.create("HostileToken", keep=False)
    await bench.send(bench.owner, bench.call("HostileToken", "mint", bench.owner.address, 10 * FEE))
    await bench.send(bench.owner, bench.call("HostileToken", "approve", bench.hub.address, 10 * FEE))
    await bench.send(bench.owner, bench.hub.deposit(10 * FEE, bench.owner.address, token), "hub.depositErc20")
    terms = await bench.terms(token=token, input_hash=keccak(question(3)), salt=3)
    await bench.ask(bench.hub.request(terms, question(3)), "hub.requestErc20")
    await bench.fulfil(bench.answer(terms, keccak(b"answer 3")), "hub.fulfilErc20First")

    late = replace(terms, token=NATIVE, salt=4)
    await bench.ask(bench.hub.request(late, question(3)), "hub.requestByAccount")
    await bench.rpc.call("evm_setNextBlockTimestamp", late.deliver_by + 1)
    await bench.send(bench.stranger, bench.hub.expire(late), "hub.expire")

    # The same consumer with too little gas for its callback, until somebody retries with more.
    model = keccak(MANIFEST)
    await bench.create("BenchConsumer", bench.hub.address, model, SIGNED, 5_000, keep=False)
    ask = bench.call("BenchConsumer", "ask", 5, question(5), value=FEE)
    item = bench.answer(await bench.ask(ask), keccak(b"answer 5"))
    await bench.fulfil(item, "hub.fulfilCallbackFails", callback=False)
    retry = bench.hub.retry_callback(item.request, item.operator, item.output, CALLBACK_GAS)
    await bench.send(bench.stranger, retry, "hub.retryCallback")
    await bench.stored(item)
    if await bench.hub.status_of(late.id(CHAIN_ID, bench.hub.address)) != Status.EXPIRED:
        raise WrongMeasurement("hub.expire did not expire")


async def examples(bench: Bench) -> None:
    common = (bench.hub.address, keccak(MANIFEST), SIGNED, bytes(32))
    await bench.create("RiskGate", *common, 10**17)
    await bench.create("ChatOracle", *common)
    features = [i * 10**17 + 1 for i in range(1, 6)]
    loan = bench.call("RiskGate", "ask", 1, features, NATIVE, value=FEE)
    terms = await bench.ask(loan, "examples.riskGate.ask")
    await bench.fulfil(bench.answer(terms, (5 * 10**16).to_bytes(32, "big")), "examples.riskGate.fulfil")
    chat = bench.call("ChatOracle", "ask", "Is this loan a good idea?", NATIVE, value=FEE)
    terms = await bench.ask(chat, "examples.chatOracle.ask")
    await bench.fulfil(bench.answer(terms, b"Not without a second look."), "examples.chatOracle.fulfil")


async def seals(bench: Bench) -> None:
    """One answer each through the other verifiers, to a consumer that stores a word as in `hub.fulfil`."""
    router = VerifierRouter(bench.rpc, bench.address["VerifierRouter"])
    for route, name in ((QUORUM, "QuorumVerifier"), (BATCHED, "BatchVerifier")):
        verifier = await bench.create(name, bench.hub.address)
        await bench.send(bench.owner, router.add(route, verifier, name))
    await bench.create("WordKeeper", bench.hub.address, keep=False)

    async def ask(salt: int, route: bytes, trust: bytes) -> tuple[Request, bytes]:
        terms = await bench.terms(callback_gas=CALLBACK_GAS, route=route, trust=trust, salt=salt)
        call = bench.call("WordKeeper", "ask", terms.to_abi(), question(salt), value=FEE)
        return await bench.ask(call), keccak(b"answer %d" % salt)

    policy = Policy.of(3, (key.address for key in bench.signers))
    terms, output = await ask(6, QUORUM, policy.trust)
    claim = bench.claim(terms, output)
    signed = [bench.sign(key, claim) for key in bench.signers[:3]]
    quorum = QuorumSeal.collect(policy, claim, CHAIN_ID, bench.hub.address, signed)
    item = bench.answer(terms, output, quorum.seal)
    await bench.fulfil(item, "quorum.verify3of5")
    await bench.stored(item, "WordKeeper", "words")

    terms, output = await ask(7, BATCHED, trust_in(SIGNED, bytes(32)))
    claim = bench.claim(terms, output)
    others = [replace(claim, request_id=keccak(b"request %d" % i)) for i in range(1, LEAVES)]
    batch = Batch.of([claim, *others], CHAIN_ID, bench.hub.address)
    root = bench.sign(bench.operator, batch.claim)
    view = BatchVerifier(bench.rpc, bench.address["BatchVerifier"])
    call = view.seal_root(batch.tree.root, bench.operator.address, bytes(32), root)
    await bench.send(bench.relayer, call, "batch.root1000")
    item = bench.answer(terms, output, batch.seal(claim, SIGNED, bytes(32)))
    await bench.fulfil(item, "batch.claimOf1000")
    await bench.stored(item, "WordKeeper", "words")


async def signatures(bench: Bench) -> None:
    """One P-384 signature, hints and all, always of the same message by the same key."""
    signed = signature(FIXED)
    call = bench.call("P384", "verify", *signed.to_bytes(), prove(signed))
    await bench.send(bench.stranger, call, "nitro.p384Verify")


async def hashing(bench: Bench) -> None:
    """One more block of SHA-384: 36 blocks less 35."""
    await bench.create("Sha384Harness", keep=False)
    used = []
    for blocks in (35, 36):
        call = bench.call("Sha384Harness", "gasOf", bytes(blocks * 128 - 17))
        used.append(int(await bench.rpc.call("eth_call", call.to_rpc(), "latest"), 16))
    bench.figures["nitro.sha384Block"] = used[1] - used[0]


STEPS: Final[Sequence[Callable[[Bench], Awaitable[None]]]] = (
    deploy,
    registries,
    ledger,
    hub,
    endings,
    examples,
    seals,
    gap,
    lending,
    enclaves,
    signatures,
    hashing,
)


async def measure() -> Figures:
    """All figures, sorted by name. Raises WrongMeasurement, and whatever vouch.chain raises."""
    async with Anvil(args=("--timestamp", str(START))) as anvil, Rpc(anvil.http_url) as rpc:
        await rpc.call("anvil_setBlockTimestampInterval", 1)
        owner, operator, stranger, *others = anvil.accounts
        bench = Bench(
            rpc, TxSender(rpc, owner), operator, TxSender(rpc, operator), TxSender(rpc, stranger), others[:5]
        )
        for step in STEPS:
            await step(bench)
        return dict(sorted(bench.figures.items()))
