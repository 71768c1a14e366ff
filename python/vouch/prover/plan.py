"""How to fill the witnesses that a program's inputs do not give: made once for each circuit, and kept."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import msgpack

from vouch.prover.errors import ProverError
from vouch.prover.opcodes import STATE, Permutation

VERSION: Final = 1
"""Of a plan's bytes."""
_SMALL: Final = 1 << 63


class BadPlan(ProverError):
    """The bytes are no plan of this version."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a plan ({reason}): build the circuit again with `vouch zk compile`")


@dataclass(frozen=True, slots=True)
class Assign:
    """witness = sum of factor·a·b, plus sum of factor·a, plus constant, mod `FIELD`."""

    witness: int
    products: tuple[tuple[int, int, int], ...]
    terms: tuple[tuple[int, int], ...]
    constant: int


@dataclass(frozen=True, slots=True)
class Choose:
    """witness = the value, of those in `table`, at the position in `index`; all are witnesses."""

    witness: int
    index: int
    table: tuple[int, ...]


Step = Assign | Choose | Permutation


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fill the witnesses from `public + private` up to `witnesses - 1`, in this order.

    Raises BadPlan if a step uses what is not filled yet, or if a witness is filled twice or never.
    """

    public: int
    private: int
    witnesses: int
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if any(type(count) is not int or count < 0 for count in (self.public, self.private, self.witnesses)):
            raise BadPlan(f"{self.public}, {self.private} and {self.witnesses} witnesses")
        known = set(range(self.public + self.private))
        for index, step in enumerate(self.steps):
            used, filled = _touched(step)
            if not all(type(w) is int and w in known for w in used):
                raise BadPlan(f"step {index} uses witnesses that no step before fills")
            for witness in filled:
                if type(witness) is not int or witness in known:
                    raise BadPlan(f"step {index} fills witness {witness!r:.20}, which is filled already")
                known.add(witness)
        if known != set(range(self.witnesses)):
            raise BadPlan(f"it fills {len(known)} witnesses of {self.witnesses}")

    def to_bytes(self) -> bytes:
        """Compact and deterministic."""
        tables: dict[tuple[int, ...], int] = {}
        steps = [_packed(step, tables) for step in self.steps]
        raw = msgpack.packb([VERSION, self.public, self.private, self.witnesses, list(tables), steps])
        return gzip.compress(raw, mtime=0)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Raises BadPlan."""
        try:
            version, public, private, witnesses, tables, steps = msgpack.unpackb(
                gzip.decompress(raw), use_list=False
            )
            if version != VERSION:
                raise BadPlan(f"version {version!r:.20}")
            return cls(public, private, witnesses, tuple(_unpacked(step, tables) for step in steps))
        except (OSError, EOFError, ValueError, TypeError, LookupError, zlib.error) as error:
            raise BadPlan(str(error) or type(error).__name__) from error


def _touched(step: Step) -> tuple[list[int], list[int]]:
    """The witnesses that a step uses and fills."""
    match step:
        case Assign(target, products, terms):
            return [*(w for _, *pair in products for w in pair), *(w for _, w in terms)], [target]
        case Choose(target, index, table):
            return [index, *table], [target]
        case Permutation(inputs, outputs):
            return list(inputs), list(outputs)


def _packed(step: Step, tables: dict[tuple[int, ...], int]) -> list[Any]:
    match step:
        case Assign(target, products, terms, constant):
            flat = [[_element(f), a, b] for f, a, b in products], [[_element(f), a] for f, a in terms]
            return [0, target, *flat, _element(constant)]
        case Choose(target, index, table):
            return [1, target, index, tables.setdefault(table, len(tables))]
        case Permutation(inputs, outputs):
            return [2, list(inputs), list(outputs)]


def _unpacked(raw: Sequence[Any], tables: Sequence[tuple[int, ...]]) -> Step:
    kind, *rest = raw
    if kind == 0:
        target, products, terms, constant = rest
        return Assign(
            target,
            tuple((_number(f), a, b) for f, a, b in products),
            tuple((_number(f), a) for f, a in terms),
            _number(constant),
        )
    if kind == 1:
        target, index, table = rest
        return Choose(target, index, tables[table])
    if kind == 2:
        inputs, outputs = rest
        if len(inputs) == len(outputs) == STATE:
            return Permutation(inputs, outputs)
    raise BadPlan(f"step {kind}")


def _element(value: int) -> int | bytes:
    return value if -_SMALL <= value < _SMALL else value.to_bytes(32, "big", signed=True)


def _number(raw: Any) -> int:
    if isinstance(raw, bytes):
        return int.from_bytes(raw, "big", signed=True)
    if type(raw) is not int:
        raise BadPlan(f"the number {raw!r:.20}")
    return raw
