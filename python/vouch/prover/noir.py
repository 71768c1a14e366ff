"""An integer model as a Noir program that an auditor can read: constants, one call for each operation, loops.

    main(public: pub [Field; P], advice: [Field; A])

public: `vouch.protocol.zk.Circuit.public_inputs`. advice: the secret weights if there are any, row by row the
model's advice (but for sums that only one division uses: they need no name), the square of the context.
The program computes nothing that is not constrained.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

from vouch.circuit.bounds import ArgMaxBounds, Bounds, Column, LookupBounds, ReluBounds, RoundBounds
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, Combine, Concat, Gather, Lookup, Relu, Round, Scale
from vouch.circuit.trace import Trace
from vouch.protocol.packing import Packing
from vouch.protocol.zk import FIELD, MAX_BATCH
from vouch.prover import secret as secrets
from vouch.prover.errors import ProverError

_WIDTH: Final = 110


class NotABatch(ProverError):
    """A circuit proves 1 to 255 inferences."""

    def __init__(self, received: int) -> None:
        self.received = received
        super().__init__(f"a batch of {received}: a circuit proves 1 to {MAX_BATCH} inferences at once")


@dataclass(frozen=True)
class Layout:
    """How many inputs the circuit has, and where. Raises NotABatch, BadPacking."""

    model: IntegerModel
    batch: int = 1
    secret: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= MAX_BATCH:
            raise NotABatch(self.batch)

    @cached_property
    def input(self) -> Packing:
        return Packing(self.model.input_size, self.model.input_bits)

    @cached_property
    def output(self) -> Packing:
        return Packing(self.model.output_size, self.model.output_bits)

    @property
    def public(self) -> int:
        """Public inputs: each row's packed inputs and outputs, the commitment if there is one, a context."""
        return self.batch * (self.input.fields + self.output.fields) + self.secret + 1

    @property
    def first(self) -> int:
        """Private inputs before the first row's."""
        return secrets.size(self.model) if self.secret else 0

    @cached_property
    def row(self) -> int:
        """Private inputs of one row."""
        return sum(column.count for columns in self.columns for column in columns)

    @cached_property
    def bounds(self) -> tuple[Bounds | None, ...]:
        """Of each node."""
        return secrets.veiled(self.model) if self.secret else self.model.bounds

    @cached_property
    def columns(self) -> tuple[tuple[Column, ...], ...]:
        """Advice of each value, the inputs' first."""
        return tuple(() if i in self.merged else own for i, own in enumerate(self.model.columns))

    @cached_property
    def merged(self) -> frozenset[int]:
        """Sums that one Round or Relu uses and nothing else: a gate less for each element without a name."""
        uses = Counter([self.model.output])
        for node in self.model.nodes:
            # Only a division takes its source into one equation.
            uses.update(dict.fromkeys(node.sources, 1 if isinstance(node.op, Round | Relu) else 2))
        sums = {i for i, node in enumerate(self.model.nodes, 1) if isinstance(node.op, Affine)}
        return frozenset(i for i in sums if uses[i] == 1 and i != self.model.output)

    @property
    def private(self) -> int:
        """Private inputs."""
        return self.first + self.batch * self.row + 1

    @property
    def products(self) -> int:
        """Multiplications by a weight: what compiling takes most of its time for."""
        return self.batch * self.model.parameters


def advice(
    model: IntegerModel, traces: Iterable[Trace], context: int, secret: secrets.Secret | None = None
) -> list[int]:
    """The private inputs of a proof, in order; negative numbers stand for field elements."""
    layout = Layout(model, secret=secret is not None)
    values = [] if secret is None else list(secret.advice)
    both = zip(layout.bounds, model.bounds, strict=True)
    moved = [0, *(_offset(own) - _offset(usual) for own, usual in both)]
    for trace in traces:
        for i, columns in enumerate(trace.advice):
            if i not in layout.merged:
                for name, column in columns.items():
                    values += (column + moved[i] if name == "y" else column).tolist()
    values.append(context * context % FIELD)
    return values


