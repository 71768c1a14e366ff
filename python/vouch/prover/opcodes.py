"""The constraints that Noir's compiler wrote (ACIR), read strictly: what is not known here is refused.

The bytecode is base64(gzip(3 ‖ MessagePack)): one circuit, whose opcodes speak of numbered *witnesses*. The
public inputs come first, then the private ones, then those that the compiler added.
"""

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import msgpack

from vouch.protocol.zk import FIELD
from vouch.prover.errors import ProverError

FORMAT: Final = 3
"""First byte: MessagePack whose structs are arrays."""
STATE: Final = 4
"""Field elements that Poseidon2 permutes."""
_MAX_SIZE: Final = 1 << 30
_MAX_WITNESSES: Final = 1 << 26


class BadProgram(ProverError):
    """The compiled program is not of the form that Noir 1.0.0-beta.26 writes."""

    def __init__(self, where: str, received: object, expected: str) -> None:
        self.where, self.received, self.expected = where, received, expected
        super().__init__(
            f"{where}: received {str(received)[:120]}, expected {expected}; compile the circuit again with "
            "the toolchain of `vouch zk setup`"
        )


class Unconstrained(ProverError):
    """The program computes values outside of the constraints: a witness would need Noir's own machine."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        super().__init__(
            f"compile left unconstrained code: {', '.join(names)}; give every such value as an advice"
        )


@dataclass(frozen=True, slots=True)
class AssertZero:
    """Sum of factor·a·b, plus sum of factor·a, plus constant is 0 mod `FIELD`; a and b are witnesses."""

    products: tuple[tuple[int, int, int], ...]
    terms: tuple[tuple[int, int], ...]
    constant: int

    def __str__(self) -> str:
        return " + ".join(self._parts()) + " = 0"

    def _parts(self) -> Iterator[str]:
        for factor, a, b in self.products[:4]:
            yield f"{signed(factor)}·w{a}·w{b}"
        for factor, a in self.terms[:8]:
            yield f"{signed(factor)}·w{a}"
        if len(self.products) > 4 or len(self.terms) > 8:
            yield "..."
        yield str(signed(self.constant))


@dataclass(frozen=True, slots=True)
class Range:
    """witness < 2**bits."""

    witness: int
    bits: int

    def __str__(self) -> str:
        return f"w{self.witness} has at most {self.bits} bits"


@dataclass(frozen=True, slots=True)
class Table:
    """Values that later reads choose from: the witnesses that hold them."""

    block: int
    witnesses: tuple[int, ...]

    def __str__(self) -> str:
        return f"table {self.block} of {len(self.witnesses)} values"


@dataclass(frozen=True, slots=True)
class Read:
    """value = table[index]; index is below the table's length."""

    block: int
    index: int
    value: int

    def __str__(self) -> str:
        return f"w{self.value} is table {self.block} at w{self.index}"


@dataclass(frozen=True, slots=True)
class Permutation:
    """outputs = Poseidon2 permutation of the inputs, 4 witnesses each."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def __str__(self) -> str:
        return f"{_names(self.outputs)} are the Poseidon2 permutation of {_names(self.inputs)}"


Opcode = AssertZero | Range | Table | Read | Permutation


@dataclass(frozen=True)
class Program:
    """One circuit. Witnesses 0 to public - 1 are public, the next `private` ones private inputs."""

    public: int
    private: int
    opcodes: tuple[Opcode, ...]

    @cached_property
    def witnesses(self) -> int:
        """How many there are in all."""
        highest = self.public + self.private - 1
        for opcode in self.opcodes:
            highest = max((highest, *_used(opcode)))
        return highest + 1

    @classmethod
    def parse(cls, bytecode: str) -> Self:
        """From a compiled program's "bytecode". Raises BadProgram, Unconstrained."""
        (functions, unconstrained) = _array(_unpacked(bytecode), "program", 2)
        circuits = _array(functions, "functions", 1)
        _, opcodes, private, public, returned, _ = _array(circuits[0], "circuit", 6)
        helpers = tuple(
            str(_array(item, "unconstrained function", 2)[0]) for item in _array(unconstrained, "helpers")
        )
        if helpers:
            raise Unconstrained(helpers)
        public, private = _array(public, "public inputs"), _array(private, "private inputs")
        if [*public, *private] != list(range(len(public) + len(private))):
            raise BadProgram("inputs", (public[:4], private[:4]), "witnesses from 0, the public ones first")
        if _array(returned, "return values"):
            raise BadProgram("return values", returned, "none")
        read = tuple(_opcode(raw, index) for index, raw in enumerate(_array(opcodes, "opcodes")))
        return cls(len(public), len(private), read)


