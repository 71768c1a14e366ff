"""Transactions on their way to the chain, and what comes back.

Hashes are 32 bytes, addresses checksummed hex, money wei.
"""

from dataclasses import dataclass, field
from typing import Any, Self

import rlp
from rlp.exceptions import RLPException

from vouch.chain.errors import ChainError
from vouch.chain.hexes import checksum, to_bytes, to_hex
from vouch.protocol.keccak import keccak

MAX_TX_GAS = 16_777_216
"""Most gas of one transaction (EIP-7825)."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction does, before nonce, gas and fees: `to` is None for a contract creation."""

    to: str | None
    data: bytes
    value: int = 0

    def to_rpc(self, sender: str | None = None, gas: int | None = None) -> dict[str, str]:
        """Call object for eth_call and eth_estimateGas."""
        made = {"data": to_hex(self.data)}
        if self.to is not None:
            made["to"] = self.to
        if self.value:
            made["value"] = hex(self.value)
        if sender is not None:
            made["from"] = sender
        if gas is not None:
            made["gas"] = hex(gas)
        return made


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees per gas in wei; on a chain without EIP-1559 `legacy` is true and `max_fee` is the gas price."""

    max_fee: int
    priority: int
    legacy: bool = False


class BadTransaction(ChainError):
    """Bytes are no signed transaction of a kind that Vouch sends."""

    def __init__(self, raw: bytes, reason: str) -> None:
        self.raw, self.reason = raw, reason
        super().__init__(f"{len(raw)} bytes are no signed type 2 or EIP-155 transaction: {reason}")


AccessList = tuple[tuple[str, tuple[bytes, ...]], ...]
"""(address, 32-byte storage keys) pairs (EIP-2930)."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """Everything that gets signed: EIP-1559 (type 2), or EIP-155 legacy if its fees say so."""

    chain_id: int
    nonce: int
    gas: int
    fees: Fees
    call: Call
    access_list: AccessList = ()

    def payload(self, signature: tuple[int, int, int] | None = None) -> bytes:
        """Bytes to hash for signing, or with (y parity, r, s) the raw transaction."""
        to = b"" if self.call.to is None else to_bytes(self.call.to)
        if self.fees.legacy:
            body: list[Any] = [self.nonce, self.fees.max_fee, self.gas, to, self.call.value, self.call.data]
            if signature is None:
                return bytes(rlp.encode([*body, self.chain_id, 0, 0]))
            return bytes(rlp.encode([*body, self.chain_id * 2 + 35 + signature[0], *signature[1:]]))
        access = [[to_bytes(address), list(keys)] for address, keys in self.access_list]
        fees = [self.fees.priority, self.fees.max_fee]
        head: list[Any] = [
            self.chain_id,
            self.nonce,
            *fees,
            self.gas,
            to,
            self.call.value,
            self.call.data,
            access,
        ]
        return b"\x02" + bytes(rlp.encode([*head, *(signature or ())]))


@dataclass(frozen=True, slots=True)
class SentTx:
    """A signed transaction: enough to broadcast its bytes again, or to replace them at the same nonce."""

    hash: bytes
    raw: bytes = field(repr=False)
    nonce: int
    transaction: Transaction = field(repr=False)

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """From the bytes of a signed EIP-1559 or EIP-155 transaction that was stored.

        Raises:
            BadTransaction: anything else.
        """
        try:
            transaction = _parse(raw)
        except (RLPException, ValueError, IndexError) as bad:
            raise BadTransaction(raw, str(bad)) from bad
        return cls(keccak(raw), raw, transaction.nonce, transaction)


@dataclass(frozen=True, slots=True)
class Log:
    """An event as the chain has it. `removed` marks a log that a reorg took back."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log_index: int
    removed: bool = False

    @classmethod
    def from_rpc(cls, log: dict[str, Any]) -> Self:
        return cls(
            address=checksum(log["address"]),
            topics=tuple(to_bytes(topic) for topic in log["topics"]),
            data=to_bytes(log["data"]),
            block_number=int(log["blockNumber"], 16),
            block_hash=to_bytes(log["blockHash"]),
            tx_hash=to_bytes(log["transactionHash"]),
            log_index=int(log["logIndex"], 16),
            removed=bool(log.get("removed", False)),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a mined transaction did; `succeeded` is false if it reverted. Gas price in wei."""

    tx_hash: bytes
    block_number: int
    block_hash: bytes
    index: int
    succeeded: bool
    gas_used: int
    gas_price: int
    sender: str
    to: str | None
    contract: str | None
    logs: tuple[Log, ...] = field(repr=False)

    @classmethod
    def from_rpc(cls, receipt: dict[str, Any]) -> Self:
        to, contract = receipt.get("to"), receipt.get("contractAddress")
        return cls(
            tx_hash=to_bytes(receipt["transactionHash"]),
            block_number=int(receipt["blockNumber"], 16),
            block_hash=to_bytes(receipt["blockHash"]),
            index=int(receipt["transactionIndex"], 16),
            succeeded=int(receipt["status"], 16) == 1,
            gas_used=int(receipt["gasUsed"], 16),
            gas_price=int(receipt.get("effectiveGasPrice") or "0x0", 16),
            sender=checksum(receipt["from"]),
            to=checksum(to) if to else None,
            contract=checksum(contract) if contract else None,
            logs=tuple(Log.from_rpc(log) for log in receipt["logs"]),
        )


def _parse(raw: bytes) -> Transaction:
    typed = raw[:1] == b"\x02"
    if not typed and raw[:1] < b"\xc0":
        raise ValueError(f"type {raw[:1].hex() or 'missing'}")
    fields: list[Any] = rlp.decode(raw[1:] if typed else raw)
    if len(fields) != (12 if typed else 9):
        raise ValueError(f"{len(fields)} fields")
    number = [int.from_bytes(f, "big") if isinstance(f, bytes) else 0 for f in fields]
    if typed:
        access = tuple((checksum(address), tuple(keys)) for address, keys in fields[8])
        call = _call(fields[5], number[6], fields[7])
        return Transaction(number[0], number[1], number[4], Fees(number[3], number[2]), call, access)
    if number[6] < 35:
        raise ValueError("it names no chain (EIP-155)")
    fees = Fees(number[1], number[1], legacy=True)
    return Transaction(
        (number[6] - 35) // 2, number[0], number[2], fees, _call(fields[3], number[4], fields[5])
    )


def _call(to: bytes, value: int, data: bytes) -> Call:
    return Call(checksum(to) if to else None, data, value)
