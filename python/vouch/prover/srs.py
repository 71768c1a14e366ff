"""Reference strings: powers of a secret tau on BN254, of which proofs and verifier contracts are made.

A folder `dev-srs` or `canonical` of the toolchain's home holds bn254_g1.dat (64 bytes a point), bn254_g2.dat
(as bb reads them) and string.json, which says how many points are finished and what their hash is.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from vouch.protocol.zk import FIELD
from vouch.prover import bn254
from vouch.prover.errors import StringDamaged, StringTooShort
from vouch.prover.lock import Progress, alone, silent

DEV: Final = "dev-srs"
CANONICAL: Final = "canonical"
G1_FILE: Final = "bn254_g1.dat"
G2_FILE: Final = "bn254_g2.dat"
DESCRIPTION: Final = "string.json"
WARNING_FILE: Final = "INSECURE.txt"
_WARNING: Final = (
    "INSECURE: the secret of this reference string is public (vouch/prover/srs.py says it), so anyone can\n"
    "prove anything to contracts that were built with it. For development and tests only.\n"
)
_POINT_SIZE: Final = 64
_STEP: Final = 4096
_TAU: Final = int.from_bytes(hashlib.sha512(b"vouch insecure dev-srs").digest(), "big") % FIELD
_NAMES: Final = {DEV: "dev-srs", CANONICAL: "aztec-ignition"}
_CANONICAL_G2: Final = (
    0x260E01B251F6F1C7E7FF4E580791DEE8EA51D87A358E038B4EFE30FAC09383C1,
    0x0118C4D5B837BCC2BC89B5B398B5974E9F5944073B32078B7E231FEC938883B0,
    0x04FC6369F7110FE3D25156C1BB9A72859CF2A04641F99BA4EE413C80DA6A5FE4,
    0x22FEBDA3C0C0632A56475B4214E5615E11E6DD3F96E6CEA2854A87D4DACC5E55,
)


@dataclass(frozen=True, slots=True)
class ReferenceString:
    """One string on the disk.

    kind: DEV or CANONICAL.
    points: how many powers there are, one for each gate that a circuit may have.
    g2: tau * G2 in the order of the verifier contracts: x.c1, x.c0, y.c1, y.c0.
    """

    folder: Path
    kind: str
    points: int
    g2: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        """What the verifier contracts call it."""
        return _NAMES[self.kind]

    def require(self, points: int) -> None:
        """Raises StringTooShort; bb itself would go and look for more on the network."""
        if points > self.points:
            raise StringTooShort(self.folder, self.points, points)


def open(home: Path, kind: str) -> ReferenceString:  # noqa: A001
    """The string of this kind below `home`, checked against its hash.

    Raises:
        StringTooShort: there is none yet.
        StringDamaged: its files are not what string.json says, or the kind is unknown.
    """
    folder = home / kind
    if kind not in _NAMES:
        raise StringDamaged(folder, f"{kind!r} is no kind of reference string ({DEV} or {CANONICAL})")
    string = StringFiles(folder, kind).check()
    string.require(1)
    return string


def ensure_dev(home: Path, points: int, progress: Progress = silent) -> ReferenceString:
    """The development string with at least so many points; made, or made longer, where it is not there.

    Insecure by intent: its tau is public. Takes about 0.3 ms a point; goes on where it was stopped.
    Raises StringDamaged.
    """
    files = StringFiles(home / DEV, DEV)
    with alone(home / f"{DEV}.lock", progress):
        string = files.check()
        if string.points >= points:
            return string
        wanted = 1 << (points - 1).bit_length()
        progress(f"making {wanted - string.points:,} points of the insecure development string")
        base, scalar = bn254.FixedBase(), pow(_TAU, string.points, FIELD)
        for start in range(string.points, wanted, _STEP):
            scalars = []
            for _ in range(min(_STEP, wanted - start)):
                scalars.append(scalar)
                scalar = scalar * _TAU % FIELD
            string = files.append(base.multiples(scalars))
            progress(f"development string: {string.points:,} of {wanted:,} points")
        return string


class StringFiles:
    """The folder of a string, to which finished steps are appended; one process at a time."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind
        self._points, self._hash = 0, hashlib.sha256()

    def check(self) -> ReferenceString:
        """The string as it is, with 0 points where nothing is finished. Raises StringDamaged."""
        self._points, self._hash = 0, hashlib.sha256()
        try:
            said = json.loads((self.folder / DESCRIPTION).read_bytes())
            points, digest, kind = int(said["points"]), str(said["sha256"]), said["kind"]
        except FileNotFoundError:
            return self._string()
        except (ValueError, KeyError, TypeError) as error:
            raise StringDamaged(self.folder, f"{DESCRIPTION} is not what Vouch writes") from error
        if kind != self.kind:
            raise StringDamaged(self.folder, f"it is of kind {kind!r}")
        try:
            with (self.folder / G1_FILE).open("rb") as file:
                remaining = points * _POINT_SIZE
                while remaining and (part := file.read(min(remaining, 1 << 20))):
                    self._hash.update(part)
                    remaining -= len(part)
            g2 = (self.folder / G2_FILE).read_bytes()
        except OSError as error:
            raise StringDamaged(self.folder, str(error)) from error
        if remaining or self._hash.hexdigest() != digest:
            raise StringDamaged(self.folder, f"{G1_FILE} has not the hash that {DESCRIPTION} says")
        if g2 != self._g2_bytes():
            raise StringDamaged(self.folder, f"{G2_FILE} is not that of the string")
        self._points = points
        return self._string()

    def append(self, points: Iterable[bn254.Point]) -> ReferenceString:
        """More points; a crash in the middle leaves the string as it was before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.kind == DEV:
            (self.folder / WARNING_FILE).write_text(_WARNING)
        data = b"".join(x.to_bytes(32, "big") + y.to_bytes(32, "big") for x, y in points)
        path = self.folder / G1_FILE
        path.touch()
        with path.open("r+b") as file:
            file.truncate(self._points * _POINT_SIZE)
            file.seek(0, 2)
            file.write(data)
        (self.folder / G2_FILE).write_bytes(self._g2_bytes())
        self._points += len(data) // _POINT_SIZE
        self._hash.update(data)
        said = {"kind": self.kind, "points": self._points, "sha256": self._hash.hexdigest()}
        fresh = self.folder / f".{DESCRIPTION}.new"
        fresh.write_text(json.dumps(said) + "\n")
        fresh.replace(self.folder / DESCRIPTION)
        return self._string()

    def _string(self) -> ReferenceString:
        return ReferenceString(self.folder, self.kind, self._points, g2_of(self.kind))

    def _g2_bytes(self) -> bytes:
        x1, x0, y1, y0 = g2_of(self.kind)
        return _words((x0, x1, y0, y1))


@cache
def g2_of(kind: str) -> tuple[int, int, int, int]:
    """tau * G2 of a kind of string, in the order of the verifier contracts."""
    if kind == CANONICAL:
        return _CANONICAL_G2
    (x0, x1), (y0, y1) = bn254.multiply_g2(_TAU)
    return x1, x0, y1, y0


def _words(values: Sequence[int]) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)
