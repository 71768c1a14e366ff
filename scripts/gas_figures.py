"""Gas of whole transactions and bytes of code, measured on a fresh Anvil.

Keys, salts, inputs and block times are fixed: the same contracts give the same figures to the last unit.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.support.contract import codec, creation
from tests.support.terms import make_terms
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.batch_verifier import BatchVerifier
from vouch.chain.contracts import (
    Call,
    Fulfilment,
    Hub,
    ModelRegistry,
    NodeRegistry,
    SignedOutput,
    VerifierRouter,
)
from vouch.chain.events import (
    CallbackFailedLog,
    ChallengedLog,
    DeliveredLog,
    EquivocatedLog,
    RejectedLog,
    RequestedLog,
    SettledLog,
    UnchallengedLog,
    receipt_logs,
)
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import MAX_TX_GAS, Receipt
from vouch.protocol.batch import BATCHED, Batch, trust_in
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED, Seal
from vouch.protocol.status import Status

START: Final = 1_800_000_000
"""Unix seconds of the first block; every further block is one second later."""
FEE: Final = 10**15
CALLBACK_GAS: Final = 40_000
BATCH: Final = 50
LEAVES: Final = 1000
CHAIN_ID: Final = 31337
MANIFEST: Final = b'{"artefact":{"format":"onnx"},"name":"bench","vouch":1}' + b" " * 969

Figures = dict[str, int]


class WrongMeasurement(Exception):
    """A transaction did something else than what its figure is named after."""


@dataclass(slots=True)
class Bench:
    """A fresh deployment, and the figures taken from it so far."""

    rpc: Rpc
    owner: TxSender
    operator: LocalKey
    relayer: TxSender
    stranger: TxSender
    signers: Sequence[LocalKey]
    figures: Figures = field(default_factory=dict)
    address: dict[str, str] = field(default_factory=dict)

    @property
    def hub(self) -> Hub:
        return Hub(self.rpc, self.address["InferenceHub"])

    async def send(self, sender: TxSender, call: Call, name: str | None = None) -> Receipt:
        """Mines the call, and keeps its gas under `name`. A revert raises: it is no figure."""
        receipt = await sender.transact(call, gas=MAX_TX_GAS, simulate=False)
        if name is not None:
            self.figures[name] = receipt.gas_used
        return receipt

    async def create(self, name: str, *args: object, keep: bool = True) -> str:
        receipt = await self.send(self.owner, creation(name, *args), f"deploy.{name}" if keep else None)
        if receipt.contract is None:
            raise WrongMeasurement(f"{name} has no address")
        self.address[name] = receipt.contract
        if keep:
            await self.size(name)
        return receipt.contract

    async def size(self, name: str) -> None:
        code = await self.rpc.call("eth_getCode", self.address[name], "latest")
        self.figures[f"size.{name}"] = len(to_bytes(code))

    def call(self, name: str, method: str, *args: Any, value: int = 0) -> Call:
        return Call(self.address[name], codec(name, method).encode(args), value)

    async def terms(self, **changes: Any) -> Request:
        """The owner's own question: native fee, any operator, the signature route, an hour's time."""
        now = int((await self.rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"], 16)
        return make_terms(
            **{"consumer": self.owner.address, "deliver_by": now + 3600, "model_id": keccak(MANIFEST)}
            | changes
        )

    async def ask(self, call: Call, name: str | None = None) -> Request:
        """Sends a call that asks one question, and returns its terms as the chain has them."""
        receipt = await self.send(self.owner, call, name)
        match receipt_logs(receipt, self.hub.address):
            case [RequestedLog(request=terms)]:
                return terms
            case logs:
                raise WrongMeasurement(f"{name or 'a question'} logged {logs}")

    def claim(self, terms: Request, output: bytes) -> Claim:
        id_ = terms.id(CHAIN_ID, self.hub.address)
        return Claim(id_, terms.model_id, terms.input_hash, keccak(output), self.operator.address)

    def answer(self, terms: Request, output: bytes, seal: Seal | None = None) -> Fulfilment:
        """Sealed by the operator's signature unless said otherwise."""
        seal = seal or self.sign(self.operator, self.claim(terms, output))
        return Fulfilment(terms, self.operator.address, output, bytes(seal))

    def sign(self, key: LocalKey, claim: Claim) -> Seal:
        return key.sign_claim(claim, CHAIN_ID, self.hub.address)

    async def fulfil(self, item: Fulfilment, name: str | None = None, *, callback: bool = True) -> None:
        call = self.hub.fulfil(item.request, item.operator, item.output, item.seal)
        receipt = await self.send(self.relayer, call, name)
        kinds = [type(log) for log in receipt_logs(receipt, self.hub.address)]
        if kinds != ([SettledLog] if callback else [SettledLog, CallbackFailedLog]):
            raise WrongMeasurement(f"{name or 'fulfil'} logged {kinds}")

    async def stored(
        self, item: Fulfilment, consumer: str = "BenchConsumer", getter: str = "results"
    ) -> None:
        """Raises WrongMeasurement unless the consumer's callback has stored the answer."""
        call = self.call(consumer, getter, item.request.salt)
        word = to_bytes(await self.rpc.call("eth_call", call.to_rpc(), "latest"))
        if word != item.output:
            raise WrongMeasurement(f"the callback stored {word.hex()}, not {item.output.hex()}")


def question(number: int) -> bytes:
    """32 bytes without zeros to speak of, as fixed-point numbers or hashes are at worst."""
    return keccak(b"question %d" % number)


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


