"""Witnesses without Noir's machine: a plan for the values that the compiler added, and a check of everything.

A program whose every intermediate value is a private input leaves little to compute. A `Plan` says once how;
`solve` follows it for every proof; `check` says which constraint a witness violates, as bb would not.
"""

import gzip
from collections.abc import Iterable, Sequence

import msgpack

from vouch.protocol.zk import FIELD
from vouch.prover.errors import ProverError
from vouch.prover.opcodes import FORMAT, AssertZero, Opcode, Permutation, Program, Range, Read, Table, signed
from vouch.prover.plan import Assign, Choose, Plan, Step
from vouch.prover.poseidon2 import permute


class Unsolvable(ProverError):
    """A constraint leaves more than one value open: the plan would have to guess."""

    def __init__(self, opcode: int, text: str) -> None:
        self.opcode, self.text = opcode, text
        super().__init__(
            f"opcode {opcode} ({text}) does not fix its values: give every value of the circuit as advice"
        )


class WrongInputs(ProverError):
    """The circuit has another number of inputs; `kind` is "public" or "private"."""

    def __init__(self, kind: str, received: int, expected: int) -> None:
        self.kind, self.received, self.expected = kind, received, expected
        super().__init__(f"{received} {kind} inputs, the circuit has {expected}: are the files of one build?")


class OutsideTable(ProverError):
    """A table is read where it has no value, so no witness exists for these inputs."""

    def __init__(self, index: int, size: int) -> None:
        self.index, self.size = index, size
        super().__init__(f"a table of {size} values is read at {signed(index)}: no such run of the model")


class Violated(ProverError):
    """A witness does not satisfy the program; `opcode` counts its constraints from 0."""

    def __init__(self, opcode: int, text: str) -> None:
        self.opcode, self.text = opcode, text
        super().__init__(f"constraint {opcode} does not hold: {text}")


def plan(program: Program) -> Plan:
    """Raises Unsolvable."""
    known = set(range(program.public + program.private))
    tables: dict[int, tuple[int, ...]] = {}
    steps: list[Step] = []
    for index, opcode in enumerate(program.opcodes):
        match opcode:
            case AssertZero():
                step = _solved(opcode, known, index)
                if step is not None:
                    steps.append(step)
                    known.add(step.witness)
            case Range(witness):
                _known((witness,), known, opcode, index)
            case Table(block, witnesses):
                _known(witnesses, known, opcode, index)
                tables[block] = witnesses
            case Read(block, position, value):
                _known((position,), known, opcode, index)
                if block not in tables:
                    raise Unsolvable(index, str(opcode))
                if value not in known:
                    steps.append(Choose(value, position, tables[block]))
                    known.add(value)
            case Permutation(inputs, outputs):
                _known(inputs, known, opcode, index)
                steps.append(opcode)
                known.update(outputs)
    # The compiler numbers witnesses that it later found to be unused; bb wants a value for each.
    unused = set(range(program.witnesses)) - known
    steps += [Assign(witness, (), (), 0) for witness in sorted(unused)]
    return Plan(program.public, program.private, program.witnesses, tuple(steps))


def witness(plan: Plan, public: Sequence[int], private: Iterable[int]) -> list[int]:
    """Every witness, for inputs that may be negative. Raises WrongInputs, OutsideTable."""
    values = [int(value) % FIELD for value in public]
    if len(values) != plan.public:
        raise WrongInputs("public", len(values), plan.public)
    values += [int(value) % FIELD for value in private]
    if len(values) - plan.public != plan.private:
        raise WrongInputs("private", len(values) - plan.public, plan.private)
    values += [0] * (plan.witnesses - len(values))
    for step in plan.steps:
        match step:
            case Assign(target, products, terms, constant):
                values[target] = _sum(products, terms, constant, values)
            case Choose(target, index, table):
                position = values[index]
                if position >= len(table):
                    raise OutsideTable(position, len(table))
                values[target] = values[table[position]]
            case Permutation(inputs, outputs):
                for target, value in zip(outputs, permute([values[w] for w in inputs]), strict=True):
                    values[target] = value
    return values


def stack(values: Sequence[int]) -> bytes:
    """A witness in the form that bb reads."""
    held = {index: value.to_bytes(32, "big") for index, value in enumerate(values)}
    return gzip.compress(bytes([FORMAT]) + msgpack.packb([[[0, held]]]), compresslevel=1, mtime=0)


def solve(plan: Plan, public: Sequence[int], private: Iterable[int]) -> bytes:
    """The file that bb proves from. Raises WrongInputs, OutsideTable."""
    return stack(witness(plan, public, private))


def check(program: Program, values: Sequence[int]) -> None:
    """Evaluate every constraint. Raises Violated with the first one that does not hold."""
    if len(values) != program.witnesses:
        raise WrongInputs("witness", len(values), program.witnesses)
    tables: dict[int, tuple[int, ...]] = {}
    for index, opcode in enumerate(program.opcodes):
        if not _holds(opcode, values, tables):
            raise Violated(index, str(opcode))


def _holds(opcode: Opcode, values: Sequence[int], tables: dict[int, tuple[int, ...]]) -> bool:
    match opcode:
        case AssertZero(products, terms, constant):
            return _sum(products, terms, constant, values) == 0
        case Range(witness, bits):
            return values[witness] >> bits == 0
        case Table(block, witnesses):
            tables[block] = witnesses
            return True
        case Read(block, index, value):
            table = tables.get(block, ())
            return values[index] < len(table) and values[table[values[index]]] == values[value]
        case Permutation(inputs, outputs):
            return permute([values[w] for w in inputs]) == [values[w] for w in outputs]


def _sum(
    products: tuple[tuple[int, int, int], ...],
    terms: tuple[tuple[int, int], ...],
    constant: int,
    values: Sequence[int],
) -> int:
    total = constant
    for factor, a, b in products:
        total += factor * values[a] * values[b]
    for factor, a in terms:
        total += factor * values[a]
    return total % FIELD


def _solved(opcode: AssertZero, known: set[int], index: int) -> Assign | None:
    """The one unknown of a sum, if there is one; it must stand alone and once."""
    for _, a, b in opcode.products:
        _known((a, b), known, opcode, index)
    unknown = [(factor, a) for factor, a in opcode.terms if a not in known]
    if not unknown:
        return None
    if len(unknown) > 1:
        raise Unsolvable(index, str(opcode))
    factor, target = unknown[0]
    scale = -pow(factor, -1, FIELD)
    return Assign(
        target,
        tuple((signed(f * scale % FIELD), a, b) for f, a, b in opcode.products),
        tuple((signed(f * scale % FIELD), a) for f, a in opcode.terms if a != target),
        signed(opcode.constant * scale % FIELD),
    )


def _known(witnesses: Iterable[int], known: set[int], opcode: Opcode, index: int) -> None:
    if not known.issuperset(witnesses):
        raise Unsolvable(index, str(opcode))