def signed(value: int) -> int:
    """The representative nearest to 0 of a field element."""
    return value if value <= FIELD // 2 else value - FIELD


def _unpacked(bytecode: str) -> Any:
    try:
        # A bound on what unpacks: the file may come from anywhere.
        machine = zlib.decompressobj(wbits=31)
        raw = machine.decompress(base64.b64decode(bytecode, validate=True), _MAX_SIZE)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise BadProgram("bytecode", error, "base64 of gzip") from error
    if not machine.eof or machine.unused_data:
        raise BadProgram("bytecode", f"{len(raw)} bytes and more", "one whole gzip stream of at most 1 GiB")
    if raw[:1] != bytes([FORMAT]):
        raise BadProgram("format", raw[:1].hex(), f"{FORMAT:02x}")
    try:
        return msgpack.unpackb(raw[1:], raw=False, strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise BadProgram("bytecode", error, "one MessagePack value") from error


def _opcode(raw: Any, index: int) -> Opcode:
    where = f"opcode {index}"
    name, body = _variant(raw, where)
    if name == "AssertZero":
        products, terms, constant = _array(body, where, 3)
        return AssertZero(
            tuple(_product(item, where) for item in _array(products, where)),
            tuple(_term(item, where) for item in _array(terms, where)),
            _element(constant, where),
        )
    if name == "BlackBoxFuncCall":
        return _black_box(body, where)
    if name == "MemoryInit":
        block, witnesses, kind = _array(body, where, 3)
        if kind != "Memory":
            raise BadProgram(where, kind, "the kind Memory")
        return Table(_number(block, where), tuple(_number(w, where) for w in _array(witnesses, where)))
    if name == "MemoryOp":
        block, operation = _array(body, where, 2)
        write, position, value = _array(operation, where, 3)
        if write is not False:
            raise BadProgram(where, raw, "a read: nothing writes to memory")
        return Read(_number(block, where), _number(position, where), _number(value, where))
    if name == "BrilligCall":
        raise Unconstrained((where,))
    raise BadProgram(where, name, "AssertZero, RANGE, MemoryInit, MemoryOp or Poseidon2Permutation")


def _black_box(body: Any, where: str) -> Opcode:
    name, arguments = _variant(body, where)
    if name == "RANGE":
        witness, bits = _array(arguments, where, 2)
        return Range(_input(witness, where), _number(bits, where))
    if name == "Poseidon2Permutation":
        inputs, outputs = _array(arguments, where, 2)
        return Permutation(
            tuple(_input(item, where) for item in _array(inputs, where, STATE)),
            tuple(_number(item, where) for item in _array(outputs, where, STATE)),
        )
    raise BadProgram(where, name, "RANGE or Poseidon2Permutation")


def _variant(raw: Any, where: str) -> tuple[str, Any]:
    if not isinstance(raw, Mapping) or len(raw) != 1:
        raise BadProgram(where, raw, "one named variant")
    ((name, body),) = raw.items()
    return str(name), body


def _array(raw: Any, where: str, length: int | None = None) -> list[Any]:
    if not isinstance(raw, list) or (length is not None and len(raw) != length):
        raise BadProgram(where, raw, "an array" if length is None else f"an array of {length}")
    return raw


def _product(raw: Any, where: str) -> tuple[int, int, int]:
    factor, a, b = _array(raw, where, 3)
    return _element(factor, where), _number(a, where), _number(b, where)


def _term(raw: Any, where: str) -> tuple[int, int]:
    factor, a = _array(raw, where, 2)
    return _element(factor, where), _number(a, where)


def _input(raw: Any, where: str) -> int:
    name, body = _variant(raw, where)
    if name != "Witness":
        raise BadProgram(where, raw, "a witness")
    return _number(body, where)


def _number(raw: Any, where: str) -> int:
    if type(raw) is not int or not 0 <= raw < _MAX_WITNESSES:
        raise BadProgram(where, raw, f"a number below {_MAX_WITNESSES}")
    return raw


def _element(raw: Any, where: str) -> int:
    if not isinstance(raw, bytes) or len(raw) != 32 or (value := int.from_bytes(raw, "big")) >= FIELD:
        raise BadProgram(where, raw, "32 bytes below the field's order")
    return value


def _used(opcode: Opcode) -> Iterator[int]:
    match opcode:
        case AssertZero(products, terms):
            for _, a, b in products:
                yield from (a, b)
            yield from (a for _, a in terms)
        case Range(witness):
            yield witness
        case Table(_, witnesses):
            yield from witnesses
        case Read(_, index, value):
            yield from (index, value)
        case Permutation(inputs, outputs):
            yield from (*inputs, *outputs)


def _names(witnesses: tuple[int, ...]) -> str:
    return ", ".join(f"w{w}" for w in witnesses)
