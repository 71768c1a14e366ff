"""Documents of the Nitro Secure Module's shape that nobody signed, and the real ones where they are."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import pytest
from cbor2 import dumps

from tests.support.artefacts import ROOT

PROTECTED: Final = bytes.fromhex("a1013822")
TAG: Final = b"\xd2"

Value = int | str | bytes | None | Iterable["Value"] | Mapping["Value", "Value"]


def fields(seed: int = 1, pcrs: int = 16, certificate: int = 640) -> dict[str, Value]:
    """What a payload says, in the module's own order; all of it random but the shape."""
    random = Random(seed)
    return {
        "module_id": f"i-{random.getrandbits(68):017x}-enc{random.getrandbits(60):015x}",
        "digest": "SHA384",
        "timestamp": 1_700_000_000_000 + random.getrandbits(30),
        "pcrs": {number: random.randbytes(48) for number in range(pcrs)},
        "certificate": random.randbytes(certificate),
        "cabundle": [random.randbytes(certificate) for _ in range(4)],
        "public_key": random.randbytes(88),
        "user_data": random.randbytes(72),
        "nonce": None,
    }


def pairs(values: Mapping[str, Value]) -> list[bytes]:
    """Keys and values, encoded one by one."""
    return [dumps(item) for pair in values.items() for item in pair]


def payload(values: Mapping[str, Value], indefinite: bool = True) -> bytes:
    if indefinite:
        return b"\xbf" + b"".join(pairs(values)) + b"\xff"
    return dumps(values)


@dataclass(frozen=True, slots=True)
class Parts:
    """The items of a message, encoded, to be changed one by one."""

    payload: bytes
    """This one is the content of its byte string."""
    tag: bytes = b""
    array: bytes = b"\x84"
    protected: bytes = b"\x44" + PROTECTED
    unprotected: bytes = b"\xa0"
    signature: bytes = field(default=b"\x58\x60" + bytes(range(96)))

    def message(self) -> bytes:
        head = self.tag + self.array + self.protected + self.unprotected
        return head + dumps(self.payload) + self.signature


def document(values: Mapping[str, Value], indefinite: bool = True) -> bytes:
    return Parts(payload(values, indefinite)).message()


def real(folder: str) -> list[Path]:
    """Documents of AWS's own, or of what people made of them; skips the test where they are not."""
    places = [ROOT.parent / "shared" / "nitro"]
    if "NITRO_DOCUMENTS" in os.environ:
        places.insert(0, Path(os.environ["NITRO_DOCUMENTS"]))
    for place in places:
        found = sorted((place / folder).glob("*.bin"))
        if found:
            return found
    pytest.skip("no real Nitro documents: set NITRO_DOCUMENTS to their folder")
