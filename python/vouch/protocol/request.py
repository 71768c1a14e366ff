"""The terms of one question and their hash, the request id (`contracts/types/Request.sol`)."""

from dataclasses import astuple, dataclass, fields
from typing import Any, Self

from eth_abi.abi import decode, encode
from eth_utils.address import to_canonical_address, to_checksum_address

from vouch.protocol.keccak import keccak
from vouch.protocol.status import Gate

NATIVE = "0x0000000000000000000000000000000000000000"
ANYONE = NATIVE

REQUEST_TYPE = (
    "(address,address,address,address,uint256,uint256,uint256,uint256,uint32,uint32,uint256,uint8,"
    "bytes4,bytes32,bytes32,bytes32,uint256)"
)


@dataclass(frozen=True, slots=True)
class Request:
    """Terms of one question, field for field as in Solidity.

    Addresses are checksummed hex, times unix seconds or seconds, money in token units, hashes 32 bytes.
    """

    consumer: str
    operator: str
    refund_to: str
    token: str
    fee: int
    exposure: int
    bond: int
    deliver_by: int
    prove_within: int
    window: int
    callback_gas: int
    gate: Gate
    route: bytes
    trust: bytes
    model_id: bytes
    input_hash: bytes
    salt: int

    @classmethod
    def from_abi(cls, values: tuple[Any, ...]) -> Self:
        """From the tuple that an ABI decoder gives."""
        made = dict(zip((f.name for f in fields(cls)), values, strict=True))
        for name in ("consumer", "operator", "refund_to", "token"):
            made[name] = to_checksum_address(made[name])
        return cls(**{**made, "gate": Gate(made["gate"])})

    def to_abi(self) -> tuple[Any, ...]:
        """The tuple that an ABI encoder takes."""
        return astuple(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """From abi.encode(request); raises eth_abi's DecodingError, or ValueError for an unknown gate."""
        return cls.from_abi(decode([REQUEST_TYPE], data)[0])

    def __bytes__(self) -> bytes:
        """abi.encode(request)."""
        return encode([REQUEST_TYPE], [self.to_abi()])

    def id(self, chain_id: int, hub: str) -> bytes:
        """keccak256(abi.encode(chainId, hub, request)), the request id on that hub."""
        head = chain_id.to_bytes(32, "big") + to_canonical_address(hub).rjust(32, b"\0")
        return keccak(head + bytes(self))

    @property
    def callbacks(self) -> int:
        """How many runs of callback_gas an operator's price is for, as in the hub's `estimate`.

        Two where the consumer hears of the delivery and of the end; that answer and proof may come together
        makes it no cheaper. Rejections and retries are paid by whoever sends them.
        """
        if self.callback_gas == 0:
            return 0
        return 2 if self.gate is Gate.ON_DELIVERY and (self.window or self.prove_within) else 1

    @property
    def beneficiary(self) -> str:
        """Who is credited with refunds."""
        return self.consumer if self.refund_to == NATIVE else self.refund_to