def _offset(bounds: Bounds | None) -> int:
    """What is added to a result before its bits are counted."""
    return bounds.offset if isinstance(bounds, RoundBounds | LookupBounds) else 0


def source(model: IntegerModel, *, batch: int = 1, secret: bool = False) -> str:
    """The program's text; equal models give equal texts. Raises NotABatch, BadPacking."""
    layout = Layout(model, batch, secret)
    size = f"{len(model.nodes)} operations and {model.parameters} weights and biases"
    parts = [
        f"// An integer model of {size}, for {batch} inference(s).",
        _library("functions.nr"),
        *([_library("secret.nr")] if secret else []),
        *_constants(layout),
        _infer(layout),
        _main(layout),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _library(name: str) -> str:
    return (files("vouch.prover") / "js" / name).read_text()


def _constants(layout: Layout) -> Iterator[str]:
    """W, B, I, T: weights, biases, indices and tables of the node of that number."""
    for i, node in enumerate(layout.model.nodes, 1):
        op = node.op
        if isinstance(op, Affine):
            if not layout.secret:
                yield _table(f"W{i}", "Field", op.weights.tolist())
                yield _vector(f"B{i}", "Field", op.bias.tolist())
            if op.index is not None:
                yield _table(f"I{i}", "u32", op.index.tolist())
        elif isinstance(op, Gather):
            yield _vector(f"I{i}", "u32", op.index.tolist())
        elif isinstance(op, Lookup):
            yield _vector(f"T{i}", "Field", op.knots.tolist())


def _table(name: str, kind: str, rows: Sequence[Sequence[int]]) -> str:
    lines = "\n".join(f"    [{', '.join(map(str, row))}]," for row in rows)
    return f"global {name}: [[{kind}; {len(rows[0])}]; {len(rows)}] = [\n{lines}\n];"


def _vector(name: str, kind: str, values: Sequence[int]) -> str:
    return f"global {name}: [{kind}; {len(values)}] = [{', '.join(map(str, values))}];"


def _infer(layout: Layout) -> str:
    model = layout.model
    taken = f"v0: [Field; {model.input_size}], advice: [Field; {layout.row}]"
    if layout.secret:
        taken += f", secret: [Field; {layout.first}]"
    lines = [
        "// Value 0 is the input, value i the result of operation i.",
        f"fn infer({taken}) -> [Field; {model.output_size}] {{",
    ]
    start = model.input_size
    for i, call in enumerate(_calls(layout), 1):
        own = []
        for column in layout.columns[i]:
            own.append(f"part(advice, {start})")
            start += column.count
        size = len(model.intervals[i].lo)
        lines += [
            f"    // {type(model.nodes[i - 1].op).__name__}",
            f"    let v{i}: [Field; {size}] = {call.text(own)};",
        ]
    return "\n".join([*lines, f"    v{model.output}", "}"])


@dataclass(frozen=True, slots=True)
class _Call:
    """name::<generics>(arguments, then the operation's advice); without arguments the name is all."""

    name: str
    generics: tuple[int, ...]
    arguments: tuple[Any, ...]

    def text(self, own: Sequence[str]) -> str:
        if not self.arguments:
            return self.name
        if self.name.startswith("affine") and own:
            return _Call("named", (), (self.text(()),)).text(own)
        generics = f"::<{', '.join(map(str, self.generics))}>" if self.generics else ""
        arguments = [*map(str, self.arguments), *own]
        line = f"{self.name}{generics}({', '.join(arguments)})"
        if len(line) <= _WIDTH:
            return line
        inner = "".join(f"        {argument},\n" for argument in arguments)
        return f"{self.name}{generics}(\n{inner}    )"


def _calls(layout: Layout) -> Iterator[_Call]:
    model = layout.model
    held = {section.node: section.start for section in secrets.sections(model)} if layout.secret else {}
    for i, (node, bounds) in enumerate(zip(model.nodes, layout.bounds, strict=True), 1):
        x = tuple(f"v{source}" for source in node.sources)
        size = len(model.intervals[i].lo)
        match node.op, bounds:
            case Affine(_, _, index), _:
                where = () if index is None else (f"I{i}",)
                kind = "" if index is None else "_at"
                if layout.secret:
                    yield _Call(f"affine_secret{kind}", (), ("secret", held[i - 1], *where, *x))
                else:
                    yield _Call(f"affine{kind}", (), (f"W{i}", f"B{i}", *where, *x))
            case Combine(a, b, constant), _:
                yield _Call("combine", (), (a, b, constant, *x))
            case Scale(a, constant), _:
                yield _Call("scale", (), (a, constant, *x))
            case Gather(), _:
                yield _Call("gather", (), (f"I{i}", *x))
            case Concat(), _:
                yield _Call(x[0] + "".join(f".concat({other})" for other in x[1:]), (), ())
            case _, RoundBounds(shift, width, offset):
                yield _Call("round", (size, shift, width), (offset, *x))
            case _, ReluBounds(0):
                yield _Call("relu", (size, bounds.m_width), x)
            case _, ReluBounds(shift):
                yield _Call("relu_round", (size, shift, bounds.m_width), x)
            case Lookup() as op, LookupBounds(step, index_width, width, offset):
                generics = (size, len(op.knots), step, index_width, width)
                yield _Call("lookup", generics, (f"T{i}", offset, *x))
            case _, ArgMaxBounds(groups, width):
                wide = len(model.intervals[node.sources[0]].lo)
                yield _Call("argmax", (groups, wide, wide - groups, width), x)
            case _:
                raise AssertionError(f"no constraints for {type(node.op).__name__}")


def _main(layout: Layout) -> str:
    inputs, outputs = layout.input, layout.output
    row = inputs.fields + outputs.fields
    lines = [f"fn main(public: pub [Field; {layout.public}], advice: [Field; {layout.private}]) {{"]
    if layout.secret:
        lines += [
            "    // The public commitment fixes the weights.",
            f"    let secret: [Field; {layout.first}] = part(advice, 0);",
            *_commitment(layout),
        ]
    held = ", secret" if layout.secret else ""
    lines += [
        f"    for row in 0..{layout.batch} {{",
        f"        let own: [Field; {layout.row}] = part(advice, {layout.first} + row * {layout.row});",
        f"        let x: [Field; {inputs.count}] = part(own, 0);",
        f"        let packed_x: [Field; {inputs.fields}] = part(public, row * {row});",
        f"        assert_signed::<{inputs.count}, {inputs.bits}>(x);",
        f"        {_packed(inputs)}(packed_x, x);",
        f"        let y = infer(x, own{held});",
        f"        let packed_y: [Field; {outputs.fields}] = part(public, row * {row} + {inputs.fields});",
    ]
    if layout.secret:
        lines += [
            "        // The compiled weights keep the outputs in their width, other weights may not.",
            f"        assert_signed::<{outputs.count}, {outputs.bits}>(y);",
        ]
    lines += [
        f"        {_packed(outputs)}(packed_y, y);",
        "    }",
        "    // The claim that this proof is for takes part in the constraints, too.",
        f"    let context = public[{layout.public - 1}];",
        f"    assert(context * context == advice[{layout.private - 1}]);",
        "}",
    ]
    return "\n".join(lines)


def _packed(packing: Packing) -> str:
    return f"assert_packed::<{packing.count}, {packing.fields}, {packing.bits}, {packing.per_field}>"


def _commitment(layout: Layout) -> Iterator[str]:
    names = ["[secret[0]]"]
    for section in secrets.sections(layout.model):
        start = section.start
        for name, packing in (("w", section.weights), ("b", section.bias)):
            names.append(f"{name}{section.node + 1}")
            generics = f"{packing.count}, {packing.fields}, {packing.bits}, {layout.first}"
            yield f"    let {names[-1]} = packed::<{generics}>(secret, {start});"
            start += packing.count
    joined = names[0] + "".join(f".concat({name})" for name in names[1:])
    yield f"    assert(digest({joined}) == public[{layout.public - 2}]);"
