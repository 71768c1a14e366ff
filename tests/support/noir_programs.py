"""Circuits that Noir's compiler made of integer models, and whether they accept a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from tests.support import zk
from tests.support.integer_models import model_of, port
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, ArgMax, Combine, Concat, Gather, Lookup, Relu, Round, Scale
from vouch.circuit.parts import Node
from vouch.circuit.trace import Trace
from vouch.protocol.zk import Circuit, Row
from vouch.prover import acir, noir, opcodes
from vouch.prover.compiler import compile_noir
from vouch.prover.plan import Plan
from vouch.prover.secret import Secret

CONTEXT = (1 << 253) + 12345


@dataclass(frozen=True)
class Run:
    """Public and private inputs of a proof."""

    public: tuple[int, ...]
    advice: tuple[int, ...]

    def with_public(self, index: int, value: int) -> Self:
        return type(self)(_replaced(self.public, index, value), self.advice)

    def with_advice(self, changes: Mapping[int, int]) -> Self:
        advice = self.advice
        for index, value in changes.items():
            advice = _replaced(advice, index, value)
        return type(self)(self.public, advice)


@dataclass(frozen=True)
class Built:
    """A compiled circuit."""

    layout: noir.Layout
    compiled: dict[str, Any] = field(repr=False)
    secret: Secret | None = None

    @property
    def model(self) -> IntegerModel:
        return self.layout.model

    @cached_property
    def program(self) -> opcodes.Program:
        return opcodes.Program.parse(self.compiled["bytecode"])

    @cached_property
    def plan(self) -> Plan:
        return acir.plan(self.program)

    @property
    def circuit(self) -> Circuit:
        commitment = self.secret.commitment if self.secret else 0
        return Circuit(bytes(32), commitment, self.layout.batch, self.layout.input, self.layout.output)

    def run(self, *rows: Sequence[int], context: int = CONTEXT) -> Run:
        """An honest one."""
        traces = [self.model.trace(row) for row in rows]
        packed = [self.row(trace) for trace in traces]
        public = self.circuit.public_inputs(packed, context)
        return Run(public, tuple(noir.advice(self.model, traces, context, self.secret)))

    def row(self, trace: Trace) -> Row:
        x, y = trace.values[0].tolist(), trace.values[self.model.output].tolist()
        return Row(self.layout.input.pack(x), self.layout.output.pack(y))

    def check(self, run: Run) -> None:
        """Raises acir.Violated, or acir.OutsideTable where no witness can be made."""
        acir.check(self.program, acir.witness(self.plan, run.public, run.advice))

    def accepts(self, run: Run) -> bool:
        try:
            self.check(run)
        except (acir.Violated, acir.OutsideTable):
            return False
        return True

    def places(self, value: int, name: str, row: int = 0) -> range:
        """Where a column of advice of a value is among the private inputs."""
        start = self.layout.first + row * self.layout.row
        for i, columns in enumerate(self.layout.columns):
            for column in columns:
                if (i, column.name) == (value, name):
                    return range(start, start + column.count)
                start += column.count
        raise KeyError((value, name))


async def build(model: IntegerModel, *, batch: int = 1, secret: Secret | None = None) -> Built:
    layout = noir.Layout(model, batch, secret is not None)
    text = noir.source(model, batch=batch, secret=secret is not None)
    return Built(layout, await compile_noir(text, zk.toolchain()), secret)


def every_operation() -> IntegerModel:
    """4 inputs of 8 bits, all operations, each used by another one or by the output."""
    rng = np.random.default_rng(7)

    def some(*shape: int) -> np.ndarray:
        return rng.integers(-50, 50, shape)

    nodes = [
        Node(Affine(some(5, 4), some(5)), (0,)),  # 1: used twice, so it has a name
        Node(Relu(3), (1,)),
        Node(Round(4), (1,)),
        Node(Combine(2, -3, 7), (2, 3)),
        Node(Scale(-2, 5), (4,)),
        Node(Gather(np.array([0, 4, 2, 2])), (5,)),  # 6
        Node(Concat(), (6, 3, 0)),
        Node(Scale(1), (7,)),
        Node(Gather(np.arange(12)), (8,)),
        Node(ArgMax(2), (9,)),  # 10
        Node(Affine(some(3, 2), some(3), np.array([[0, 12], [5, 6], [7, 1]])), (7,)),  # 11: merged into 12
        Node(Relu(0), (11,)),
        Node(Relu(9), (12,)),  # 13
    ]
    ports = (port("x", 3), port("z", 1))
    high = IntegerModel(ports, 8, tuple(nodes), 13, (port("y", 3),)).intervals[13].high
    step_bits = max(high.bit_length() - 4, 1)
    nodes += [Node(Lookup(step_bits, some(17) * 10), (13,)), Node(Concat(), (14, 10, 2))]
    return IntegerModel(ports, 8, tuple(nodes), 15, (port("y", 10),))


def one_weight(weight: int) -> IntegerModel:
    """y = weight * x for two inputs of 8 bits; what it can give depends on the weight."""
    return model_of([(Affine(np.diag([weight, weight]), np.array([0, 0])), 0)], size=2, bits=8, outputs=2)


def _replaced(values: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])
