# verify
# ├── digest, key or signature of another length ... WrongLength
# ├── malformed hints .............................. WrongHintsLength, WrongCarry, TooFewSteps, ...
# ├── r or s out of range .......................... ScalarOutOfRange
# ├── a coordinate out of range .................... CoordinateOutOfRange
# ├── R or the key not on the curve ................ NotOnCurve
# ├── hints of something false ..................... as the Python mirror says
# └── otherwise .................................... returns nothing

import hashlib
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from Crypto.Hash import SHA384
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS

from tests.contracts.attestation import forgeries
from tests.contracts.attestation.conftest import Verifier, create
from tests.contracts.attestation.forgeries import Forgery, multiple, small_point
from tests.contracts.attestation.mutations import attempts, mutated, valid
from tests.support.artefacts import compiled
from vouch.attestation.p384 import Signed, curve, prove, verify
from vouch.attestation.p384.errors import NoSuchPoint, Refused
from vouch.attestation.p384.tables import code, code_hash, creation_code
from vouch.chain.codec import Codec
from vouch.chain.hexes import to_bytes
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.protocol.keccak import keccak

N = curve.N
LIMIT = 24_576
"""EIP-170."""
TARGET = 1_000_000
"""Gas of a transaction that does nothing but verify one signature."""


def mirrored(signed: Signed, hints: bytes) -> Refused | None:
    try:
        verify(signed, hints)
    except Refused as refused:
        return refused
    return None


async def agree(p384: Verifier, signed: Signed, hints: bytes) -> Refused | None:
    """The contract's answer, which is the mirror's to the last number."""
    found, expected = await p384.refusal(p384.call(signed, hints)), mirrored(signed, hints)
    assert str(found) == str(expected)
    return found


async def test_signatures_of_another_library(p384: Verifier) -> None:
    for i in range(8):
        private = ECC.generate(curve="P-384")
        message = b"message %d" % i
        signature = DSS.new(private, "fips-186-3").sign(SHA384.new(message))
        x, y = (int(c).to_bytes(48, "big") for c in private.public_key().pointQ.xy)
        digest = hashlib.sha384(message).digest()
        signed = Signed.from_bytes(digest, x + y, signature)
        assert await agree(p384, signed, prove(signed)) is None
        other = replace(signed, digest=signed.digest ^ 1 << i)
        with pytest.raises(NoSuchPoint):
            prove(other)
        for hints in attempts(Random(i), other):
            assert await agree(p384, other, hints) is not None


def signed_by(d: int, k: int, digest: int) -> Signed:
    point = multiple(k)
    r = point[0] % N
    return Signed(digest, multiple(d), r, (digest + r * d) * pow(k, -1, N) % N)


def high_x() -> Signed:
    """R's x is r + n."""
    point = small_point(N + 1)
    a, b = 0xABCDEF, 0x123456789
    key = curve.multiply(pow(b, -1, N), curve.add(point, curve.negate(multiple(a))))
    assert key is not None
    r = point[0] - N
    s = r * pow(b, -1, N) % N
    return Signed(a * s % N, key, r, s)


EDGES: dict[str, Callable[[], Signed]] = {
    "digest is zero": lambda: signed_by(0x1234567, 0x7654321, 0),
    "digest is n": lambda: signed_by(0x1234567, 0x7654321, N),
    "digest is all ones": lambda: signed_by(0x1234567, 0x7654321, 2**384 - 1),
    "key is G": lambda: signed_by(1, 0x7654321, 99),
    "key is -G": lambda: signed_by(N - 1, 0x7654321, 99),
    "key is 2**192·G": lambda: signed_by(2**192, 0x7654321, 99),
    "R is G": lambda: signed_by(0x1234567, 1, 99),
    "R is the key": lambda: signed_by(0x1234567, 0x1234567, 99),
    "R is -key": lambda: signed_by(0x1234567, N - 0x1234567, 99),
    "R is 2·key": lambda: signed_by(3, 6, 99),
    "everything is G": lambda: signed_by(1, 1, 2**383),
    "R's x is r + n": high_x,
    "key has a small x": lambda: forgeries.signed_for(
        lambda a, b: curve.add(multiple(a), multiple(b, small_point(5))), small_point(5)
    )[0],
}


