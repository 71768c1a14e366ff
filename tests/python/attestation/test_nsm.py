"""The module's messages, and what is said where there is no module.

The module itself is only in an enclave: what these tests cannot see is whether it answers.
"""

import ctypes
from pathlib import Path

import cbor2
import pytest

from vouch.attestation.nsm import (
    MAX_REQUEST,
    RAW_IOCTL,
    ModuleRefused,
    NoModule,
    NsmAttester,
    document_of,
    request,
)


class _Buffer(ctypes.Structure):
    _fields_ = (("address", ctypes.c_uint64), ("size", ctypes.c_uint64))


class _NsmRaw(ctypes.Structure):
    """struct nsm_raw of include/uapi/linux/nsm.h."""

    _fields_ = (("request", _Buffer), ("response", _Buffer))


def test_the_ioctl_number() -> None:
    """_IOWR(0x0A, 0, struct nsm_raw), by include/uapi/asm-generic/ioctl.h."""
    assert (3 << 30 | ctypes.sizeof(_NsmRaw) << 16 | 0x0A << 8 | 0) == RAW_IOCTL


def test_the_request() -> None:
    raw = request(public_key=b"k", user_data=b"u", nonce=b"n")
    asked = {"user_data": b"u", "nonce": b"n", "public_key": b"k"}
    assert cbor2.loads(raw) == {"Attestation": asked}
    assert len(request(public_key=bytes(1024), user_data=bytes(1024), nonce=bytes(1024))) < MAX_REQUEST
    with pytest.raises(ModuleRefused, match="4096 is the most"):
        request(public_key=bytes(2048), user_data=bytes(1024), nonce=bytes(1024))


def test_the_response() -> None:
    assert document_of(cbor2.dumps({"Attestation": {"document": b"\x84"}})) == b"\x84"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (cbor2.dumps({"Error": "InputTooLarge"}), "its error is InputTooLarge"),
        (cbor2.dumps({"DescribeNSM": {}}), "none to an attestation request"),
        (cbor2.dumps({"Attestation": {"document": "text"}}), "none to an attestation request"),
        (b"", "no CBOR"),
        (b"\xff", "no CBOR|none to an attestation request"),
    ],
)
def test_other_responses(answer: bytes, why: str) -> None:
    with pytest.raises(ModuleRefused, match=why):
        document_of(answer)


async def attest(device: Path) -> bytes:
    return await NsmAttester(device).attest(public_key=b"k", user_data=b"u", nonce=b"n")


async def test_where_there_is_no_module(tmp_path: Path) -> None:
    with pytest.raises(NoModule, match=r"nsm: No such file.*use a development authority"):
        await attest(tmp_path / "nsm")


async def test_devices_that_are_no_module(tmp_path: Path) -> None:
    with pytest.raises(ModuleRefused, match="/dev/null does not take the request"):
        await attest(Path("/dev/null"))
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(ModuleRefused, match="does not take the request"):
        await attest(file)
