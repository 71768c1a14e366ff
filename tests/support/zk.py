"""The zk route's real programs, as the set-up has installed them, and one circuit for their tests."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support.artefacts import ROOT
from vouch.prover import acir, srs
from vouch.prover.bb import Bb
from vouch.prover.bn254 import P
from vouch.prover.opcodes import Program
from vouch.prover.srs import ReferenceString
from vouch.prover.toolchain import Toolchain, find

HOME = ROOT / ".toolchain" / "zk"
PRODUCT = (
    "fn main(public: pub [Field; 3], advice: [Field; 2]) { assert(advice[0] * advice[1] == public[0]); }"
)
"""A circuit that proves to know two factors of the first of three public values."""
BYTECODE = (
    "H4sIAAAAAAAA/4XMPQ5AMBiA4VIHMbIRJxCRmMQoEoOEweAnZTH2Bv3axGwwOYCwu0g3o8UuLsA7v3kwh3GusrIGurhdV5A+KUgjQBw6"
    "+k7BGvBDt/KQSHsyt8hfKY1TwzmDYW/Bk7e43u8XQhxrAikqY+wBBv2xj44AAAA="
)
"""What Noir makes of PRODUCT, so that only tests of Noir wait for it."""


@cache
def toolchain() -> Toolchain:
    """Raises ToolchainMissing where `scripts/test` has not run."""
    return find(HOME)


@cache
def string() -> ReferenceString:
    """The development string, long enough for circuits of 2**14 gates."""
    return srs.ensure_dev(HOME, 1 << 14)


class Small(NamedTuple):
    """The circuit PRODUCT: bb for it, the program's file, its verifying keys."""

    bb: Bb
    program: Path
    vk: bytes
    secret_vk: bytes

    def witness(self, public: Sequence[int], advice: Sequence[int]) -> bytes:
        return acir.solve(acir.plan(Program.parse(BYTECODE)), public, advice)


async def small(folder: Path) -> Small:
    """Its program goes into `folder`."""
    program, bb = folder / "product.json", Bb(toolchain(), string())
    program.write_text(json.dumps({"bytecode": BYTECODE}))
    gates = await bb.gates(program)
    secret_gates = await bb.gates(program, secret=True)
    keys = [
        await bb.write_vk(program, gates=gates),
        await bb.write_vk(program, gates=secret_gates, secret=True),
    ]
    return Small(bb, program, *keys)


def on_twist(x: tuple[int, int], y: tuple[int, int]) -> bool:
    """Whether a point is on BN254's twist: y² = x³ + 3 / (9 + i)."""
    factor = pow(82, -1, P) * 3
    cube = _mul(_mul(x, x), x)
    wanted = ((cube[0] + 9 * factor) % P, (cube[1] - factor) % P)
    return _mul(y, y) == wanted


def _mul(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P