@pytest.mark.parametrize("edge", EDGES)
async def test_edges(p384: Verifier, edge: str) -> None:
    signed = EDGES[edge]()
    assert await agree(p384, signed, prove(signed)) is None
    mirror_image = replace(signed, s=N - signed.s)
    assert await agree(p384, mirror_image, prove(mirror_image)) is None
    for wrong in (
        replace(signed, digest=(signed.digest + 1) % 2**384),
        replace(signed, r=signed.r % (N - 1) + 1),
        replace(signed, s=signed.s % (N - 1) + 1),
        replace(signed, key=(signed.key[0], curve.P - signed.key[1])),
    ):
        if forgeries.is_false(wrong):
            assert await agree(p384, wrong, prove(signed)) is not None


@pytest.mark.parametrize("make", forgeries.ALL, ids=lambda make: make.__name__)
async def test_forgeries(p384: Verifier, make: Callable[[], Forgery]) -> None:
    forgery = make()
    refused = await agree(p384, forgery.signed, forgery.hints)
    assert refused is not None
    assert refused.name == forgery.error


async def test_changed_hints(p384: Verifier) -> None:
    random = Random(384)
    names = set()
    for _ in range(3):
        signed = valid(random)
        hints = prove(signed)
        for _ in range(100):
            refused = await agree(p384, signed, mutated(random, hints))
            assert refused is not None
            names.add(refused.name)
    assert names >= {
        "WrongCarry",
        "WrongHintsLength",
        "WrongScalars",
        "WrongSlope",
        "WrongStep",
        "NotOnCurve",
        "TooManyDoublings",
    }


async def test_hints_of_another_signature(p384: Verifier) -> None:
    random = Random(385)
    signed, other = valid(random), valid(random)
    assert await agree(p384, signed, prove(other)) is not None


async def test_lengths(p384: Verifier) -> None:
    signed = valid(Random(386))
    parts: list[bytes] = [*signed.to_bytes(), prove(signed)]
    for i, size in enumerate((48, 96, 96)):
        for changed in (parts[i][:-1], parts[i] + b"\0", b"\0" + parts[i], b""):
            given = [changed if i == j else part for j, part in enumerate(parts)]
            call = p384.raw(given[0], given[1], given[2], given[3])
            assert str(await p384.refusal(call)) == str(Refused("WrongLength", len(changed), size))
    for size in (0, 1, 146, 147, 148, 300, len(parts[3]) - 50, len(parts[3]) - 1):
        assert await agree(p384, signed, parts[3][:size]) is not None
    assert str(await agree(p384, signed, parts[3] + b"\0")) == str(
        Refused("WrongHintsLength", len(parts[3]) + 1, len(parts[3]))
    )


async def test_header(p384: Verifier) -> None:
    signed = valid(Random(387))
    hints = prove(signed)
    for at, value, error in (
        (0, 2, Refused("WrongCarry", 2)),
        (1, 201, Refused("TooManyDoublings")),
        (2, 0, Refused("TooFewSteps", 0)),
        (2, 1, Refused("TooFewSteps", 1)),
        (147, hints[147] | 4, Refused("WrongStep", 0)),
    ):
        changed = hints[:at] + bytes([value]) + hints[at + 1 :]
        assert str(await agree(p384, signed, changed)) == str(error)


async def test_gas(p384: Verifier) -> None:
    random = Random(388)
    for _ in range(5):
        signed = valid(random)
        receipt = await p384.transact(p384.call(signed, prove(signed)))
        assert receipt.gas_used < TARGET


async def test_sizes(p384: Verifier, rpc: Rpc) -> None:
    deployed = to_bytes(await rpc.call("eth_getCode", p384.address, "latest"))
    assert len(deployed) <= LIMIT
    for table in (0, 1):
        assert len(code(table)) <= LIMIT
        assert keccak(code(table)) == code_hash(table)


async def test_other_tables(rpc: Rpc, sender: TxSender) -> None:
    low, high = [await create(sender, creation_code(table)) for table in (0, 1)]
    constructor = Codec("P384.constructor", ("address", "address"), ("low", "high"))
    for pair in ((high, low), (low, low), (high, high), (low, "0x" + "00" * 19 + "01")):
        with pytest.raises(Reverted):
            await sender.transact(_creation(constructor.encode(pair)))
    assert await create(sender, compiled("P384").bytecode + constructor.encode((low, high)))


def _creation(arguments: bytes) -> Call:
    return Call(None, compiled("P384").bytecode + arguments)
