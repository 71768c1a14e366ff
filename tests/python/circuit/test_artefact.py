"""A model's file, bare and behind the salt of secret weights."""

import hashlib

import pytest

from tests.support.circuits import model
from vouch.circuit.artefact import SALT, from_file, to_file
from vouch.circuit.errors import BadIntegerModel

MODEL = model()
SALTS = bytes(range(SALT)), bytes(SALT)


def test_a_model_that_everybody_may_know_is_its_canonical_bytes() -> None:
    assert to_file(MODEL) == MODEL.to_bytes()
    again, salt = from_file(to_file(MODEL))
    assert (again.to_bytes(), salt) == (MODEL.to_bytes(), None)


@pytest.mark.parametrize("salt", SALTS)
def test_what_was_written_behind_a_salt_is_read_again(salt: bytes) -> None:
    again, read = from_file(to_file(MODEL, salt))
    assert (again.to_bytes(), read) == (MODEL.to_bytes(), salt)


def test_every_salt_gives_another_hash() -> None:
    files = [to_file(MODEL), *(to_file(MODEL, salt) for salt in SALTS)]
    assert len({hashlib.sha256(data).digest() for data in files}) == 3


def test_files_that_are_cut_off() -> None:
    data = to_file(MODEL, SALTS[0])
    head = len(data) - len(MODEL.to_bytes())
    with pytest.raises(BadIntegerModel, match="31 bytes"):
        from_file(data[: head - 1])
    for end in (head, len(data) - 1):
        with pytest.raises(BadIntegerModel):
            from_file(data[:end])
