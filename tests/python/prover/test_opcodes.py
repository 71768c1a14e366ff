"""What the reader of compiled programs takes, and what it refuses."""

import base64
import gzip
from typing import Any

import msgpack
import pytest

from vouch.protocol.zk import FIELD
from vouch.prover.opcodes import (
    AssertZero,
    BadProgram,
    Permutation,
    Program,
    Range,
    Read,
    Table,
    Unconstrained,
    signed,
)

ONE, MINUS = (1).to_bytes(32, "big"), (FIELD - 1).to_bytes(32, "big")
ZERO = bytes(32)


def witness(index: int) -> dict[str, int]:
    return {"Witness": index}


SUM = {"AssertZero": [[[MINUS, 0, 1]], [[ONE, 2]], ZERO]}
RANGE = {"BlackBoxFuncCall": {"RANGE": [witness(1), 12]}}
TABLE = {"MemoryInit": [0, [1, 2], "Memory"]}
READ = {"MemoryOp": [0, [False, 1, 3]]}
HASH = {"BlackBoxFuncCall": {"Poseidon2Permutation": [[witness(i) for i in range(4)], [4, 5, 6, 7]]}}


def circuit(*opcodes: Any, private: Any = (1, 2), public: Any = (0,), returned: Any = ()) -> list[Any]:
    return ["main", list(opcodes), list(private), list(public), list(returned), []]


def bytecode(program: Any, form: bytes = b"\x03") -> str:
    return base64.b64encode(gzip.compress(form + msgpack.packb(program))).decode()


def read(*opcodes: Any) -> Program:
    return Program.parse(bytecode([[circuit(*opcodes)], []]))


def test_all_opcodes() -> None:
    program = read(SUM, RANGE, TABLE, READ, HASH)
    assert program == Program(
        1,
        2,
        (
            AssertZero(((FIELD - 1, 0, 1),), ((1, 2),), 0),
            Range(1, 12),
            Table(0, (1, 2)),
            Read(0, 1, 3),
            Permutation((0, 1, 2, 3), (4, 5, 6, 7)),
        ),
    )
    assert program.witnesses == 8
    assert list(map(str, program.opcodes)) == [
        "-1·w0·w1 + 1·w2 + 0 = 0",
        "w1 has at most 12 bits",
        "table 0 of 2 values",
        "w3 is table 0 at w1",
        "w4, w5, w6, w7 are the Poseidon2 permutation of w0, w1, w2, w3",
    ]


def test_long_sums_are_shown_in_short() -> None:
    (opcode,) = read({"AssertZero": [[], [[ONE, i] for i in range(9)], MINUS]}).opcodes
    assert str(opcode) == " + ".join(f"1·w{i}" for i in range(8)) + " + ... + -1 = 0"


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (5, 5), (FIELD - 5, -5), (FIELD // 2, FIELD // 2)])
def test_signed(value: int, shown: int) -> None:
    assert signed(value) == shown


def test_unused_inputs_count() -> None:
    assert read().witnesses == 3


@pytest.mark.parametrize(
    ("opcode", "reason"),
    [
        ({"BrilligCall": [0, [], [], None]}, "opcode 0"),
        (None, "directive_invert"),
    ],
)
def test_unconstrained_code_is_refused(opcode: Any, reason: str) -> None:
    opcodes = [] if opcode is None else [opcode]
    helpers = [["directive_invert", []]] if opcode is None else []
    with pytest.raises(Unconstrained, match=f"compile left unconstrained code: {reason}"):
        Program.parse(bytecode([[circuit(*opcodes)], helpers]))


@pytest.mark.parametrize(
    "opcode",
    [
        {"Call": [0, [], [], None]},
        {"BlackBoxFuncCall": {"AND": [witness(0), witness(1), 2, 3]}},
        {"BlackBoxFuncCall": {"RANGE": [{"Constant": ONE}, 12]}},
        {"BlackBoxFuncCall": {"RANGE": [witness(1)]}},
        {"BlackBoxFuncCall": {"RANGE": [witness(1), -1]}},
        {"BlackBoxFuncCall": {"RANGE": [witness(1), True]}},
        {"BlackBoxFuncCall": {"Poseidon2Permutation": [[witness(0)], [1]]}},
        {"MemoryInit": [0, [1], "CallData"]},
        {"MemoryOp": [0, [True, 1, 2]]},
        {"AssertZero": [[], [[FIELD.to_bytes(32, "big"), 0]], ZERO]},
        {"AssertZero": [[], [[b"\x01", 0]], ZERO]},
        {"AssertZero": [[], [[ONE, "0"]], ZERO]},
        {"AssertZero": [[], [[ONE, 1 << 40]], ZERO]},
        {"AssertZero": [[], []]},
        {"AssertZero": {}},
        {**SUM, **RANGE},
        [1],
    ],
)
def test_opcodes_of_another_form_are_refused(opcode: Any) -> None:
    with pytest.raises(BadProgram, match="opcode 1: received"):
        read(SUM, opcode)


@pytest.mark.parametrize(
    "program",
    [
        [],
        {},
        [[circuit(), circuit()], []],
        [[circuit(private=[2, 3])], []],
        [[circuit(public=[2], private=[0, 1])], []],
        [[circuit(returned=[0])], []],
        [[circuit()[:5]], []],
        [[circuit()], [["name"]]],
    ],
)
def test_programs_of_another_form_are_refused(program: Any) -> None:
    with pytest.raises(BadProgram):
        Program.parse(bytecode(program))


def test_bytes_of_another_form_are_refused() -> None:
    good = bytecode([[circuit()], []])
    raw = base64.b64decode(good)
    for bad in (
        "%",
        "",
        base64.b64encode(b"text").decode(),
        base64.b64encode(raw[:-5]).decode(),
        base64.b64encode(raw + b"more").decode(),
        bytecode([[circuit()], []], b"\x02"),
        base64.b64encode(gzip.compress(b"\x03" + msgpack.packb(1) * 2)).decode(),
        base64.b64encode(gzip.compress(b"\x03\x92")).decode(),
    ):
        with pytest.raises(BadProgram):
            Program.parse(bad)
