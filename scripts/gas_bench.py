"""A fresh deployment on a chain where everything is fixed, and the words in which its gas is measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.contract import codec, creation
from tests.support.terms import make_terms
from vouch.chain.account import LocalKey
from vouch.chain.contracts import (
    Call,
    Fulfilment,
    Hub,
)
from vouch.chain.events import (
    CallbackFailedLog,
    RequestedLog,
    SettledLog,
    receipt_logs,
)
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import MAX_TX_GAS, Receipt
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.protocol.seal import Seal

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