async def gap(bench: Bench) -> None:
    """One question answered in two steps: delivered with exposure and bond locked, then proven."""
    nodes = NodeRegistry(bench.rpc, bench.address["NodeRegistry"])
    await bench.send(bench.relayer, nodes.stake(10 * FEE))

    async def ask(salt: int, **changes: Any) -> Fulfilment:
        common = {"callback_gas": CALLBACK_GAS, "salt": salt, "exposure": FEE, "bond": FEE}
        terms = await bench.terms(**common | changes)
        call = bench.call("WordKeeper", "ask", terms.to_abi(), question(salt), value=FEE)
        return bench.answer(await bench.ask(call), keccak(b"answer %d" % salt))

    async def step(call: Call, name: str, kinds: list[type]) -> Receipt:
        receipt = await bench.send(bench.relayer, call, name)
        logged = [type(log) for log in receipt_logs(receipt, bench.hub.address)]
        if logged != kinds:
            raise WrongMeasurement(f"{name} logged {logged}")
        return receipt

    def deliver(item: Fulfilment) -> Call:
        return bench.hub.deliver(item.request, item.operator, item.output, item.seal[4:])

    # Another result of the operator is open all the time, as it is when it works.
    await step(deliver(await ask(20, prove_within=10**6)), "gap.deliverFirst", [DeliveredLog])
    item = await ask(21, prove_within=3600)
    await step(deliver(item), "gap.deliver", [DeliveredLog])
    settle = bench.hub.settle(item.request, item.operator, item.output, item.seal)
    await step(settle, "gap.settle", [SettledLog])
    await bench.stored(item, "WordKeeper", "words")
    bench.figures["gap.deliverAndSettle"] = bench.figures["gap.deliver"] + bench.figures["gap.settle"]

    item = await ask(22, window=60, prove_within=60)
    await step(deliver(item), "gap.deliverOptimistic", [DeliveredLog])
    challenge = bench.hub.challenge(item.request, item.operator, keccak(item.output))
    await step(challenge, "gap.challenge", [ChallengedLog])
    settle = bench.hub.settle(item.request, item.operator, item.output, item.seal)
    await step(settle, "gap.settleChallenged", [SettledLog])

    item, lost = await ask(23, window=60), await ask(24, prove_within=60)
    await step(deliver(item), "gap.deliverOptimistic", [DeliveredLog])
    await step(deliver(lost), "gap.deliver", [DeliveredLog])
    now = int((await bench.rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"], 16)
    await bench.rpc.call("evm_setNextBlockTimestamp", now + 120)
    settle = bench.hub.settle(item.request, item.operator, item.output)
    await step(settle, "gap.settleUnchallenged", [SettledLog, UnchallengedLog])
    reject = bench.hub.reject(lost.request, lost.operator, keccak(lost.output))
    await step(reject, "gap.reject", [RejectedLog])

    item = await ask(25, window=60)
    other = bench.sign(bench.operator, bench.claim(item.request, b"another"))
    pair = (
        SignedOutput(keccak(item.output), item.seal[4:]),
        SignedOutput(keccak(b"another"), bytes(other)[4:]),
    )
    await step(deliver(item), "gap.deliverOptimistic", [DeliveredLog])
    report = bench.hub.report_equivocation(item.request, item.operator, *pair)
    await step(report, "gap.reportEquivocation", [RejectedLog, EquivocatedLog])


async def lending(bench: Bench) -> None:
    """Two loans on provisional answers, one of which is never proven; the other examples are deployed."""
    own = bytes(12) + to_bytes(bench.operator.address)
    common = (bench.hub.address, keccak(MANIFEST), SIGNED, own, 10**17)
    pool = await bench.create("InstantLoan", *common, 60)
    await bench.create("CreditLimit", *common, 60, 60)
    await bench.create("RiskReader", *common)
    await bench.send(bench.owner, Call(pool, b"", 10 * FEE))
    features = [i * 10**17 + 1 for i in range(1, 6)]

    async def step(call: Call, name: str, kind: type) -> None:
        receipt = await bench.send(bench.relayer, call, f"examples.instantLoan.{name}")
        logged = [type(log) for log in receipt_logs(receipt, bench.hub.address)]
        if logged != [kind]:
            raise WrongMeasurement(f"examples.instantLoan.{name} logged {logged}")

    async def lent() -> Fulfilment:
        ask = bench.call("InstantLoan", "ask", FEE, features, NATIVE, value=FEE)
        terms = await bench.ask(ask, "examples.instantLoan.ask")
        item = bench.answer(terms, (5 * 10**16).to_bytes(32, "big"))
        deliver = bench.hub.deliver(terms, item.operator, item.output, item.seal[4:])
        await step(deliver, "deliver", DeliveredLog)
        draw = bench.call("InstantLoan", "draw", terms.id(CHAIN_ID, bench.hub.address))
        await bench.send(bench.owner, draw, "examples.instantLoan.draw")
        return item

    lost, item = await lent(), await lent()
    settle = bench.hub.settle(item.request, item.operator, item.output, item.seal)
    await step(settle, "settle", SettledLog)
    late = (await bench.hub.gap_of(lost.request)).prove_by + 1
    await bench.rpc.call("evm_setNextBlockTimestamp", late)
    reject = bench.hub.reject(lost.request, lost.operator, keccak(lost.output))
    await step(reject, "reject", RejectedLog)
    await bench.send(bench.stranger, bench.call("InstantLoan", "collect"), "examples.instantLoan.collect")


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
