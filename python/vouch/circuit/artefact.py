"""The file of an integer model, of which a manifest publishes the hash.

It is the model's canonical bytes. Where the weights are secret a random salt stands in front of them: without
it whoever guesses the weights could see in the published hash that the guess is right.
"""

from typing import Final

from vouch.circuit.errors import BadIntegerModel
from vouch.circuit.model import IntegerModel

SALT: Final = 32
"""Bytes of a salt."""
_HEAD: Final = b"vouch secret weights 1\n"


def to_file(model: IntegerModel, salt: bytes | None = None) -> bytes:
    """The bytes of the file; salt: `SALT` random bytes where the weights are secret, else None."""
    if salt is None:
        return model.to_bytes()
    assert len(salt) == SALT, f"a salt of {len(salt)} bytes"
    return _HEAD + salt + model.to_bytes()


def from_file(data: bytes) -> tuple[IntegerModel, bytes | None]:
    """The model, and the salt in front of secret weights.

    Raises BadIntegerModel, IntervalTooWide, LookupOutOfTable.
    """
    # CBOR of a map never begins like the head
    if not data.startswith(_HEAD):
        return IntegerModel.from_bytes(data), None
    salt, rest = data[len(_HEAD) : len(_HEAD) + SALT], data[len(_HEAD) + SALT :]
    if len(salt) != SALT:
        raise BadIntegerModel("salt", f"{len(salt)} bytes", f"{SALT} bytes in front of secret weights")
    return IntegerModel.from_bytes(rest), salt
