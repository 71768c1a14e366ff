"""Codecs of ABI types, functions and events, made to be built once and used often."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from eth_abi.decoding import ContextFramesBytesIO, TupleDecoder
from eth_abi.encoding import TupleEncoder
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import registry

from vouch.chain.errors import ChainError
from vouch.chain.hexes import checksum
from vouch.chain.transaction import Log
from vouch.protocol.keccak import keccak

EventArgs = dict[str, Any]
"""Arguments of an event by name; indexed ones of dynamic type are their keccak256."""


class BadAbiData(ChainError):
    """Bytes are no encoding of a type, or values do not fit it."""

    def __init__(self, what: str, reason: str) -> None:
        self.what, self.reason = what, reason
        super().__init__(f"{what}: {reason}")


class Codec:
    """Encoder and decoder of one list of types. Tuples are Python tuples, addresses checksummed hex."""

    __slots__ = ("_decoder", "_encoder", "_fixers", "names", "types", "what")

    def __init__(self, what: str, types: tuple[str, ...], names: tuple[str, ...]) -> None:
        self.what, self.types, self.names = what, types, names
        self._encoder = TupleEncoder(  # type: ignore[no-untyped-call]
            encoders=[registry.get_encoder(t) for t in types]
        )
        self._decoder = TupleDecoder(  # type: ignore[no-untyped-call]
            decoders=[registry.get_decoder(t) for t in types]
        )
        # Only a type that mentions addresses needs its values looked through.
        self._fixers = tuple("address" in t for t in types)

    @classmethod
    def of(cls, what: str, params: Sequence[Mapping[str, Any]]) -> "Codec":
        """For ABI parameters as in the JSON."""
        names = tuple(p["name"] or f"arg{i}" for i, p in enumerate(params))
        return cls(what, tuple(type_of(p) for p in params), names)

    def encode(self, values: Sequence[Any]) -> bytes:
        """abi.encode(values...); raises BadAbiData."""
        if len(values) != len(self.types):
            raise BadAbiData(self.what, f"takes {len(self.types)} arguments, not {len(values)}")
        try:
            return bytes(self._encoder(values))
        except (EncodingError, TypeError) as bad:
            raise BadAbiData(self.what, str(bad)) from bad

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """abi.decode(data, (types...)); raises BadAbiData, whatever the bytes are."""
        try:
            values = self._decoder(ContextFramesBytesIO(data))  # type: ignore[no-untyped-call]
        except (DecodingError, UnicodeDecodeError, OverflowError, ValueError) as bad:
            raise BadAbiData(self.what, f"{len(data)} bytes are no ({','.join(self.types)}): {bad}") from bad
        return tuple(
            _checksummed(value, kind) if fix else value
            for value, kind, fix in zip(values, self.types, self._fixers, strict=True)
        )


def _checksummed(value: Any, kind: str) -> Any:
    # Addresses come as 42-character lower-case strings; no other ABI value is decoded to one by accident
    # except a string, so strings are told apart by their type.
    if kind == "address":
        return checksum(value)
    if kind.endswith("]"):
        return tuple(_checksummed(v, kind[: kind.rindex("[")]) for v in value)
    if kind.startswith("("):
        return tuple(_checksummed(v, k) for v, k in zip(value, _members(kind), strict=True))
    return value


@cache
def _members(kind: str) -> tuple[str, ...]:
    """Types inside of "(a,(b,c),d[])"."""
    members, depth, start = [], 0, 1
    for i, c in enumerate(kind):
        depth += (c == "(") - (c == ")")
        if (c == "," and depth == 1) or (c == ")" and depth == 0 and i > 1):
            members.append(kind[start:i])
            start = i + 1
    return tuple(members)


def type_of(param: Mapping[str, Any]) -> str:
    """Canonical type of an ABI parameter, tuples spelled out."""
    kind = str(param["type"])
    if not kind.startswith("tuple"):
        return kind
    return "(" + ",".join(type_of(p) for p in param["components"]) + ")" + kind.removeprefix("tuple")


class Function:
    """One function: calldata from arguments, results from returned bytes."""

    __slots__ = ("inputs", "outputs", "selector", "signature")

    def __init__(self, contract: str, member: Mapping[str, Any]) -> None:
        what = f"{contract}.{member['name']}"
        self.inputs, self.outputs = Codec.of(what, member["inputs"]), Codec.of(what, member["outputs"])
        self.signature = f"{member['name']}({','.join(self.inputs.types)})"
        self.selector = keccak(self.signature.encode())[:4]

    def encode(self, args: Sequence[Any] = ()) -> bytes:
        """Calldata; raises BadAbiData."""
        return self.selector + self.inputs.encode(args)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Returned values; raises BadAbiData (an address without code returns nothing)."""
        return self.outputs.decode(data)

    def decode_input(self, data: bytes) -> tuple[Any, ...]:
        """Arguments of calldata; raises BadAbiData, for another function's too."""
        if data[:4] != self.selector:
            raise BadAbiData(self.signature, f"selector {data[:4].hex()} is another function's")
        return self.inputs.decode(data[4:])


class Event:
    """One event: its topic and its arguments from a log."""

    __slots__ = ("_data", "_params", "_topics", "signature", "topic0")

    def __init__(self, contract: str, member: Mapping[str, Any]) -> None:
        params = member["inputs"]
        what = f"{contract}.{member['name']}"
        self._params = tuple((p["name"], bool(p["indexed"])) for p in params)
        self._data = Codec.of(what, [p for p in params if not p["indexed"]])
        self._topics = tuple(Codec.of(what, [_topic(p)]) for p in params if p["indexed"])
        self.signature = f"{member['name']}({','.join(type_of(p) for p in params)})"
        self.topic0 = keccak(self.signature.encode())

    def matches(self, log: Log) -> bool:
        """True if the log has this event's first topic."""
        return bool(log.topics) and log.topics[0] == self.topic0

    def decode(self, log: Log) -> EventArgs:
        """Arguments by name; raises BadAbiData for a log of another shape."""
        if not self.matches(log) or len(log.topics) != 1 + len(self._topics):
            raise BadAbiData(self.signature, "the log's topics are another event's")
        topics = iter(
            codec.decode(topic)[0] for codec, topic in zip(self._topics, log.topics[1:], strict=True)
        )
        values = iter(self._data.decode(log.data))
        return {name: next(topics if indexed else values) for name, indexed in self._params}


def _topic(param: Mapping[str, Any]) -> Mapping[str, Any]:
    dynamic = (
        param["type"] in ("string", "bytes") or param["type"].startswith("tuple") or "[" in param["type"]
    )
    return {"name": param["name"], "type": "bytes32"} if dynamic else param
