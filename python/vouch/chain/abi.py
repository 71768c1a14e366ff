"""The ABIs that ship with Vouch, and names for what their contracts revert with."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from vouch.chain.codec import BadAbiData, Codec, Event, EventArgs, Function
from vouch.chain.errors import ChainError
from vouch.chain.hexes import to_bytes
from vouch.chain.hints import HINTS, PANICS
from vouch.protocol.keccak import keccak

__all__ = [
    "Artefact",
    "BadAbiData",
    "Codec",
    "ContractError",
    "Event",
    "EventArgs",
    "Function",
    "UnknownAbi",
    "artefact",
    "decode_error",
    "event",
    "function",
    "names",
]


class UnknownAbi(ChainError):
    """No contract, function or event of that name ships with Vouch."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"no {kind} {name!r}; there are {', '.join(sorted(known)) or 'none'}")


@dataclass(frozen=True, slots=True)
class Artefact:
    """One compiled contract: ABI members as JSON objects, creation bytecode (empty for an interface)."""

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes

    def creation(self, *args: Any) -> bytes:
        """Data of the transaction that creates the contract; raises BadAbiData for other arguments."""
        if not self.bytecode:
            raise BadAbiData(self.name, "an interface has no bytecode: create the contract behind it")
        for member in self.abi:
            if member["type"] == "constructor":
                return self.bytecode + Codec.of(f"{self.name}.constructor", member["inputs"]).encode(args)
        return self.bytecode + Codec.of(f"{self.name}.constructor", ()).encode(args)


@cache
def names() -> tuple[str, ...]:
    """Names of all contracts that ship with Vouch, and of those in the folders of VOUCH_ABI_PATH.

    A dApp that puts its own artefacts there gets its own errors decoded.
    """
    found = (file.name for folder in _folders() for file in folder.iterdir())
    return tuple(sorted({name.removesuffix(".json") for name in found if name.endswith(".json")}))


def _folders() -> list[Traversable]:
    more = os.environ.get("VOUCH_ABI_PATH", "").split(os.pathsep)
    return [files("vouch").joinpath("abi"), *(Path(folder) for folder in more if folder)]


@cache
def artefact(name: str) -> Artefact:
    """ABI and bytecode of a contract; raises UnknownAbi."""
    for folder in _folders():
        file = folder.joinpath(f"{name}.json")
        if name in names() and file.is_file():
            loaded = json.loads(file.read_text())
            return Artefact(name, tuple(loaded["abi"]), to_bytes(loaded["bytecode"]))
    raise UnknownAbi("contract", name, names())


@cache
def function(contract: str, name: str) -> Function:
    """Codec of a contract's function, built once; raises UnknownAbi."""
    return Function(contract, _member(contract, "function", name))


@cache
def event(contract: str, name: str) -> Event:
    """Codec of a contract's event, built once; raises UnknownAbi."""
    return Event(contract, _member(contract, "event", name))


def _member(contract: str, kind: str, name: str) -> Mapping[str, Any]:
    members = [m for m in artefact(contract).abi if m["type"] == kind]
    for member in members:
        if member["name"] == name:
            return member
    raise UnknownAbi(f"{kind} of {contract}", name, [m["name"] for m in members])


@dataclass(frozen=True, slots=True)
class ContractError:
    """What a contract reverted with: the error's name, its arguments by name, and what to do about it.

    `name` is "Error" for a reason string, "Panic" for a failed check of the compiler, "" for no data at
    all, and the selector in hex if no ABI that ships with Vouch knows the error.
    """

    name: str
    args: Mapping[str, Any]
    hint: str
    data: bytes = field(repr=False)

    def __str__(self) -> str:
        shown = ", ".join(f"{k}={_show(v)}" for k, v in self.args.items())
        text = f"{self.name or 'reverted without a reason'}{f'({shown})' if shown else ''}"
        return f"{text}: {self.hint}" if self.hint else text


def _show(value: Any) -> str:
    if isinstance(value, bytes):
        # Routes are four letters; everything else reads better as hex.
        return repr(value.decode()) if len(value) == 4 and value.isalnum() else "0x" + value.hex()
    return str(value)


@cache
def _errors() -> Mapping[bytes, tuple[str, Codec]]:
    known = {
        keccak(b"Error(string)")[:4]: ("Error", Codec("Error", ("string",), ("reason",))),
        keccak(b"Panic(uint256)")[:4]: ("Panic", Codec("Panic", ("uint256",), ("code",))),
    }
    for contract in names():
        for member in artefact(contract).abi:
            if member["type"] == "error":
                codec = Codec.of(member["name"], member["inputs"])
                signature = f"{member['name']}({','.join(codec.types)})"
                known[keccak(signature.encode())[:4]] = (member["name"], codec)
    return known


def decode_error(data: bytes) -> ContractError:
    """Name, arguments and hint for what a call reverted with, which may be anything: it never raises."""
    if not data:
        return ContractError(
            "", {}, "out of gas, a failed require without a reason, or no contract there", data
        )
    selector = data[:4]
    entry = _errors().get(selector)
    if entry is None:
        return ContractError(f"0x{selector.hex()}", {"data": data[4:]}, "an error of another contract", data)
    name, codec = entry
    try:
        args = dict(zip(codec.names, codec.decode(data[4:]), strict=True))
    except BadAbiData:
        return ContractError(f"0x{selector.hex()}", {"data": data[4:]}, f"a malformed {name}", data)
    hint = PANICS.get(args["code"], "") if name == "Panic" else HINTS.get(name, "")
    return ContractError(name, args, hint, data)
